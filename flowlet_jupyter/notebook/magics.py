"""The magics: parse, fill in, send, show. What each of these means is written elsewhere."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        from flowlet_jupyter.http import client
        from flowlet_jupyter.notebook.extension import attach

        attach(self.shell)  # the client is imported now, so that it can be given the connect hook
        response = client.request(
            request.method,
            request.url,
            secret=spec.secret,
            headers=dict(request.headers),
            content=request.content,
            **({} if spec.timeout is None else {"timeout": spec.timeout}),
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
        """
        words = line.split()
        options = {word for word in words if word.startswith("--")}
        name = " ".join(word for word in words if word not in options) or ("--new" if "--new" in options else "")
        if not name or not options <= {"--new", "--connect", "--paste"}:
            raise RequestSyntaxError(
                "Which secret? %flowlet_secret NAME [--connect | --paste], or %flowlet_secret --new"
            )
        if "--connect" in options or "--paste" in options:
            self._connect(name, paste="--paste" in options)
            return
        is_new = name == "--new"
        text = "The form for a new secret needs JupyterLab or Notebook 7." if is_new else _described(name)
        if getattr(self.shell, "kernel", None) is None:
            print(text)  # noqa: T201 - a terminal's display
            return
        from flowlet_jupyter.notebook.widgets import FlowletWidget

        FlowletWidget(view="form").show(text) if is_new else FlowletWidget(view="manage", name=name).show(text)

    def _connect(self, name: str, *, paste: bool) -> None:
        import flowlet_jupyter
        from flowlet_jupyter.notebook.connect import connect_by_paste, connect_in_notebook

        handle = flowlet_jupyter.secrets[name]
        if paste:
            connect_by_paste(name, getpass.getpass)
        else:
            connect_in_notebook(AuthRequired(f"Secret '{name}' needs a person.", secret_name=name), self.shell)
        print(handle)  # noqa: T201 - the magic's output


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
