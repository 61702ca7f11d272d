"""A secret for `requests`, and for what is built on it (dlt, tweepy, ...)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowlet_jupyter.bridges.credentials import headers_for, needs
from flowlet_jupyter.errors import InvalidOption
from flowlet_jupyter.oauth.collection import SecretHandle
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.vault import default_vault

if TYPE_CHECKING:
    from requests.auth import AuthBase


def requests_auth(secret: str) -> AuthBase:
    """An auth for `requests`, and for what is built on it: `requests.get(url, auth=requests_auth("twitter"))`.

    On a redirect to another host requests drops `Authorization`; a secret of custom headers, which it would carry along,
    is refused. A 401 refreshes the access token and tries once more.
    """
    try:
        from requests.auth import AuthBase
    except ImportError:
        raise needs("requests") from None
    if default_vault().get(secret).secret.is_kept_on_redirect:
        raise InvalidOption(
            f"Secret '{secret}' is sent in a header of its own, which requests would carry along on a redirect to another host. "
            f"Use flowlet.client('{secret}'), which checks every hop."
        )

    class RequestsAuth(AuthBase):
        def __call__(self, request: Any) -> Any:
            request.headers.update(headers_for(secret, request.method, request.url))
            request.register_hook("response", self._again)
            return request

        def _again(self, response: Any, **options: Any) -> Any:
            if response.status_code != 401 or not isinstance(default_vault().get(secret).secret, OAuth2):
                return response
            if getattr(response.request, "_flowlet_tried", False):
                return response
            response.content  # noqa: B018 - reads the body, so that the connection can be used again
            response.close()
            SecretHandle(secret, default_vault()).refresh()
            again = response.request.copy()
            again._flowlet_tried = True  # noqa: SLF001 - the mark of ours
            again.headers.update(headers_for(secret, again.method, again.url))
            answer = response.connection.send(again, **options)
            answer.history.append(response)
            answer.request = again
            return answer

        def __repr__(self) -> str:
            return f"<requests auth of secret '{secret}'>"

    return RequestsAuth()
