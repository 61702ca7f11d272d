"""Named secrets for HTTP requests in notebooks: connect once, then only name the secret.

    import flowlet_jupyter as flowlet
    flowlet.get("https://api.twitter.com/2/users/me", secret="twitter")

Everything public is listed here and imported on first use (PEP 562), so that loading the extension costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names for type checkers and editors; tests hold the two lists together
    from IPython.core.interactiveshell import InteractiveShell

    from flowlet_jupyter.bridges.for_azure import (
        azure_credential as azure_credential,
    )
    from flowlet_jupyter.bridges.for_google import (
        google_credentials as google_credentials,
    )
    from flowlet_jupyter.bridges.for_requests import (
        requests_auth as requests_auth,
    )
    from flowlet_jupyter.errors import (
        AuthorizationFailed as AuthorizationFailed,
    )
    from flowlet_jupyter.errors import (
        AuthRequired as AuthRequired,
    )
    from flowlet_jupyter.errors import (
        DiscoveryFailed as DiscoveryFailed,
    )
    from flowlet_jupyter.errors import (
        FlowletError as FlowletError,
    )
    from flowlet_jupyter.errors import (
        HostNotAllowed as HostNotAllowed,
    )
    from flowlet_jupyter.errors import (
        InterpolationError as InterpolationError,
    )
    from flowlet_jupyter.errors import (
        InvalidOption as InvalidOption,
    )
    from flowlet_jupyter.errors import (
        InvalidSecret as InvalidSecret,
    )
    from flowlet_jupyter.errors import (
        MasterKeyError as MasterKeyError,
    )
    from flowlet_jupyter.errors import (
        MissingExtra as MissingExtra,
    )
    from flowlet_jupyter.errors import (
        PagingStopped as PagingStopped,
    )
    from flowlet_jupyter.errors import (
        ProviderError as ProviderError,
    )
    from flowlet_jupyter.errors import (
        RequestFailed as RequestFailed,
    )
    from flowlet_jupyter.errors import (
        RequestSyntaxError as RequestSyntaxError,
    )
    from flowlet_jupyter.errors import (
        SecretNotFound as SecretNotFound,
    )
    from flowlet_jupyter.errors import (
        SourceUnavailable as SourceUnavailable,
    )
    from flowlet_jupyter.errors import (
        TokenEndpointError as TokenEndpointError,
    )
    from flowlet_jupyter.errors import (
        UsageError as UsageError,
    )
    from flowlet_jupyter.errors import (
        VaultError as VaultError,
    )
    from flowlet_jupyter.errors import (
        VaultFileDamaged as VaultFileDamaged,
    )
    from flowlet_jupyter.http.auth import (
        auth as auth,
    )
    from flowlet_jupyter.http.client import (
        async_client as async_client,
    )
    from flowlet_jupyter.http.client import (
        client as client,
    )
    from flowlet_jupyter.http.gather import (
        Gathered as Gathered,
    )
    from flowlet_jupyter.http.interchange import (
        recording as recording,
    )
    from flowlet_jupyter.http.many import (
        apaginate as apaginate,
    )
    from flowlet_jupyter.http.many import (
        download as download,
    )
    from flowlet_jupyter.http.many import (
        fetch_df as fetch_df,
    )
    from flowlet_jupyter.http.many import (
        gather as gather,
    )
    from flowlet_jupyter.http.many import (
        last_gathered as last_gathered,
    )
    from flowlet_jupyter.http.many import (
        last_pages as last_pages,
    )
    from flowlet_jupyter.http.many import (
        paginate as paginate,
    )
    from flowlet_jupyter.http.pages import (
        AsyncPages as AsyncPages,
    )
    from flowlet_jupyter.http.pages import (
        Pages as Pages,
    )
    from flowlet_jupyter.http.response import Response as Response
    from flowlet_jupyter.http.verbs import (
        adelete as adelete,
    )
    from flowlet_jupyter.http.verbs import (
        aget as aget,
    )
    from flowlet_jupyter.http.verbs import (
        ahead as ahead,
    )
    from flowlet_jupyter.http.verbs import (
        apatch as apatch,
    )
    from flowlet_jupyter.http.verbs import (
        apost as apost,
    )
    from flowlet_jupyter.http.verbs import (
        aput as aput,
    )
    from flowlet_jupyter.http.verbs import (
        arequest as arequest,
    )
    from flowlet_jupyter.http.verbs import (
        delete as delete,
    )
    from flowlet_jupyter.http.verbs import (
        get as get,
    )
    from flowlet_jupyter.http.verbs import (
        head as head,
    )
    from flowlet_jupyter.http.verbs import (
        patch as patch,
    )
    from flowlet_jupyter.http.verbs import (
        post as post,
    )
    from flowlet_jupyter.http.verbs import (
        put as put,
    )
    from flowlet_jupyter.http.verbs import (
        request as request,
    )
    from flowlet_jupyter.oauth.collection import Secrets
    from flowlet_jupyter.oauth2 import (
        OAuth2 as OAuth2,
    )
    from flowlet_jupyter.prompt import ask as ask
    from flowlet_jupyter.secret import (
        ApiKey as ApiKey,
    )
    from flowlet_jupyter.secret import (
        Basic as Basic,
    )
    from flowlet_jupyter.secret import (
        External as External,
    )
    from flowlet_jupyter.secret import (
        Headers as Headers,
    )
    from flowlet_jupyter.secret import (
        Password as Password,
    )
    from flowlet_jupyter.secret_value import (
        SecretValue as SecretValue,
    )
    from flowlet_jupyter.status import (
        Status as Status,
    )
    from flowlet_jupyter.token_set import (
        TokenSet as TokenSet,
    )

    secrets: Secrets

__version__ = "0.1.0"

_PUBLIC = {
    **dict.fromkeys(
        (
            "request", "get", "post", "put", "patch", "delete", "head",
            "arequest", "aget", "apost", "aput", "apatch", "adelete", "ahead",
        ),
        "http.verbs",
    ),
    **dict.fromkeys(
        ("paginate", "apaginate", "last_pages", "fetch_df", "gather", "last_gathered", "download"), "http.many",
    ),
    **dict.fromkeys(("client", "async_client"), "http.client"),
    "auth": "http.auth",
    "ask": "prompt",
    "recording": "http.interchange",
    "requests_auth": "bridges.for_requests",
    "google_credentials": "bridges.for_google",
    "azure_credential": "bridges.for_azure",
    **dict.fromkeys(("Pages", "AsyncPages"), "http.pages"),
    "Gathered": "http.gather",
    "Response": "http.response",
    **dict.fromkeys(("Password", "Basic", "Headers", "ApiKey", "External"), "secret"),
    "OAuth2": "oauth2",
    "SecretValue": "secret_value",
    "TokenSet": "token_set",
    "Status": "status",
    **dict.fromkeys(
        (
            "FlowletError", "UsageError", "InvalidSecret", "InvalidOption", "SecretNotFound", "HostNotAllowed", "AuthRequired", "AuthorizationFailed",
            "TokenEndpointError", "VaultError", "VaultFileDamaged", "MasterKeyError", "RequestSyntaxError",
            "InterpolationError", "RequestFailed", "PagingStopped", "ProviderError", "DiscoveryFailed", "SourceUnavailable", "MissingExtra",
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

        shell = get_ipython()
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
