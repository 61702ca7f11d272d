"""Where a provider differs from the RFCs: switches that its catalogue entry declares. Pure.

A secret keeps its own copy, so that the server and a kernel of another environment read the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.fields import check_header_name, checked_endpoint


@dataclass(frozen=True, kw_only=True)
class Compliance:
    """The switches; every default is what the RFCs say."""

    # the authorization request (RFC 6749, 4.1.1)
    pkce: bool = True
    scope_separator: str = " "
    scope_parameter: str = "scope"
    client_id_parameter: str = "client_id"
    client_secret_parameter: str = "client_secret"
    # the end of a code that the provider appends and does not mean (Instagram's "#_")
    code_suffix: str = ""
    # parameters of the redirect that API calls need later (QuickBooks' realmId)
    kept_parameters: tuple[str, ...] = ()

    # the token request (RFC 6749, 2.3.1 and 4.1.3)
    basic_credentials: Literal["encoded", "raw"] = "encoded"
    token_request: Literal["form", "json"] = "form"
    token_headers: Mapping[str, str] = field(default_factory=dict)
    # a refresh at another address, or by the access token under a grant type and parameter of the provider's own
    refresh_endpoint: str = ""
    refresh_method: Literal["POST", "GET"] = "POST"
    refresh_grant_type: str = "refresh_token"
    refresh_parameter: str = "refresh_token"
    refresh_with: Literal["refresh_token", "access_token"] = "refresh_token"

    # the token response (RFC 6749, 5.1 and 5.2)
    token_member: str = ""  # the member that holds the token set ("authed_user")
    ok_member: str = ""  # the member that says whether it went well, in a response that is always a 200 ...
    ok_value: str = "true"  # ... and what it then is, as JSON
    api_base_member: str = ""  # the member that names the API's base URL ("instance_url")

    # the API call (RFC 6750, 2.1)
    authorization_scheme: str = "Bearer"
    token_header: str = "Authorization"
    token_parameter: str = ""  # the query parameter that carries the token, where no header does
    # "{client_id}" and "{client_secret}" stand for the client's own (Etsy); a header with the latter is never shown
    api_headers: Mapping[str, str] = field(default_factory=dict)
    # how the API says that the access token has ended where it answers no 401 (RFC 6750, 3.1): the member of its JSON
    # body ("error.code") and what it then is ("190"); looked for in a 2xx, 400 or 403
    expired_token_member: str = ""
    expired_token_values: tuple[str, ...] = ()

    # discovery: the issuer is a template of the tenant (Entra's "{tenantid}")
    issuer_template: bool = False

    @property
    def needs_client_secret(self) -> bool:
        """Whether a header of each API call holds the client secret, however the client authenticates itself."""
        return any("{client_secret}" in text for text in self.api_headers.values())

    def declared(self) -> dict[str, Any]:
        """The switches that differ from the RFCs, as JSON has them."""
        declared = {}
        for spec in dataclasses.fields(self):
            value = getattr(self, spec.name)
            default = {} if spec.default is dataclasses.MISSING else spec.default
            if value != default:
                declared[spec.name] = list(value) if isinstance(value, tuple) else value
        return declared


_CHOICES: dict[str, tuple[str, ...]] = {
    "basic_credentials": ("encoded", "raw"),
    "token_request": ("form", "json"),
    "refresh_method": ("POST", "GET"),
    "refresh_with": ("refresh_token", "access_token"),
}


_SHAPES = {spec.name: spec.type for spec in dataclasses.fields(Compliance)}


def compliance_from(declared: Mapping[str, Any]) -> Compliance:
    """The switches that `declared` sets. Raises `InvalidSecret` naming one that is unknown or of the wrong shape."""
    values: dict[str, Any] = {}
    for name, value in declared.items():
        shape = _SHAPES.get(name)
        if name in _CHOICES:
            right = value in _CHOICES[name]
        elif shape == "bool":
            right = isinstance(value, bool)
        elif shape == "str":
            right = isinstance(value, str)
        elif shape == "tuple[str, ...]":
            right = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
            value = tuple(value) if right else value  # noqa: PLW2901 - a list in JSON and TOML
        else:
            right = (
                shape is not None
                and isinstance(value, Mapping)
                and all(isinstance(item, str) and "\n" not in item and "\r" not in item for item in value.values())
            )
            value = dict(value) if right else value  # noqa: PLW2901 - its own copy
        if not right:
            raise InvalidSecret(
                f"The compliance switch '{name[:50]}' is unknown or has the wrong form.", field="compliance"
            )
        values[name] = value
    _check_headers_and_endpoint(values)
    return Compliance(**values)


def _check_headers_and_endpoint(values: Mapping[str, Any]) -> None:
    names = [*values.get("api_headers", ()), *values.get("token_headers", ())]
    for header in [values.get("token_header", "Authorization"), *names]:
        check_header_name(header, "compliance")
    if endpoint := values.get("refresh_endpoint"):
        try:
            checked_endpoint(endpoint, "refresh_endpoint")
        except InvalidSecret as error:
            raise InvalidSecret(str(error), field="compliance") from None
