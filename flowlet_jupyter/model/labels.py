"""What a user reads about each kind of secret and each of its fields: a label, and help where that is not enough."""

from __future__ import annotations

from flowlet_jupyter.model.oauth2 import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    JWT_BEARER,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)

KIND_LABELS = {
    "oauth2": "OAuth2",
    "password": "Password or API key (Bearer)",
    "basic": "User name and password (Basic)",
    "headers": "HTTP headers",
    "api_key": "API key (header or query parameter)",
    "external": "Kept elsewhere, read only (environment, file, keyring, hub)",
}

GRANT_LABELS = {
    AUTHORIZATION_CODE: "Authorization code: you allow it in the browser",
    DEVICE_CODE: "Device code: you enter a code on any device",
    CLIENT_CREDENTIALS: "Client credentials: the client itself, nobody is asked",
    REFRESH_TOKEN: "Refresh token: one that I have already",
    JWT_BEARER: "Service account: an assertion signed with a private key",
    TOKEN_EXCHANGE: "Token exchange: another token is traded in",
    PASSWORD: "User name and password (for old services)",
}

METHOD_LABELS = {
    "client_secret_basic": "Basic header",
    "client_secret_post": "in the body",
    "none": "none (public client)",
    "client_secret_jwt": "JWT signed with the client secret",
    "private_key_jwt": "JWT signed with a private key",
    "tls_client_auth": "TLS certificate of the client",
}

_Labels = dict[str, tuple[str, str]]

_API_HEADERS: _Labels = {
    "api_headers": ("Fixed headers", "What the API needs on each request beside the credential, such as a version"),
}

_SHARED: _Labels = {
    "name": ("Name", "How requests will name it, such as twitter"),
    "allowed_hosts": (
        "Allowed hosts",
        "Where this secret may be sent, such as api.twitter.com, *.example.org or 127.0.0.1:8754",
    ),
    "base_url": ("Base URL", "Optional: requests may then name only a path"),
    "openapi": ("OpenAPI", "A file or URL that describes the API: completion then knows its paths and parameters"),
}

LABELS: dict[str, _Labels] = {
    "password": {**_SHARED, **_API_HEADERS, "password": ("Password or API key", "")},
    "basic": {
        **_SHARED,
        **_API_HEADERS,
        "username": ("User name", "May be empty if there is a password"),
        "password": ("Password", "May be empty if there is a user name"),
    },
    "headers": {**_SHARED, "headers": ("Headers", "One a line, such as X-Api-Key: value")},
    "api_key": {
        **_SHARED,
        **_API_HEADERS,
        "key": ("API key", ""),
        "parameter": (
            "Parameter",
            "The header or the query parameter, such as X-API-Key or api_key; for Basic the pair, such as {key}:",
        ),
        "location": ("Location", "Where the API looks for the key"),
        "prefix": ("Prefix", "What stands before the key, such as Token and a space; usually nothing"),
    },
    "external": {
        **_SHARED,
        "source": (
            "Source",
            "env:NAME, file:/run/secrets/name, keyring:service/user, hub:token or hub:auth_state.access_token",
        ),
        "header": ("Header", ""),
        "scheme": ("Scheme", "What stands before the value in the header"),
    },
    "oauth2": {
        **_SHARED,
        "authorization_endpoint": ("Authorization URI", ""),
        "token_endpoint": ("Token endpoint", ""),
        "client_id": ("Client ID", ""),
        "client_secret": ("Client secret", "A public client has none; PKCE is always used"),
        "client_secret_expires_on": ("Client secret ends on", "A day such as 2027-02-16, to be reminded of it"),
        "scope": (
            "Scope",
            "Separated by spaces. Twitter: tweet.read users.read offline.access (the last brings a refresh token)",
        ),
        "token_endpoint_auth_method": ("Client authentication", ""),
        "token_endpoint_auth_method_is_default": ("Client authentication was not chosen", ""),
        "id_token_signing_alg_values_supported": ("Symmetric ID token algorithms", ""),
        "client_of": ("Account of", "The secret whose client this account shares"),
        "provider": ("Provider", "Fills in the endpoints; only client ID and client secret are left"),
        "grant_type": ("Grant", ""),
        "issuer": ("Issuer", "Optional: an issuer or API address; Discover fills in the endpoints"),
        "device_authorization_endpoint": ("Device authorization endpoint", ""),
        "pushed_authorization_request_endpoint": ("Pushed authorization request endpoint", "RFC 9126"),
        "revocation_endpoint": ("Revocation endpoint", "Ends the tokens at the provider (RFC 7009)"),
        "introspection_endpoint": ("Introspection endpoint", "Says whether a token is still good (RFC 7662)"),
        "userinfo_endpoint": ("Userinfo endpoint", "Says whose token it is (OpenID Connect)"),
        "jwks_uri": ("JWKS URI", "Where the provider's public keys are"),
        "authorization_response_iss_parameter_supported": ("Responses carry iss", "RFC 9207"),
        "resource": ("Resource", "URIs of the APIs that the token is for (RFC 8707), separated by spaces"),
        "dpop": (
            "Bind tokens to a key",
            "DPoP (RFC 9449): a stolen token is of no use. Only where the provider offers it",
        ),
        "authorization_parameters": ("Authorization parameters", "More parameters of the authorization request"),
        "token_parameters": ("Token parameters", "More parameters of the token request"),
        "private_key": ("Private key", "PEM or JWK"),
        "private_key_id": ("Key ID", ""),
        "client_certificate_file": ("Certificate file", "PEM, on the machine of the Jupyter server"),
        "client_key_file": ("Key file", "Unless the certificate's file holds the key too"),
        "username": ("User name", ""),
        "password": ("Password", ""),
        "refresh_token": ("Refresh token", "One that you have already"),
        "subject": ("Subject", "Optional: the user to act for"),
        "subject_token_file": ("File of the subject token", ""),
        "subject_secret": ("Or the secret whose token is exchanged", ""),
        "subject_token_type": ("Type of the subject token", "RFC 8693, 3"),
        "redirect_uris": ("Registered redirect URIs", ""),
        "identity_url": ("Identity URL", "The API's request that says whose token it is"),
        "identity_name": ("Identity name", "Where in the response the name is, as a JMESPath"),
        "identity_method": ("Identity method", ""),
        "compliance": ("Compliance", "Where the provider differs from the RFCs"),
    },
}
