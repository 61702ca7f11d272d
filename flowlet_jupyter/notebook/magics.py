"""The magics: parse, fill in, send, show. What each of these means is written elsewhere."""

from __future__ import annotations

import getpass
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from flowlet_jupyter.errors import AuthRequired, RequestFailed, RequestSyntaxError
from flowlet_jupyter.notebook.grammar import RequestSpec, parse
from flowlet_jupyter.notebook.interpolation import PreparedRequest, prepare

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@magics_class
class FlowletMagics(Magics):
    """`%flowlet_request`, `%flowlet_secrets` and `%flowlet_secret`."""

    shell: InteractiveShell  # traitlets says it may be None; magics are only made with one

    @no_var_expand  # IPython would expand `$x` and `{x}` itself, or silently nothing if one part fails
    @line_cell_magic
    def flowlet_request(self, line: str, cell: str | None = None) -> Any:
        """Send a request with a named secret: [NAME <<] [METHOD] URL [ITEM ...] [OPTIONS].

        ITEM: key==value (query), Name:value (header), key=value and key:=json (body).
        OPTIONS: -s/--secret NAME, -o/--out NAME, --df [PATH], --json TEXT|@file, -d/--data TEXT|@file, -H 'Name: value',
        --timeout SECONDS, --dry-run. {{ expression }} puts a Python value in its place.

            me = %flowlet_request https://api.twitter.com/2/users/me --secret twitter
            %flowlet_request /2/users/{{me["data"]["id"]}}/tweets max_results==100 -s twitter --df data -o tweets
        """
        spec = parse(line, cell)
        request = prepare(spec, self._evaluate, _read_file)
        if spec.dry_run:
            print(_dry_run(spec, request))  # noqa: T201 - the magic's output
            return None
        result = self._send(spec, request)
        if spec.out is None:
            return result
        self.shell.user_ns[spec.out] = result
        return None

    def _evaluate(self, source: str) -> Any:
        return eval(source, self.shell.user_global_ns, self.shell.user_ns)  # noqa: S307 - the user's own expression

    def _send(self, spec: RequestSpec, request: PreparedRequest) -> Any:
        from flowlet_jupyter.http import verbs
        from flowlet_jupyter.notebook.extension import attach

        attach(self.shell)  # the client is imported now, so that it can be given the connect hook
        response = verbs.request(
            request.method,
            request.url,
            secret=spec.secret,
            headers=dict(request.headers),
            content=request.content,
            **cast("dict[str, Any]", {} if spec.timeout is None else {"timeout": spec.timeout}),
        )
        return response.to_df(spec.frame_path) if spec.frame else response

    @no_var_expand
    @line_magic
    def flowlet_secrets(self, line: str) -> Any:
        """Show all secrets, with buttons to add one and to manage its tokens."""
        if line.strip():
            raise RequestSyntaxError("%flowlet_secrets takes nothing behind it. For one secret: %flowlet_secret NAME")
        import flowlet_jupyter

        return flowlet_jupyter.secrets

    @no_var_expand
    @line_magic
    def flowlet_secret(self, line: str) -> None:
        """Manage the tokens of one secret (%flowlet_secret NAME), or make a new one (%flowlet_secret --new).

        --connect requests an access token and waits; --paste does so where the browser is on another machine.
        --provider KEY and --scope 'A B' fill in the form of a new one.
        """
        asked = _SecretLine.read(line)
        if asked.connects:
            self._connect(asked.name, paste=asked.paste)
            return
        from flowlet_jupyter.notebook.server_link import secrets_page

        is_terminal = getattr(self.shell, "kernel", None) is None
        if asked.new:
            text = f"To add a secret here: {secrets_page()}" if is_terminal else "The form for a new secret."
        else:
            text = _described(asked.name)
        if is_terminal:
            print(text)  # noqa: T201 - a terminal's display
            return
        from flowlet_jupyter.notebook.widgets import FlowletWidget

        if asked.new:
            FlowletWidget(view="form", prefill=asked.prefill).show(text)
        else:
            FlowletWidget(view="manage", name=asked.name).show(text)

    def _connect(self, name: str, *, paste: bool) -> None:
        import flowlet_jupyter
        from flowlet_jupyter.notebook.connect import connect_by_paste, connect_in_notebook

        handle = flowlet_jupyter.secrets[name]
        if paste:
            connect_by_paste(name, getpass.getpass)
        else:
            connect_in_notebook(AuthRequired(f"Secret '{name}' needs a person.", secret_name=name), self.shell)
        print(handle)  # noqa: T201 - the magic's output


@dataclass(frozen=True)
class _SecretLine:
    """What `%flowlet_secret` was given."""

    name: str
    new: bool
    connect: bool
    paste: bool
    prefill: dict[str, str]

    @property
    def connects(self) -> bool:
        return self.connect or self.paste

    @classmethod
    def read(cls, line: str) -> _SecretLine:
        try:
            words = shlex.split(line)
        except ValueError:
            raise RequestSyntaxError("A quote is not closed.") from None
        prefill: dict[str, str] = {}
        for option in ("--provider", "--scope"):
            if option in words:
                place = words.index(option)
                prefill[option[2:]] = "".join(words[place + 1 : place + 2])
                del words[place : place + 2]
        options = {word for word in words if word.startswith("--")}
        name = " ".join(word for word in words if word not in options)
        new = "--new" in options
        if not (name or new) or not options <= {"--new", "--connect", "--paste"} or (prefill and not new):
            raise RequestSyntaxError(
                "Which secret? %flowlet_secret NAME [--connect | --paste], or "
                "%flowlet_secret --new [--provider KEY] [--scope 'A B']"
            )
        if new and name:
            prefill["name"] = name
        return cls(name, new, "--connect" in options, "--paste" in options, prefill)


def _described(name: str) -> str:
    import flowlet_jupyter
    from flowlet_jupyter.notebook.server_link import authorize_url

    status = flowlet_jupyter.secrets[name].status()
    link = authorize_url(name)
    needs_one = status.state in {"no_token", "needs_authorization"}
    way = f"\nRequest access token: {link or f'%flowlet_secret {name} --connect'}" if needs_one else ""
    return f"secret '{name}': {status.summary()}{way}"


def _read_file(name: str) -> bytes:
    try:
        return Path(name).expanduser().read_bytes()
    except OSError as error:
        raise RequestFailed(f"The file {name} cannot be read: {error.strerror}. Nothing was sent.") from None


def _dry_run(spec: RequestSpec, request: PreparedRequest) -> str:
    lines = [f"{request.method} {request.url}", *(f"{name}: {value}" for name, value in request.headers)]
    if spec.secret:
        lines.append(f"(credentials of secret '{spec.secret}')")
    if request.content is not None:
        lines += ["", request.content.decode("utf-8", "replace")]
    return "\n".join(["Not sent (--dry-run):", *lines])
