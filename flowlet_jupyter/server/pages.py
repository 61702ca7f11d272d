"""Pages for a user, without a notebook around them, and their style and scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web
from tornado.template import Loader

from flowlet_jupyter import frontend
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.server.base import FlowletHandler
from flowlet_jupyter.server.redirect_uri import callback_path

_pages = Loader(str(frontend.TEMPLATES), autoescape="xhtml_escape")
_CSS, _JAVASCRIPT = "text/css; charset=utf-8", "text/javascript; charset=utf-8"
_FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "page.css": (_CSS, lambda: frontend.text("page.css").encode()),
    "callback.js": (_JAVASCRIPT, lambda: frontend.text("callback.js").encode()),
    "secrets.css": (_CSS, lambda: frontend.style().encode()),
    "secrets.js": (_JAVASCRIPT, lambda: frontend.script("page.js").encode()),
}
_OWN_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; form-action 'none'"


class PageHandler(FlowletHandler):
    """A page for a user: no script but ours, nothing from elsewhere."""

    more_policy = ""

    @property
    def content_security_policy(self) -> str:
        """Jupyter's policy (`frame-ancestors`) and nothing but our own style and script."""
        return f"{super().content_security_policy}; {_OWN_POLICY}{self.more_policy}"

    def show(self, template: str, *, status: int = 200, secret_name: str = "", **values: Any) -> None:
        """Finish with a page; tornado's templates escape every value."""
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        # beside the callback: whoever calls that on loopback must not read the secret path in its page
        files = callback_path(self).removesuffix("callback") + "page"
        page = _pages.load(template).generate(files=files, secret_name=secret_name, **values)
        self.finish(page)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """An error as a page, without the traceback that tornado could show."""
        error = kwargs.get("exc_info", (None, None))[1]
        message = str(error) if isinstance(error, FlowletError) else "The server could not do this."
        self.show("failed.html", status=status_code, message=message)


class SecretsPageHandler(PageHandler):
    """`GET /flowlet/`: all secrets, the form and Manage tokens, for where no notebook can show the widget.

    `?provider=…&scope=…&name=…` opens the form with these filled in; there is no parameter for a value or a host.
    """

    more_policy = "; connect-src 'self'; img-src data:"  # the API, and the QR code of a device flow

    @web.authenticated
    def get(self) -> None:
        """The page; everything in it comes from the API."""
        _ = self.xsrf_token  # tornado sets the cookie when somebody asks, and the page's script sends it back
        self.show("secrets.html", config={"baseUrl": self.base_url})


class PageFileHandler(FlowletHandler):
    """The style and the scripts of the pages; nothing in them is private."""

    @allow_unauthenticated
    def get(self, file: str) -> None:
        """One of a few files."""
        content_type, read = _FILES[file]
        self.set_header("Content-Type", content_type)
        self.finish(read())
