"""The device authorization grant (RFC 8628): a code that a user enters on any device, while a thread asks whether it was."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass

from flowlet_jupyter.errors import AuthorizationFailed, ProviderError, TokenEndpointError
from flowlet_jupyter.model.fields import checked_endpoint
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, DEVICE_CODE, OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import NOTHING_ACCEPTED, Accepted, TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import dpop, token_endpoint
from flowlet_jupyter.oauth.client_auth import Parameters
from flowlet_jupyter.oauth.endpoint import send_as_client
from flowlet_jupyter.oauth.token_response import error_from_response
from flowlet_jupyter.session.shielded import shielded, start_shielded
from flowlet_jupyter.vault import Vault
from flowlet_jupyter.vault.ending import set_when_ending

DEFAULT_INTERVAL_SECONDS = 5.0  # RFC 8628, 3.2
SLOW_DOWN_SECONDS = 5.0  # RFC 8628, 3.5
MAX_INTERVAL_SECONDS = 60.0
MAX_LIFETIME_SECONDS = 1800.0
_MAX_URI_CHARACTERS = 2000  # which somebody types, or a QR code holds
MAX_FAILURES = 3  # one after the other, before the user is told that the token endpoint fails


@dataclass(frozen=True, kw_only=True)
class DeviceAuthorization:
    """The device authorization response (RFC 8628, 3.2): the code to show, where to enter it, and until when (Unix time)."""

    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_at: float
    interval: float
    device_code: SecretValue
    accepted: Accepted = NOTHING_ACCEPTED  # what the token request begins with


@dataclass(frozen=True)
class DeviceFlow:
    """A flow under way. `finished` brings the token set, stored already; `cancel()` ends the asking."""

    authorization: DeviceAuthorization
    finished: Future[TokenSet]
    cancelled: threading.Event

    def cancel(self) -> None:
        """Ask no more; `finished` then raises `AuthorizationFailed`."""
        self.cancelled.set()


@shielded("device flow")
def start_device_flow(vault: Vault, name: str) -> DeviceFlow:
    """Ask for a code, and start a thread that waits for the user.

    Raises `ProviderError`, `AuthorizationFailed` if the secret has another grant. One for the browser's redirect takes
    a code too where its provider gives them: on a machine that no browser reaches.
    """
    record = vault.get(name)
    secret = record.secret
    has_codes = isinstance(secret, OAuth2) and (
        secret.grant_type == DEVICE_CODE
        or (secret.grant_type == AUTHORIZATION_CODE and bool(secret.device_authorization_endpoint))
    )
    if not isinstance(secret, OAuth2) or not has_codes:
        raise AuthorizationFailed(f"Secret '{name}' does not use the device grant.")
    dpop_key = dpop.new_key() if secret.dpop else None
    authorization = request_code(secret, accepted=record.accepted)
    cancelled = set_when_ending(threading.Event())

    def wait_and_store() -> TokenSet:
        token_set = _wait(secret, authorization, cancelled, dpop_key)
        with vault.lock(name):
            if vault.get(name).secret != secret:
                raise AuthorizationFailed(f"Secret '{name}' was changed meanwhile. Request the access token again.")
            vault.put(Record(secret=secret, token_set=token_set))
        return token_set

    return DeviceFlow(authorization, start_shielded(wait_and_store, name=f"device flow of secret '{name}'"), cancelled)


def request_code(secret: OAuth2, *, accepted: Accepted = NOTHING_ACCEPTED) -> DeviceAuthorization:
    """A device code and its user code; `accepted` is what worked before. Raises `ProviderError`."""
    url = secret.device_authorization_endpoint or ""
    failed = f"Secret '{secret.name}': the device authorization endpoint {url}"
    parameters: Parameters = [("resource", resource) for resource in secret.resource]
    if secret.scope:
        separated = secret.scope.replace(" ", secret.compliance.scope_separator)
        parameters.append((secret.compliance.scope_parameter, separated))
    asked_at = time.time()
    response = send_as_client(secret, url, parameters, failed=failed, accepted=accepted)
    if error := error_from_response(secret, response.members, failed, status=response.status):
        raise ProviderError(str(error), error=error.error)
    members = response.members
    # Google still answers with the name of the draft
    uri = members.get("verification_uri", members.get("verification_url"))
    user_code, device_code = members.get("user_code"), members.get("device_code")
    are_texts = all(isinstance(text, str) and text for text in (uri, user_code, device_code))
    if response.status != 200 or not are_texts or len(str(uri)) > _MAX_URI_CHARACTERS:
        raise ProviderError(f"{failed} answered with HTTP {response.status}, not with a code to enter.")
    complete = members.get("verification_uri_complete")
    return DeviceAuthorization(
        user_code=str(user_code)[:100],
        # these become links: never javascript: or another program's scheme
        verification_uri=checked_endpoint(str(uri), "verification_uri"),
        verification_uri_complete=(
            checked_endpoint(complete, "verification_uri_complete")
            if isinstance(complete, str) and 0 < len(complete) <= _MAX_URI_CHARACTERS
            else None
        ),
        expires_at=asked_at + min(_seconds(members.get("expires_in"), 600.0), MAX_LIFETIME_SECONDS),
        interval=min(_seconds(members.get("interval"), DEFAULT_INTERVAL_SECONDS), MAX_INTERVAL_SECONDS),
        device_code=SecretValue(str(device_code)),
        accepted=response.accepted,
    )


def _seconds(value: object, default: float) -> float:
    try:
        seconds = float(value)  # type: ignore[arg-type]  # whatever it is, it is a number or it is not
    except (TypeError, ValueError):
        return default
    return seconds if seconds > 0 else default


def _wait(
    secret: OAuth2,
    authorization: DeviceAuthorization,
    cancelled: threading.Event,
    dpop_key: SecretValue | None,
) -> TokenSet:
    interval = authorization.interval
    failures = 0
    while True:
        if cancelled.wait(interval):
            raise AuthorizationFailed(f"The request for an access token for secret '{secret.name}' was cancelled.")
        if time.time() >= authorization.expires_at:
            raise AuthorizationFailed(
                f"Nobody entered the code for secret '{secret.name}' in time. Request the access token again."
            )
        try:
            return token_endpoint.exchange_device_code(
                secret, authorization.device_code, dpop_key=dpop_key, accepted=authorization.accepted
            )
        except TokenEndpointError as error:
            if error.error == "slow_down":
                failures, interval = 0, min(interval + SLOW_DOWN_SECONDS, MAX_INTERVAL_SECONDS)
            elif error.error == "authorization_pending":
                failures = 0
            elif error.is_temporary and failures + 1 < MAX_FAILURES:
                failures += 1
                if error.error is None:  # RFC 8628, 3.5: where there is no response in time, ask less often
                    interval = min(interval * 2, MAX_INTERVAL_SECONDS)
            else:
                raise AuthorizationFailed(str(error), error=error.error) from None
