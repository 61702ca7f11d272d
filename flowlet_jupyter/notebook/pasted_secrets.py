"""`%flowlet_secret --from-paste NAME`: what was left out of the last pasted request becomes a secret of its host.

Until then its values are only in this process, in an object of the session: in no output, no file and no variable.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from flowlet_jupyter.credentials.handles import SecretHandle, Secrets
from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.hosts import default_rule
from flowlet_jupyter.model.secret import Secret
from flowlet_jupyter.model.static import ApiKey, Basic, Headers, Password
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.notebook.request_line.pasted_credentials import PastedCredential
from flowlet_jupyter.session import Session

_COMPUTED_SCHEMES = frozenset({"digest", "aws", "aws4-hmac-sha256", "ntlm", "negotiate", "oauth", "hawk", "dpop"})


class PastedCredentials:
    """The credentials of the requests that were pasted last, by host."""

    def __init__(self, _session: Session) -> None:
        self._by_host: dict[str, list[PastedCredential]] = {}

    def hold(self, found: Sequence[tuple[str, PastedCredential]]) -> None:
        """Keep the credentials, each with its host, in place of those of an earlier cell."""
        self._by_host = {}
        for host, credential in found:
            if host and credential.is_storable and credential not in self._by_host.setdefault(host, []):
                self._by_host[host].append(credential)

    def store(self, name: str, secrets: Secrets) -> tuple[SecretHandle, str]:
        """Store those of one host as the secret `name`; returns it and what is still held, in words.

        Raises `InvalidSecret`; nothing is forgotten then.
        """
        host = next((host for host, credentials in self._by_host.items() if credentials), None)
        if host is None:
            raise InvalidSecret(
                "Nothing was pasted that could be stored: run the cell with the pasted request first. To type the value "
                f"in a form: %flowlet_secret --new {name}"
            )
        secret, taken = secret_of(name, host, self._by_host[host])
        handle = secrets.add(secret)
        self._by_host[host] = [credential for credential in self._by_host[host] if credential not in taken]
        return handle, self._left()

    def _left(self) -> str:
        left = [
            f"{', '.join(credential.description for credential in credentials)} (for {host})"
            for host, credentials in self._by_host.items()
            if credentials
        ]
        if not left:
            return ""
        return (
            f"Not stored yet, since a secret holds one parameter of a URL or the headers of one host: {'; '.join(left)}. "
            "Store that by the same line with another name; a request names one secret."
        )

    def close(self) -> None:
        """Forget the values."""
        self._by_host = {}


def host_of(url: str) -> str:
    """The allowed host that stands for the URL of a request; empty where it has none."""
    try:
        return default_rule(url) if urlsplit(url).hostname else ""
    except ValueError:  # a port that is no number
        return ""


def secret_of(
    name: str, host: str, credentials: Sequence[PastedCredential]
) -> tuple[Secret, Sequence[PastedCredential]]:
    """A secret of the kind that sends `credentials` as they were pasted, and those that it holds.

    A secret sends headers or one parameter of the URL: the headers come first. Raises `InvalidSecret`.
    """
    in_headers = [credential for credential in credentials if credential.location != "query"]
    if not in_headers:
        key = credentials[0]
        assert key.value is not None  # noqa: S101 - only those with a value are held
        return ApiKey(
            name=name, key=key.value, parameter=key.name, location="query", allowed_hosts=(host,)
        ), [key]  # fmt: skip
    if len(in_headers) == 1:
        return _of_one(name, host, in_headers[0]), in_headers
    return Headers(name=name, headers=dict(map(_as_header, in_headers)), allowed_hosts=(host,)), in_headers


def _of_one(name: str, host: str, credential: PastedCredential) -> Secret:
    header, value = _as_header(credential)
    scheme, _, rest = value.reveal().partition(" ")
    if header.lower() == "cookie":
        return Headers(name=name, headers={header: value}, allowed_hosts=(host,))
    if header.lower() != "authorization":
        return ApiKey(name=name, key=value, parameter=header, allowed_hosts=(host,))
    if scheme.lower() == "basic" and (pair := _pair(rest)):
        return Basic(name=name, username=pair[0], password=pair[1], allowed_hosts=(host,))
    if scheme.lower() == "bearer" and rest:
        return Password(name=name, password=SecretValue(rest.strip()), allowed_hosts=(host,))
    if scheme.lower() in _COMPUTED_SCHEMES:
        raise InvalidSecret(
            f"{scheme} is computed anew for each request: what was pasted cannot be sent again, and no kind of secret makes it."
        )
    prefix = f"{scheme} " if rest and re.fullmatch(r"[A-Za-z-]+", scheme) else ""
    key = SecretValue(value.reveal()[len(prefix) :])
    return ApiKey(name=name, key=key, parameter=header, prefix=prefix, allowed_hosts=(host,))


def _as_header(credential: PastedCredential) -> tuple[str, SecretValue]:
    assert credential.value is not None  # noqa: S101 - only those with a value are held
    if credential.location == "header":
        return credential.name, credential.value
    encoded = base64.b64encode(credential.value.reveal().encode()).decode()
    return "Authorization", SecretValue(f"Basic {encoded}")


def _pair(encoded: str) -> tuple[str, SecretValue] | None:
    """The user name and password, also of a .http file, where they stand as they are."""
    plain = re.fullmatch(r"([^\s:]*)[\s:]+(\S*)", encoded.strip())
    if plain:
        return plain[1], SecretValue(plain[2])
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (user, SecretValue(password)) if colon else None
