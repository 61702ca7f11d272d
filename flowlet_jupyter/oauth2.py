"""A client registered at an OAuth2 provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from flowlet_jupyter.compliance import Compliance, compliance_from
from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.fields import as_value, check_shared_fields, checked_endpoint, checked_value, set_field
from flowlet_jupyter.secret_value import SecretValue

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
    token_endpoint_auth_method_is_default: bool = False
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
    subject: str | None = None  # for the JWT bearer grant, where it is not the client itself
    subject_token_file: str | None = None  # for token exchange: the file or the secret that the subject token is in
    subject_secret: str | None = None
    subject_token_type: str = "urn:ietf:params:oauth:token-type:access_token"

    redirect_uris: tuple[str, ...] = ()  # those that are known to be registered (RFC 7591, 2)
    identity_url: str | None = None  # the API's request that says whose token it is
    identity_name: str = ""  # where in its answer, as a JMESPath; empty for userinfo's usual claims
    identity_method: str = "GET"
    compliance: Compliance = field(default_factory=Compliance)

    def __post_init__(self) -> None:
        if isinstance(self.compliance, Mapping):
            set_field(self, "compliance", compliance_from(self.compliance))
        set_field(self, "token_endpoint", checked_endpoint(self.token_endpoint, "token_endpoint"))
        for name in ("authorization_endpoint", *_OPTIONAL_ENDPOINTS):
            given = getattr(self, name)
            set_field(self, name, checked_endpoint(given, name) if given and given.strip() else None)
        set_field(self, "client_id", (self.client_id or "").strip())
        for name in self.value_fields:
            value = as_value(getattr(self, name)) or None
            set_field(self, name, checked_value(value, name.replace("_", " "), name, lines=name == "private_key"))
        set_field(self, "scope", " ".join(self.scope.split()))
        set_field(self, "resource", tuple(_checked_resource(entry) for entry in self.resource))
        for name in ("authorization_parameters", "token_parameters"):
            set_field(self, name, {str(key): str(value) for key, value in dict(getattr(self, name)).items()})
        self._check_grant()
        self._check_client_authentication()
        check_shared_fields(self, self.token_endpoint)

    def _check_grant(self) -> None:
        if self.grant_type not in GRANT_TYPES:
            raise InvalidSecret(f"The grant type is one of {', '.join(GRANT_TYPES)}.", field="grant_type")
        for grant_type, label, name in _NEEDED_BY_GRANT:
            if self.grant_type == grant_type and not getattr(self, name):
                raise InvalidSecret(f"The {label} is missing.", field=name)
        if self.grant_type == TOKEN_EXCHANGE and not (self.subject_token_file or self.subject_secret):
            raise InvalidSecret(
                "Token exchange needs the subject token: name a file that it is in, or another secret.",
                field="subject_token_file",
            )
        if not self.client_id and self.grant_type != TOKEN_EXCHANGE:
            raise InvalidSecret("The client ID is missing.", field="client_id")

    def _check_client_authentication(self) -> None:
        method = self.token_endpoint_auth_method
        if not method:
            set_field(self, "token_endpoint_auth_method_is_default", value=True)
            method = "none"
            if self.client_secret:
                method = "client_secret_basic"
            elif self.private_key and self.grant_type != JWT_BEARER:
                method = "private_key_jwt"
        if method not in AUTH_METHODS:
            raise InvalidSecret(
                f"The client authentication is one of {', '.join(AUTH_METHODS)}.", field="token_endpoint_auth_method"
            )
        if method in _NEEDS_CLIENT_SECRET and not self.client_secret:
            raise InvalidSecret(
                f"Client authentication {method} needs the client secret (for a public client choose 'none').",
                field="client_secret",
            )
        if method == "private_key_jwt" and not self.private_key:
            raise InvalidSecret("Client authentication private_key_jwt needs the private key.", field="private_key")
        if method == "tls_client_auth" and not self.client_certificate_file:
            raise InvalidSecret(
                "Client authentication tls_client_auth needs the file of the client's certificate.",
                field="client_certificate_file",
            )
        set_field(self, "token_endpoint_auth_method", method)

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


def _checked_resource(resource: str) -> str:
    parts = urlsplit(resource.strip())
    if not parts.scheme or "#" in resource:
        raise InvalidSecret("A resource is an absolute URI without a fragment (RFC 8707, 2).", field="resource")
    return resource.strip()
