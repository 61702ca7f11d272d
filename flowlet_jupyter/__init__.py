"""Named secrets for HTTP requests in notebooks: connect once, then only name the secret.

    import flowlet_jupyter as flowlet
    flowlet.get("https://api.twitter.com/2/users/me", secret="twitter")

Everything public is listed here and imported on first use (PEP 562), so that loading the extension costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names for type checkers and editors; tests hold the two lists together
    # a line or two a module:
    # isort: off
    # fmt: off
    from IPython.core.interactiveshell import InteractiveShell
    from flowlet_jupyter.bridges.for_azure import azure_credential as azure_credential
    from flowlet_jupyter.bridges.for_google import google_credentials as google_credentials
    from flowlet_jupyter.bridges.for_requests import requests_auth as requests_auth
    from flowlet_jupyter.errors import (
        AuthorizationFailed as AuthorizationFailed, AuthRequired as AuthRequired, DiscoveryFailed as DiscoveryFailed,
        FlowletError as FlowletError, HostNotAllowed as HostNotAllowed, InterpolationError as InterpolationError,
        InvalidOption as InvalidOption, InvalidSecret as InvalidSecret, MasterKeyError as MasterKeyError,
        MissingExtra as MissingExtra, PagingStopped as PagingStopped, ProviderError as ProviderError,
        RequestFailed as RequestFailed, RequestSyntaxError as RequestSyntaxError, SecretNotFound as SecretNotFound,
        SourceUnavailable as SourceUnavailable, TokenEndpointError as TokenEndpointError, UsageError as UsageError,
        VaultError as VaultError, VaultFileDamaged as VaultFileDamaged,
    )
    from flowlet_jupyter.http.auth import auth as auth
    from flowlet_jupyter.http.client import async_client as async_client, client as client
    from flowlet_jupyter.http.gather import Gathered as Gathered
    from flowlet_jupyter.http.har import recording as recording
    from flowlet_jupyter.http.many import (
        apaginate as apaginate, download as download, fetch_df as fetch_df, gather as gather,
        last_gathered as last_gathered, last_pages as last_pages, paginate as paginate,
    )
    from flowlet_jupyter.http.pages import AsyncPages as AsyncPages, Pages as Pages
    from flowlet_jupyter.http.response import Response as Response
    from flowlet_jupyter.http.api import (
        adelete as adelete, aget as aget, ahead as ahead, apatch as apatch, apost as apost, aput as aput,
        arequest as arequest, delete as delete, get as get, head as head, patch as patch, post as post, put as put,
        request as request,
    )
    from flowlet_jupyter.credentials.handles import Secrets
    from flowlet_jupyter.model.external import External as External
    from flowlet_jupyter.model.oauth2 import OAuth2 as OAuth2
    from flowlet_jupyter.session.prompt import ask as ask
    from flowlet_jupyter.model.static import (
        ApiKey as ApiKey, Basic as Basic, Headers as Headers, Password as Password,
    )
    from flowlet_jupyter.model.value import SecretValue as SecretValue
    from flowlet_jupyter.session import Session as Session
    from flowlet_jupyter.model.status import Status as Status
    from flowlet_jupyter.model.tokens import TokenSet as TokenSet
    # fmt: on
    # isort: on

    secrets: Secrets

__version__: str

_MODULES = {
    "bridges.for_azure": "azure_credential",
    "bridges.for_google": "google_credentials",
    "bridges.for_requests": "requests_auth",
    "errors": (
        "AuthorizationFailed AuthRequired DiscoveryFailed FlowletError HostNotAllowed InterpolationError "
        "InvalidOption InvalidSecret MasterKeyError MissingExtra PagingStopped ProviderError RequestFailed "
        "RequestSyntaxError SecretNotFound SourceUnavailable TokenEndpointError UsageError VaultError VaultFileDamaged"
    ),
    "http.auth": "auth",
    "http.client": "async_client client",
    "http.gather": "Gathered",
    "http.har": "recording",
    "http.many": "apaginate download fetch_df gather last_gathered last_pages paginate",
    "http.pages": "AsyncPages Pages",
    "http.response": "Response",
    "http.api": "adelete aget ahead apatch apost aput arequest delete get head patch post put request",
    "model.oauth2": "OAuth2",
    "session.prompt": "ask",
    "model.external": "External",
    "model.static": "ApiKey Basic Headers Password",
    "model.value": "SecretValue",
    "session": "Session",
    "model.status": "Status",
    "model.tokens": "TokenSet",
}
_PUBLIC = {name: module for module, names in _MODULES.items() for name in names.split()}
__all__ = [*_PUBLIC, "secrets"]  # noqa: PLE0604 - every name of the table is a string


def __getattr__(name: str) -> Any:
    if name == "secrets":
        from flowlet_jupyter.credentials.handles import default_secrets

        value: Any = default_secrets()
    elif name in _PUBLIC:
        value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    elif name == "__version__":
        value = importlib.import_module("importlib.metadata").version("flowlet-jupyter")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return value


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext flowlet_jupyter`."""
    importlib.import_module(f"{__name__}.notebook.extension").load(shell)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Where the Jupyter server finds the extension."""
    return [{"module": "flowlet_jupyter.server.extension"}]


def __dir__() -> list[str]:
    return sorted(__all__)
