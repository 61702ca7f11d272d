"""The authorization request, pushed to the provider first where it offers that (RFC 9126)."""

from __future__ import annotations

from flowlet_jupyter.errors import AuthorizationFailed, ProviderError
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.oauth.authorization_code import Flow, authorization_url, request_parameters
from flowlet_jupyter.oauth.endpoint import send_as_client
from flowlet_jupyter.oauth.token_response import error_from_response
from flowlet_jupyter.session.shielded import shielded


@shielded("authorization request")
def authorization_request(secret: OAuth2, flow: Flow) -> str:
    """The URL to send the browser to. Raises `AuthorizationFailed`."""
    endpoint = secret.pushed_authorization_request_endpoint
    parameters = request_parameters(secret, flow)
    if endpoint is None:
        return authorization_url(secret, parameters)
    failed = f"Secret '{secret.name}': the pushed authorization request endpoint {endpoint}"
    client_id = secret.compliance.client_id_parameter
    try:
        response = send_as_client(secret, endpoint, parameters, failed=failed)
    except ProviderError as error:
        raise AuthorizationFailed(str(error)) from None
    if refused := error_from_response(secret, response.members, failed):
        raise AuthorizationFailed(str(refused), error=refused.error)
    request_uri = response.members.get("request_uri")
    if response.status not in {200, 201} or not isinstance(request_uri, str):
        raise AuthorizationFailed(f"{failed} answered with HTTP {response.status}, not with a request_uri.")
    return authorization_url(secret, [(client_id, secret.client_id), ("request_uri", request_uri)])
