"""A cell's requests: each becomes the object that does what its line asks for, and they run one behind the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http import api, many
from flowlet_jupyter.model.secret import base_url_of
from flowlet_jupyter.notebook.call import Call
from flowlet_jupyter.notebook.execution import Execution, Paged, Plain, Saved, Shown, print_notice
from flowlet_jupyter.notebook.pasted_secrets import PastedCredentials, host_of
from flowlet_jupyter.notebook.request_line.interpolation import PreparedRequest
from flowlet_jupyter.notebook.request_line.pasted_credentials import PastedCredential, notice
from flowlet_jupyter.notebook.request_line.spec import RequestSpec
from flowlet_jupyter.session import Session


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What lines of a kernel need not say: the magics' session and traits, `%flowlet_defaults`. `timeout` is in seconds."""

    session: Session
    secret: str = ""
    base_url: str = ""
    timeout: float
    raise_on_error: bool
    dataframe: str


def execution_of(
    spec: RequestSpec, request: PreparedRequest, settings: Settings, namespace: MutableMapping[str, Any]
) -> Execution:
    """The object that does what the parsed line asks for."""
    call = _call_of(spec, request, settings)
    if spec.dry_run or spec.curl or spec.python:
        return Shown(call=call, form="curl" if spec.curl else "python" if spec.python else "dry-run")
    if spec.save is not None:
        return Saved(call=call, path=spec.save, retry=spec.retry)
    frame = None if spec.frame is None else "polars" if spec.frame == "polars" else settings.dataframe
    if spec.paginate is not None:
        limits = {name: getattr(spec, name) for name in ("max_pages", "max_items", "concurrency")}
        paging = {"style": spec.paginate, "path": spec.frame_path if spec.frame else spec.select}
        paging |= {name: value for name, value in limits.items() if value is not None}
        is_shown = spec.select is None and frame is None and spec.out is None and not spec.quiet
        return Paged(
            call=call, paging=paging, select=spec.select, frame=frame, out=spec.out, is_shown=is_shown, namespace=namespace
        )  # fmt: skip
    return Plain(
        call=call, raises=settings.raise_on_error if spec.raises is None else spec.raises,
        shows_request=spec.verbose, shows_headers=spec.verbose or spec.show_headers,
        select=spec.select, frame=frame, frame_path=spec.frame_path,
    )  # fmt: skip


def _call_of(spec: RequestSpec, request: PreparedRequest, settings: Settings) -> Call:
    tries = 0 if spec.paginate is None else many.TRIES_OF_MANY
    secret = None if spec.no_secret else spec.secret or settings.secret or None
    url = request.url
    # a path goes behind the default base URL, unless the secret has one of its own
    if settings.base_url and "://" not in url and not (secret and base_url_of(settings.session.vault.get(secret))):
        url = f"{settings.base_url}/{url.lstrip('/')}"
    options: dict[str, Any] = {
        "timeout": settings.timeout if spec.timeout is None else spec.timeout,
        "retry": tries if spec.retry is None else spec.retry,
        "retry_any": spec.retry_any,
        "cache": spec.cache or False,
        "insecure": spec.insecure,
    }
    if spec.follow is not None:
        options["follow_redirects"] = spec.follow
    return Call(session=settings.session, request=request, url=url, secret=secret, options=options)


def execute(
    requests: Sequence[tuple[RequestSpec, PreparedRequest]],
    settings: Settings,
    namespace: MutableMapping[str, Any],
    called_paths: dict[str, None],
    *,
    show: Callable[[Any], None],
) -> Any:
    """What the cell gets: the result, or None where it goes into a variable. `called_paths` are those to complete.

    Several requests are sent one after the other; `show` shows the results before the last, and the variable takes the
    list of all, or of those before an error.
    """
    out = requests[0][0].out
    if len(requests) > 1:  # each is a part of what the variable takes
        requests = [(dataclasses.replace(spec, out=None), request) for spec, request in requests]
    executions = [(spec, execution_of(spec, request, settings, namespace)) for spec, request in requests]
    _hold_credentials([(spec, execution.call) for spec, execution in executions], settings.session)
    if len(executions) == 1:
        spec, execution = executions[0]
        result = _run(spec, execution, called_paths)
        if spec.out is None or isinstance(execution, Shown):
            return None if spec.quiet else result
        namespace[spec.out] = result
        return None
    results: list[Any] = []
    try:
        for spec, execution in executions:
            if results and not spec.quiet and out is None:
                show(results[-1])
            results.append(_run(spec, execution, called_paths))
    finally:
        if out is not None:
            namespace[out] = results
    return None if spec.quiet or out is not None else results[-1]


def _run(spec: RequestSpec, execution: Execution, called_paths: dict[str, None]) -> Any:
    for note in spec.notes:
        print_notice(note)
    if isinstance(execution, Shown):
        return execution.run()
    if spec.insecure:
        print_notice("The server's certificate is not checked (-k): anybody on the way could answer in its place.")
    result = execution.run()
    called_at = urlsplit(execution.call.url)._replace(query="", fragment="").geturl()
    called_paths.pop(called_at, None)
    called_paths[called_at] = None
    return result


def _hold_credentials(calls: Sequence[tuple[RequestSpec, Call]], session: Session) -> None:
    """Say what was left out of each request, and keep it for `%flowlet_secret --from-paste`."""
    by_host: dict[str, list[PastedCredential]] = {}
    for spec, call in calls:
        if spec.left_out:
            try:
                host = host_of(api.absolute(call.url, call.secret, session=session))
            except FlowletError:  # sending it says what is wrong
                host = ""
            by_host.setdefault(host, []).extend(spec.left_out)
    if by_host:
        held = [(host, credential) for host, credentials in by_host.items() for credential in credentials]
        session.part(PastedCredentials).hold(held)
    for host, credentials in by_host.items():
        print_notice(notice(credentials, host))
