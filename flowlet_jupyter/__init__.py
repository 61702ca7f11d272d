"""Named secrets for HTTP requests in notebooks: connect once, then only name the secret.

    import flowlet_jupyter as flowlet
    flowlet.get("https://api.twitter.com/2/users/me", secret="twitter")

Everything public is listed here and imported on first use (PEP 562), so that loading the extension costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from flowlet_jupyter.oauth.collection import Secrets

__version__ = "0.1.0"

_PUBLIC = {
    **dict.fromkeys(
        (
            "request", "get", "post", "put", "patch", "delete", "head",
            "arequest", "aget", "apost", "aput", "apatch", "adelete", "ahead",
            "client", "async_client", "auth",
        ),
        "http.client",
    ),
    "Response": "http.response",
    **dict.fromkeys(("OAuth2", "Password", "Basic", "Headers", "SecretValue", "TokenSet", "Status"), "secret"),
    **dict.fromkeys(
        (
            "FlowletError", "InvalidSecret", "SecretNotFound", "HostNotAllowed", "AuthRequired", "AuthorizationFailed",
            "TokenEndpointError", "VaultError", "VaultFileDamaged", "MasterKeyError", "RequestSyntaxError",
            "InterpolationError", "RequestFailed", "MissingExtra",
        ),
        "errors",
    ),
}  # fmt: skip
__all__ = [*_PUBLIC, "secrets"]  # noqa: PLE0604 - every name of the table is a string


def __getattr__(name: str) -> Any:
    if name == "secrets":
        value: Any = _secrets()
    elif name in _PUBLIC:
        value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _attach_to_notebook()
    return value


def _secrets() -> Secrets:
    from flowlet_jupyter.oauth.collection import Secrets
    from flowlet_jupyter.vault import default_vault

    return Secrets(default_vault())


def _attach_to_notebook() -> None:
    """In a notebook, show responses and the connect link in its way, also without `%load_ext`."""
    if "IPython" in sys.modules:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()  # type: ignore[no-untyped-call]  # IPython has no hint here
        if shell is not None:
            from flowlet_jupyter.notebook.extension import attach

            attach(shell)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext flowlet_jupyter`."""
    from flowlet_jupyter.notebook.extension import load

    load(shell)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Where the Jupyter server finds the extension."""
    return [{"module": "flowlet_jupyter.server.extension"}]


def __dir__() -> list[str]:
    return sorted(__all__)
