"""A client registered at an OAuth2 provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.client_id import is_localhost_client, with_scope
from flowlet_jupyter.model.compliance import Compliance, compliance_from
from flowlet_jupyter.model.fields import (
    FieldErrors,
    as_value,
    check_shared_fields,
    checked_endpoint,
    checked_value,
    curl_header,
    curl_query,
    set_field,
)
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import Credentials, SecretValue

AUTHORIZATION_CODE = "authorization_code"
CLIENT_CREDENTIALS = "client_credentials"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"  # RFC 8628
REFRESH_TOKEN = "refresh_token"
PASSWORD = "password"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # RFC 8693
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523
GRANT_TYPES = (
    AUTHORIZATION_CODE, CLIENT_CREDENTIALS, DEVICE_CODE, REFRESH_TOKEN, PASSWORD, TOKEN_EXCHANGE, JWT_BEARER,
)  # fmt: skip
# Grants that need nobody: a new access token is obtained in the same way as the first.
UNATTENDED_GRANT_TYPES = frozenset({CLIENT_CREDENTIALS, PASSWORD, TOKEN_EXCHANGE, JWT_BEARER})

AUTH_METHODS = (
    "client_secret_basic", "client_secret_post", "none", "client_secret_jwt", "private_key_jwt", "tls_client_auth",
)  # fmt: skip
_NEEDS_CLIENT_SECRET = frozenset({"client_secret_basic", "client_secret_post", "client_secret_jwt"})

_NAME_IN_BRACES = re.compile(r"\{([A-Za-z0-9_]+)\}")
_OPTIONAL_ENDPOINTS = (
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "issuer",
    "identity_url",
)

# Where the client authenticates itself, with whatever value it has.
CREDENTIALED_ENDPOINTS = (
    "token_endpoint", "device_authorization_endpoint", "pushed_authorization_request_endpoint",
    "revocation_endpoint", "introspection_endpoint",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OAuth2:
    """A registered client and the grant that it uses; field names are those of RFC 7591 and RFC 8414.

    Raises `InvalidSecret`, naming the field, when a part is missing that the grant or the client authentication needs.
    """

    type: ClassVar[str] = "oauth2"
    value_fields: ClassVar[tuple[str, ...]] = ("client_secret", "private_key", "password", "refresh_token")

    name: str
    authorization_endpoint: str | None = None
    token_endpoint: str
    client_id: str = ""
    client_secret: SecretValue | None = None
    scope: str = ""
    token_endpoint_auth_method: str | None = None
    # nobody chose the method, so another one may be tried where the provider does not take this one
    token_endpoint_auth_method_is_default: bool = field(default=False, compare=False)
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = None
    openapi: str | None = None  # a file or URL that describes the API, for completion

    client_of: str | None = None  # the secret whose client registration this account shares
    provider: str | None = None  # the catalogue entry that it was made from
    grant_type: str = AUTHORIZATION_CODE
    issuer: str | None = None
    device_authorization_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    revocation_endpoint: str | None = None
    introspection_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    jwks_uri: str | None = None
    # OpenID Connect Discovery, 3; HS256 is taken only where it stands here
    id_token_signing_alg_values_supported: tuple[str, ...] = ()
    # RFC 9207, 3: the provider announces that its authorization responses carry `iss`
    authorization_response_iss_parameter_supported: bool = False
    resource: tuple[str, ...] = ()  # RFC 8707
    dpop: bool = False  # RFC 9449
    authorization_parameters: Mapping[str, str] = field(default_factory=dict)
    token_parameters: Mapping[str, str] = field(default_factory=dict)

    private_key: SecretValue | None = None  # PEM or JWK, for private_key_jwt and the JWT bearer grant
    private_key_id: str | None = None
    client_certificate_file: str | None = None  # for tls_client_auth (RFC 8705)
    client_key_file: str | None = None
    username: str | None = None  # for the password grant
    password: SecretValue | None = None
    refresh_token: SecretValue | None = None  # for the refresh token grant: one that somebody had already
    # for the JWT bearer grant, where it is not the client itself; in atproto, the account (DID) that must have allowed it
    subject: str | None = None
    subject_token_file: str | None = None  # for token exchange: the file or the secret that the subject token is in
    subject_secret: str | None = None
    subject_token_type: str = "urn:ietf:params:oauth:token-type:access_token"

    redirect_uris: tuple[str, ...] = ()  # those that are known to be registered (RFC 7591, 2)
    identity_url: str | None = None  # the API's request that says whose token it is
    identity_name: str = ""  # where in its response, as a JMESPath; empty for userinfo's usual claims
    identity_method: str = "GET"
    compliance: Compliance = field(default_factory=Compliance)

    def __post_init__(self) -> None:
        errors = FieldErrors()
        with errors:
            if isinstance(self.compliance, Mapping):
                set_field(self, "compliance", compliance_from(self.compliance))
            elif not isinstance(self.compliance, Compliance):
                raise InvalidSecret("The compliance is a table of compliance.", field="compliance")
        with errors:
            set_field(self, "token_endpoint", checked_endpoint(self.token_endpoint, "token_endpoint"))
        for name in ("authorization_endpoint", *_OPTIONAL_ENDPOINTS):
            endpoint = getattr(self, name)
            with errors:
                set_field(self, name, checked_endpoint(endpoint, name) if endpoint and endpoint.strip() else None)
        set_field(self, "client_id", (self.client_id or "").strip())
        for name in self.value_fields:
            value = as_value(getattr(self, name)) or None
            set_field(self, name, checked_value(value, name.replace("_", " "), name, lines=name == "private_key"))
        set_field(self, "scope", " ".join(self.scope.split()))
        if is_localhost_client(self.client_id):
            set_field(self, "client_id", with_scope(self.client_id, self.scope))
        with errors:
            set_field(self, "resource", tuple(_checked_resource(entry) for entry in self.resource))
        for name in ("authorization_parameters", "token_parameters"):
            set_field(self, name, {str(key): str(value) for key, value in dict(getattr(self, name)).items()})
        if self.client_of == self.name and self.client_of:
            errors.add("client_of", f"Secret '{self.name}' cannot share its own client.")
        self._check_grant(errors)
        self._check_client_authentication(errors)
        check_shared_fields(self, errors, self.token_endpoint)
        errors.raise_any()

    def _check_grant(self, errors: FieldErrors) -> None:
        if self.grant_type not in GRANT_TYPES:
            errors.add("grant_type", f"The grant type is one of {', '.join(GRANT_TYPES)}.")
        for grant_type, label, name in _NEEDED_BY_GRANT:
            if self.grant_type == grant_type and not getattr(self, name):
                errors.add(name, f"The {label} is missing.")
        if self.grant_type == TOKEN_EXCHANGE and not (self.subject_token_file or self.subject_secret):
            errors.add(
                "subject_token_file",
                "Token exchange needs the subject token: name a file that it is in, or another secret.",
            )
        if self.subject_secret and self.subject_secret == self.name:
            errors.add("subject_secret", "The subject token is that of another secret.")
        if not self.client_id and self.grant_type != TOKEN_EXCHANGE:
            errors.add("client_id", "The client ID is missing.")

    def _check_client_authentication(self, errors: FieldErrors) -> None:
        method = self.token_endpoint_auth_method
        if not method:
            set_field(self, "token_endpoint_auth_method_is_default", value=True)
            method = "none"
            if self.client_secret:
                method = "client_secret_basic"
            elif self.private_key and self.grant_type != JWT_BEARER:
                method = "private_key_jwt"
        if method not in AUTH_METHODS:
            errors.add("token_endpoint_auth_method", f"The client authentication is one of {', '.join(AUTH_METHODS)}.")
        if method in _NEEDS_CLIENT_SECRET and not self.client_secret:
            errors.add(
                "client_secret",
                f"Client authentication {method} needs the client secret (for a public client choose 'none').",
            )
        compliance = self.compliance  # still what was given, if it was wrong
        if isinstance(compliance, Compliance) and compliance.needs_client_secret and not self.client_secret:
            errors.add("client_secret", "The client secret is missing: the API wants it on each request.")
        if method == "private_key_jwt" and not self.private_key:
            errors.add("private_key", "Client authentication private_key_jwt needs the private key.")
        if method == "tls_client_auth" and not self.client_certificate_file:
            errors.add(
                "client_certificate_file",
                "Client authentication tls_client_auth needs the file of the client's certificate.",
            )
        set_field(self, "token_endpoint_auth_method", method)

    def credentials(self, token: TokenSet, *, scheme: str | None = None) -> Credentials:
        """The access token where the provider takes it, and the fixed headers that its API needs.

        `scheme` is that of the Authorization header where the token set asks for another one (DPoP).
        """
        secret = self.client_secret.reveal() if self.client_secret else ""
        known = {**token.parameters, "client_id": self.client_id, "client_secret": secret}
        headers = {name: SecretValue(_filled(text, known)) for name, text in self.compliance.api_headers.items()}
        if self.compliance.token_parameter:
            return Credentials(headers, {self.compliance.token_parameter: token.access_token})
        scheme = self.compliance.authorization_scheme if scheme is None else scheme
        headers[self.compliance.token_header] = SecretValue(f"{scheme} {token.access_token.reveal()}".strip())
        return Credentials(headers)

    def curl_arguments(self, token: str) -> list[str]:
        """The words of a curl command that add the access token; `token` is what stands for it in double quotes."""
        if self.compliance.token_parameter:
            return curl_query(self.compliance.token_parameter, token)
        return curl_header(self.compliance.token_header, self.compliance.authorization_scheme, token)

    @property
    def authorization_scheme(self) -> str:
        """What stands before the access token in `Authorization`, unless the token is bound to a key (DPoP)."""
        return self.compliance.authorization_scheme

    @property
    def is_renewable(self) -> bool:
        """Whether flowlet obtains and renews the value itself: tokens end, and are asked for again."""
        return True

    @property
    def beyond_authorization(self) -> list[str]:
        """What is set besides `Authorization`: other HTTP clients carry it along on a redirect to another host."""
        compliance = self.compliance
        headers = [*compliance.api_headers, *([] if compliance.token_parameter else [compliance.token_header])]
        parameter = [f"the URL parameter {compliance.token_parameter}"] if compliance.token_parameter else []
        return [name for name in headers if name.lower() != "authorization"] + parameter

    @property
    def is_unattended(self) -> bool:
        """Whether the grant needs nobody to obtain a token."""
        return self.grant_type in UNATTENDED_GRANT_TYPES


_NEEDED_BY_GRANT = (
    (AUTHORIZATION_CODE, "authorization endpoint", "authorization_endpoint"),
    (DEVICE_CODE, "device authorization endpoint", "device_authorization_endpoint"),
    (REFRESH_TOKEN, "refresh token", "refresh_token"),
    (PASSWORD, "user name", "username"),
    (PASSWORD, "password", "password"),
    (JWT_BEARER, "private key", "private_key"),
)


def _filled(template: str, known: Mapping[str, str]) -> str:
    # in one pass: a value that looks like a name in braces is not filled in again
    return _NAME_IN_BRACES.sub(lambda match: known.get(match[1], match[0]), template)


def _checked_resource(resource: str) -> str:
    parts = urlsplit(resource.strip())
    if not parts.scheme or "#" in resource:
        raise InvalidSecret("A resource is an absolute URI without a fragment (RFC 8707, 2).", field="resource")
    return resource.strip()
