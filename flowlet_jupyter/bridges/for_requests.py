"""A secret for `requests`, and for what is built on it (dlt, tweepy, ...)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowlet_jupyter.bridges.credentials import headers_for, missing_package
from flowlet_jupyter.credentials.flow import refuse_what_redirects_carry
from flowlet_jupyter.credentials.handles import SecretHandle, default_secrets
from flowlet_jupyter.model.oauth2 import OAuth2

if TYPE_CHECKING:
    from requests.auth import AuthBase


def requests_auth(secret: str) -> AuthBase:
    """An auth for `requests`, and for what is built on it: `requests.get(url, auth=requests_auth("twitter"))`.

    On a redirect to another host requests drops `Authorization`; a secret that sets anything else, which it would carry
    along, is refused. A 401 refreshes the access token and tries once more.
    """
    try:
        from requests.auth import AuthBase
    except ImportError:
        raise missing_package("requests") from None
    refuse_what_redirects_carry(default_secrets().vault.get(secret).secret, "requests")

    class RequestsAuth(AuthBase):
        def __call__(self, request: Any) -> Any:
            request.headers.update(headers_for(secret, request.method, request.url, "requests"))
            request.register_hook("response", self._again)
            return request

        def _again(self, response: Any, **options: Any) -> Any:
            if response.status_code != 401 or not isinstance(default_secrets().vault.get(secret).secret, OAuth2):
                return response
            if getattr(response.request, "_flowlet_tried", False):
                return response
            if "Authorization" not in response.request.headers:
                return response  # another host, to which a redirect led, and where it did not go
            response.content  # noqa: B018 - reads the body, so that the connection can be used again
            response.close()
            SecretHandle(secret, default_secrets().vault).refresh()
            again = response.request.copy()
            again._flowlet_tried = True  # noqa: SLF001 - the mark of ours
            again.headers.update(headers_for(secret, again.method, again.url, "requests"))
            repeated = response.connection.send(again, **options)
            repeated.history.append(response)
            repeated.request = again
            return repeated

        def __repr__(self) -> str:
            return f"<requests auth of secret '{secret}'>"

    return RequestsAuth()
