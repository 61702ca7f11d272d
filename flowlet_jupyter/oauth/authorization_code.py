"""The authorization code grant, from its request to its token set (RFC 6749, 4.1; PKCE, RFC 7636; PAR, RFC 9126; `iss`, RFC 9207)."""

from __future__ import annotations

import dataclasses
import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from flowlet_jupyter.errors import AuthorizationFailed, ProviderError
from flowlet_jupyter.model.hosts import is_loopback
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import Accepted, TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import dpop, token_endpoint
from flowlet_jupyter.oauth.endpoint import send_as_client
from flowlet_jupyter.oauth.id_token import asks_for_id_token
from flowlet_jupyter.oauth.token_response import error_from_response
from flowlet_jupyter.session.shielded import shielded
from flowlet_jupyter.vault import Vault

FLOW_LIFETIME_SECONDS = 600.0

# RFC 6749, 4.1.2.1: what usually causes the error
_HINTS = {
    "access_denied": "Access was not allowed. Press Request access token again to give it another try.",
    "invalid_scope": "The provider does not know one of the scopes; check their spelling in the secret.",
    "invalid_request": "Check that the redirect URI is registered at the provider exactly as the form shows it.",
    "unauthorized_client": "The app may not use this grant; allow the authorization code grant in its settings.",
    "unsupported_response_type": "The provider does not offer the authorization code grant at this address.",
    "invalid_target": "The provider does not know the resource (RFC 8707); check its URI in the secret.",
    "invalid_authorization_details": "The provider does not take the authorization_details of the secret (RFC 9396).",
    "unmet_authentication_requirements": "The provider cannot log in as the secret's acr_values or max_age ask for it.",
    "login_required": "The provider wants you to log in: take prompt=none out of the authorization parameters.",
    "consent_required": "The provider wants your consent: take prompt=none out of the authorization parameters.",
    "interaction_required": "The provider wants to ask you: take prompt=none out of the authorization parameters.",
    "invalid_client": "The provider does not know the client ID; check it in the secret.",
    "server_error": "The provider failed. Try again later.",
    "temporarily_unavailable": "The provider is overloaded. Try again later.",
}


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One authorization request that waits for its response.

    `state` and `browser` are random: the first travels through the provider, the second stays in a cookie of the
    browser that started. `user` is the Jupyter user who did, where the server tells users apart.
    """

    secret_name: str
    redirect_uri: str
    started_at: float
    state: SecretValue
    browser: SecretValue
    code_verifier: SecretValue
    nonce: SecretValue
    user: str | None = None
    dpop_key: SecretValue | None = None  # what the tokens will be bound to, for a secret that asks for that


def new_flow(
    secret_name: str, *, redirect_uri: str, now: float, user: str | None = None, is_bound: bool = False
) -> Flow:
    """A flow with fresh random values (RFC 7636, 4.1: a verifier of 43 characters from 32 random bytes).

    With a key of its own where the tokens are to be bound to one (`is_bound`, RFC 9449).
    """
    state, browser, verifier, nonce = (SecretValue(random.token_urlsafe(32)) for _ in range(4))
    return Flow(
        secret_name=secret_name,
        redirect_uri=redirect_uri,
        started_at=now,
        state=state,
        browser=browser,
        code_verifier=verifier,
        nonce=nonce,
        user=user,
        dpop_key=dpop.new_key() if is_bound else None,
    )


def request_parameters(secret: OAuth2, flow: Flow) -> list[tuple[str, str]]:
    """The parameters of the authorization request (RFC 6749, 4.1.1; RFC 7636, 4.3; RFC 8707, 2)."""
    compliance = secret.compliance
    parameters = [
        ("response_type", "code"),
        (compliance.client_id_parameter, secret.client_id),
        ("redirect_uri", flow.redirect_uri),
        ("state", flow.state.reveal()),
    ]
    if secret.scope:
        parameters.append((compliance.scope_parameter, secret.scope.replace(" ", compliance.scope_separator)))
    if compliance.pkce:
        challenge = create_s256_code_challenge(flow.code_verifier.reveal())
        parameters += [("code_challenge", challenge), ("code_challenge_method", "S256")]
    if asks_for_id_token(secret):
        parameters.append(("nonce", flow.nonce.reveal()))
    parameters += [("resource", resource) for resource in secret.resource]
    if secret.dpop and flow.dpop_key is not None:
        parameters.append(("dpop_jkt", dpop.thumbprint(flow.dpop_key)))
    return parameters + list(secret.authorization_parameters.items())


def authorization_url(secret: OAuth2, parameters: list[tuple[str, str]]) -> str:
    """The URL at the provider that the browser is sent to; a query of the endpoint's own is kept (RFC 6749, 3.1)."""
    endpoint = secret.authorization_endpoint or ""
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"


@shielded("authorization request")
def authorization_request(vault: Vault, flow: Flow) -> str:
    """The URL to send the browser to, the request pushed before where the provider offers that (RFC 9126).

    Raises `AuthorizationFailed`.
    """
    record = vault.get(flow.secret_name)
    secret = record.secret
    if not isinstance(secret, OAuth2):
        raise AuthorizationFailed(f"Secret '{flow.secret_name}' is no longer an OAuth2 secret.")
    endpoint = secret.pushed_authorization_request_endpoint
    parameters = request_parameters(secret, flow)
    if endpoint is None:
        return authorization_url(secret, parameters)
    failed = f"Secret '{secret.name}': the pushed authorization request endpoint {endpoint}"
    client_id = secret.compliance.client_id_parameter
    try:
        response = send_as_client(
            secret, endpoint, parameters, failed=failed, dpop_key=flow.dpop_key, accepted=record.accepted
        )
    except ProviderError as error:
        raise AuthorizationFailed(str(error)) from None
    if refused := error_from_response(secret, response.members, failed):
        raise AuthorizationFailed(str(refused), error=refused.error)
    request_uri = response.members.get("request_uri")
    if response.status not in {200, 201} or not isinstance(request_uri, str):
        raise AuthorizationFailed(f"{failed} answered with HTTP {response.status}, not with a request_uri.")
    remember_accepted(vault, secret, response.accepted)
    return authorization_url(secret, [(client_id, secret.client_id), ("request_uri", request_uri)])


def remember_accepted(vault: Vault, secret: OAuth2, accepted: Accepted) -> None:
    """Keep what the provider took, so that the token request begins with it."""
    if vault.get(secret.name).accepted == accepted:
        return
    with vault.lock(secret.name):
        record = vault.get(secret.name)
        if record.secret == secret and record.token_set is None:  # a token set remembers its own
            vault.put(dataclasses.replace(record, accepted=accepted))


def code_of_response(secret: OAuth2, parameters: Mapping[str, str]) -> SecretValue:
    """The authorization code of a response whose `state` was found valid. Raises `AuthorizationFailed`.

    Text of the provider stands in the message as it came: whoever shows it must escape it.
    """
    _check_issuer(secret, parameters.get("iss"))
    if error := parameters.get("error"):
        description = parameters.get("error_description")
        raise AuthorizationFailed(
            f"The provider answered {error[:100]}{f': {description[:300]}' if description else ''}. "
            f"{_HINTS.get(error, 'See the provider’s documentation.')}",
            error=error,
        )
    code = parameters.get("code")
    if not code:
        raise AuthorizationFailed(
            f"The response for secret '{secret.name}' holds no authorization code. Request the access token again."
        )
    return SecretValue(code)


def _check_issuer(secret: OAuth2, issuer: str | None) -> None:
    """RFC 9207, 2.4: against a response that another provider was made to give (mix-up)."""
    if issuer is None:
        if secret.authorization_response_iss_parameter_supported:
            raise AuthorizationFailed(
                f"The response for secret '{secret.name}' does not say which provider it comes from, though this "
                "provider always does. It was refused; nothing was stored."
            )
        return
    if secret.issuer is not None and not secret.compliance.issuer_template:
        same = issuer == secret.issuer  # compared as text (RFC 9207, 2.4)
    else:
        # without discovery the issuer is not known; it is expected on the authorization endpoint's origin
        same = _origin(issuer) == _origin(secret.authorization_endpoint or "")
    if not same:
        raise AuthorizationFailed(
            f"The response for secret '{secret.name}' comes from another provider than it was requested from. "
            "It was refused; nothing was stored."
        )


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None


@shielded("code exchange")
def complete_flow(vault: Vault, flow: Flow, parameters: Mapping[str, str]) -> Record:
    """Store what the authorization response `parameters` brings; its `state` was found to be the flow's.

    Raises `AuthorizationFailed`, `TokenEndpointError`, `VaultError`.
    """
    record = vault.get(flow.secret_name)
    secret = record.secret
    if not isinstance(secret, OAuth2):
        raise AuthorizationFailed(f"Secret '{flow.secret_name}' is no longer an OAuth2 secret.")
    code = code_of_response(secret, parameters)
    token_set = token_endpoint.exchange_code(
        secret,
        code=code,
        code_verifier=flow.code_verifier,
        redirect_uri=flow.redirect_uri,
        nonce=flow.nonce,
        dpop_key=flow.dpop_key,
        accepted=record.accepted,
    )
    redirect_parameters = {name: parameters[name] for name in secret.compliance.kept_parameters if name in parameters}
    with vault.lock(flow.secret_name):
        before = vault.get(flow.secret_name)
        if before.secret != secret:
            raise AuthorizationFailed(
                f"Secret '{flow.secret_name}' was changed meanwhile. Press Request access token again."
            )
        if flow.redirect_uri not in secret.redirect_uris:  # it works, so it is registered
            secret = dataclasses.replace(secret, redirect_uris=(*secret.redirect_uris, flow.redirect_uri))
        token_set = with_previous_refresh_token(
            dataclasses.replace(token_set, parameters=redirect_parameters), before.token_set
        )
        record = Record(secret=secret, token_set=token_set)
        vault.put(record)
    return record


def with_previous_refresh_token(token_set: TokenSet, before: TokenSet | None) -> TokenSet:
    """`token_set`, with the refresh token of `before` where it brings none: some providers give it once only.

    Never that of another user: a subject or name that differs rules it out, and one that is not known yet is
    compared when it is (see `http/identity.py`).
    """
    if token_set.refresh_token is not None or before is None or before.refresh_token is None:
        return token_set
    if token_set.dpop_key is not None or before.dpop_key is not None:
        return token_set  # the old one is bound to another key (RFC 9449, 5)
    for now, then in ((token_set.subject, before.subject), (token_set.identity, before.identity)):
        if now and then:
            if now != then:
                return token_set
            return dataclasses.replace(token_set, refresh_token=before.refresh_token)
    return dataclasses.replace(token_set, refresh_token=before.refresh_token, previous_identity=before.identity)


def pasted_response(flow: Flow, address: SecretValue) -> dict[str, str]:
    """The parameters of a redirected address that a user pasted, checked as the callback checks them.

    Raises `AuthorizationFailed` if it is not the redirect URI's, repeats a parameter, or has another `state`.
    """
    expected = urlsplit(flow.redirect_uri)
    try:
        text = address.reveal().strip().strip("'\"<>`").strip()
        if "://" not in text.partition("?")[0]:  # browsers hide the scheme
            text = f"{expected.scheme}://{text}"
        parts = urlsplit(text)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        _ = parts.port  # raises if it is no number
    except ValueError:
        parts, pairs = urlsplit(""), []
    if not _same_address(parts, expected):
        raise AuthorizationFailed(
            f"This is not the address that the provider redirected to: it must begin with {flow.redirect_uri}?"
        )
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise AuthorizationFailed("The address repeats a parameter. It was refused.")
    if SecretValue(parameters.get("state", "")) != flow.state:
        raise AuthorizationFailed("This address belongs to another request. Nothing was stored; start again.")
    return parameters


def _same_address(parts: SplitResult, expected: SplitResult) -> bool:
    """Whether the pasted address is the redirect URI's; this machine's names and addresses are one."""
    if (parts.scheme, parts.path or "/", parts.port) != (expected.scheme, expected.path or "/", expected.port):
        return False
    host, own = parts.hostname or "", expected.hostname or ""
    return "@" not in parts.netloc and (host == own or (is_loopback(host) and is_loopback(own)))
