"""The magics: parse, fill in, send, show. What each of these means is written elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.line_magics import Defaults, SecretLine, read_defaults, read_log_line

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from flowlet_jupyter.credentials.handles import Secrets
    from flowlet_jupyter.notebook.openapi import Operations
    from flowlet_jupyter.session import Session

_FIRST_OPENAPI_SECONDS = 3.0  # that the cell that names a document waits to say that it cannot be read
_OPENAPI_SECONDS = 0.3  # that a completion waits for a document that it has not read yet


@magics_class
class FlowletMagics(Magics):
    """The magics of flowlet. `%config FlowletMagics` shows and sets what they do by themselves."""

    shell: InteractiveShell  # traitlets says it may be None; magics are only made with one

    default_secret = traitlets.Unicode("", help="the secret that requests are sent with, unless they name one").tag(
        config=True
    )
    display_rows = traitlets.Int(20, min=1, max=1000, help="rows of a table in a response's view").tag(config=True)
    display_bytes = traitlets.Int(
        64_000, min=20_000, max=10_000_000, help="size of a response's view; it is saved with the notebook"
    ).tag(config=True)
    timeout = traitlets.Float(30.0, min=0.001, help="seconds that a request may take").tag(config=True)
    raise_on_error = traitlets.Bool(False, help="whether an error status is an error (as --raise)").tag(config=True)
    dataframe = traitlets.Enum(("pandas", "polars"), "pandas", help="what --df makes").tag(config=True)

    def __init__(self, shell: InteractiveShell, session: Session | None = None, **options: Any) -> None:
        super().__init__(shell=shell, **options)
        self._session = session
        self.defaults = Defaults()
        self.called_paths: dict[str, None] = {}  # for completion, in order
        shell.configurables.append(self)  # type: ignore[arg-type]  # %config looks there, for anything with traits

    @property
    def session(self) -> Session:
        """Whose secrets the magics use: those of the session that they were made with, else of the default one."""
        from flowlet_jupyter.session import default_session

        return self._session or default_session()

    @property
    def _secrets(self) -> Secrets:
        from flowlet_jupyter.credentials.handles import Secrets

        return Secrets.of(self.session)

    @no_var_expand  # IPython would expand `$x` and `{x}` itself, or silently nothing if one part fails
    @line_cell_magic
    def flowlet_request(self, line: str, cell: str | None = None) -> Any:
        """Send a request with a named secret: [NAME <<] [METHOD] URL [ITEM ...] [OPTIONS].

        ITEM: key==value (query), Name:value (header), key=value and key:=json (body), key@file (upload).
        {{ expression }} puts a Python value in its place, encoded for it. A cell may hold headers and a body behind an
        empty line, several such requests with ### between them, or a curl command. All OPTIONS: %flowlet_request --help

            me = %flowlet_request https://api.twitter.com/2/users/me --secret twitter
            %flowlet_request /2/users/{{me["data"]["id"]}}/tweets max_results==100 -s twitter --paginate --df data -o tweets
        """
        from flowlet_jupyter.notebook.call import file_content
        from flowlet_jupyter.notebook.cell import Settings, execute
        from flowlet_jupyter.notebook.request_line.grammar import parse_all
        from flowlet_jupyter.notebook.request_line.interpolation import prepare

        if line.strip() in {"--help", "-h"}:
            from flowlet_jupyter.notebook.request_line.options import option_help

            print(option_help())  # noqa: T201 - the magic's output
            return None
        specs = parse_all(line, cell)
        requests = [(spec, prepare(spec, self._evaluate, file_content)) for spec in specs]
        settings = Settings(
            session=self.session, secret=self.defaults.secret or self.default_secret, base_url=self.defaults.base_url,
            timeout=self.timeout, raise_on_error=self.raise_on_error, dataframe=self.dataframe,
        )  # fmt: skip
        return execute(requests, settings, self.shell.user_ns, self.called_paths, show=_display)

    def operations(self, secret: str = "") -> Operations:
        """What the OpenAPI document of the secret (or the default one) says of the API, else that of %flowlet_defaults."""
        from flowlet_jupyter.notebook.openapi import operations_of

        name = secret or self.defaults.secret or self.default_secret
        location = ""
        if name:
            location = self.session.vault.get(name).secret.openapi or ""
        return operations_of(location or self.defaults.openapi, self.session, wait=_OPENAPI_SECONDS)

    def _evaluate(self, source: str) -> Any:
        return eval(source, self.shell.user_global_ns, self.shell.user_ns)  # noqa: S307 - the user's own expression

    @no_var_expand
    @line_magic
    def flowlet_defaults(self, line: str) -> None:
        """What requests of this kernel need not say: --secret NAME, --base-url URL, --openapi FILE_OR_URL, --clear."""
        changed = read_defaults(line, self.defaults)
        if changed.secret:
            self.session.vault.get(changed.secret)  # raises with a suggestion
        is_new = changed.openapi != self.defaults.openapi
        self.defaults = changed
        print(changed)  # noqa: T201 - the magic's output
        if is_new and changed.openapi:
            from flowlet_jupyter.notebook.openapi import operations_of

            if problem := operations_of(changed.openapi, self.session, wait=_FIRST_OPENAPI_SECONDS).problem:
                print(problem)  # noqa: T201 - the magic's output

    @no_var_expand
    @line_magic
    def flowlet_secrets(self, line: str) -> Any:
        """Show all secrets, with buttons to add one and to manage its tokens."""
        if line.strip():
            raise RequestSyntaxError("%flowlet_secrets takes nothing behind it. For one secret: %flowlet_secret NAME")
        return self._secrets

    @no_var_expand
    @line_magic
    def flowlet_secret(self, line: str) -> None:
        """Manage the tokens of one secret (%flowlet_secret NAME), or make a new one (%flowlet_secret --new).

        --connect requests an access token and waits, and tries a secret that is sent as it is; --paste does so where the
        browser is on another machine. Both take what an API said that it wants more of: --scope 'A B', --acr-values X,
        --max-age SECONDS.
        --provider KEY and --scope 'A B' fill in the form of a new one. --from-paste NAME stores what was left out of the
        request that was pasted last, for its host.
        """
        asked = SecretLine.read(line)
        if asked.from_paste:
            self._store_pasted(asked.name)
            return
        if asked.connects:
            self._connect(asked)
            return
        from flowlet_jupyter.notebook.server_link import secrets_page

        is_terminal = getattr(self.shell, "kernel", None) is None
        if asked.new:
            text = (
                f"To add a secret here: {secrets_page(self.session)}" if is_terminal else "The form for a new secret."
            )
        else:
            text = self._described(asked.name)
        if is_terminal:
            print(text)  # noqa: T201 - a terminal's display
            return
        from flowlet_jupyter.notebook.widgets import FlowletWidget

        if asked.new:
            FlowletWidget(self.session, view="form", prefill=asked.prefill).show(text)
        else:
            FlowletWidget(self.session, view="manage", name=asked.name).show(text)

    def _connect(self, asked: SecretLine) -> None:
        from flowlet_jupyter.connect.paste import PastePrompt
        from flowlet_jupyter.notebook.prompt import prompt_of

        handle = self._secrets[asked.name]
        if not (asked.paste or asked.more) and handle.configuration()["type"] != "oauth2":
            from flowlet_jupyter.connect.first_request import first_request

            print(first_request(handle.vault, asked.name)[1])  # noqa: T201 - nothing is to be requested: whether it works
            return
        if asked.more:
            handle.ask_for(**asked.ask_for_arguments)
        handle.authorize(PastePrompt() if asked.paste else prompt_of(self.shell))
        print(handle)  # noqa: T201 - the magic's output

    def _store_pasted(self, name: str) -> None:
        from flowlet_jupyter.notebook.pasted_secrets import PastedCredentials

        handle, left = self.session.part(PastedCredentials).store(name, self._secrets)
        hosts = ", ".join(handle.configuration()["allowed_hosts"])
        print(f"Stored as {handle}, for {hosts}. Delete the value in the cell, and send it with: --secret {name}")  # noqa: T201 - the magic's output
        if left:
            print(left)  # noqa: T201 - the magic's output

    def _described(self, name: str) -> str:
        from flowlet_jupyter.notebook.server_link import authorize_url

        status = self._secrets[name].status()
        link = authorize_url(name, self.session)
        needs_one = status.state in {"no_token", "needs_authorization"}
        way = f"\nRequest access token: {link or f'%flowlet_secret {name} --connect'}" if needs_one else ""
        return f"secret '{name}': {status.summary()}{way}"

    @no_var_expand
    @line_magic
    def flowlet_cache(self, line: str) -> None:
        """What the cache of --cache holds; `%flowlet_cache clear` empties it."""
        from flowlet_jupyter.http.caching import cached_responses, clear_cache

        if line.strip() not in {"", "clear"}:
            raise RequestSyntaxError("%flowlet_cache shows the cache, %flowlet_cache clear empties it.")
        if line.strip():
            clear_cache(self.session)
        print(cached_responses(self.session))  # noqa: T201 - the magic's output

    @no_var_expand
    @line_magic
    def flowlet_log(self, line: str) -> Any:
        """What the secrets of this vault were used for, newest first: %flowlet_log [NAME | on | off | clear]."""
        return read_log_line(line.strip(), self.session.vault)


def _display(result: Any) -> None:
    from IPython.display import display

    display(result)  # type: ignore[no-untyped-call]  # IPython declares no types
