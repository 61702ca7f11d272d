"""The JSON API behind the widgets. It takes values in and never gives one out."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado import web

from flowlet_jupyter.errors import (
    AuthRequired,
    FlowletError,
    InvalidSecret,
    SecretNotFound,
    TokenEndpointError,
    VaultError,
)
from flowlet_jupyter.fields import checked_name
from flowlet_jupyter.oauth.collection import SecretHandle
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.secret import SECRET_TYPES, Headers, Record, Secret, configuration
from flowlet_jupyter.secret_value import SecretValue
from flowlet_jupyter.server.headers import FlowletHandler, apart
from flowlet_jupyter.server.redirect_uri import redirect_uri
from flowlet_jupyter.status import status_of
from flowlet_jupyter.vault import Vault
from flowlet_jupyter.vault.greetings import greet

_STATUS_OF_ERROR: tuple[tuple[type[FlowletError], int], ...] = (
    (InvalidSecret, 400),
    (SecretNotFound, 404),
    (AuthRequired, 409),
    (TokenEndpointError, 502),
    (VaultError, 500),
)
# A change of one of these makes the tokens that were obtained before belong to something else.
_GRANT_FIELDS = (
    "authorization_endpoint", "token_endpoint", "client_id", "grant_type", "dpop", "username", "refresh_token",
    "subject", "subject_token_file", "subject_secret",
)  # fmt: skip
# Where the client authenticates itself, with whatever value it has.
_CREDENTIALED_ENDPOINTS = (
    "token_endpoint", "device_authorization_endpoint", "pushed_authorization_request_endpoint",
    "revocation_endpoint", "introspection_endpoint",
)  # fmt: skip


class FlowletAPIHandler(FlowletHandler, APIHandler):
    """JSON in and out; an error is `{"message", "error", "field"}`."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """The error as JSON; messages of ours hold no value."""
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, FlowletError):
            status_code = next((status for kind, status in _STATUS_OF_ERROR if isinstance(error, kind)), status_code)
            message, name = str(error), type(error).__name__
        elif isinstance(error, web.HTTPError):
            message, name = error.log_message or error.reason or "The request was refused.", "HTTPError"
        else:
            message, name = "The server failed; its log says where.", "InternalError"
        self.set_status(status_code)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"message": message, "error": name, "field": getattr(error, "field", None)}))

    def log_exception(self, *exc_info: Any) -> None:
        """Expected errors are answers, not log entries."""
        if not isinstance(exc_info[1], FlowletError | web.HTTPError):
            super().log_exception(*exc_info)


def described(record: Record) -> dict[str, Any]:
    """What the API says of a secret: its configuration and token status."""
    return {**configuration(record.secret), "status": dataclasses.asdict(status_of(record, now=time.time()))}


class SecretsHandler(FlowletAPIHandler):
    """`GET api/secrets`: all secrets; of a damaged one its name and the error."""

    @web.authenticated
    async def get(self) -> None:
        """List the secrets."""
        self.finish(json.dumps(await apart(self._listed)))

    def _listed(self) -> list[dict[str, Any]]:
        listed = []
        for name in self.vault.names():
            try:
                listed.append(described(self.vault.get(name)))
            except SecretNotFound:
                continue  # deleted since the folder was read
            except VaultError as error:
                listed.append({"name": name, "type": None, "error": str(error)})
        return listed


class SecretHandler(FlowletAPIHandler):
    """`GET`, `PUT` and `DELETE api/secrets/NAME`."""

    @web.authenticated
    async def get(self, name: str) -> None:
        """One secret, without values."""
        self.finish(described(await apart(lambda: self.vault.get(name))))

    @web.authenticated
    async def put(self, name: str) -> None:
        """Create (201) or change (200) the secret; a value that is left out keeps the stored one."""
        fields = self.get_json_body()
        if not isinstance(fields, dict):
            raise InvalidSecret("The body must be a JSON object.")
        only_new = self.request.headers.get("If-None-Match") == "*"  # RFC 9110, 13.1.2: the form for a new secret
        name = checked_name(name)
        created, record = await apart(lambda: _store(self.vault, name, fields, only_new=only_new))
        self.set_status(201 if created else 200)
        self.finish(described(record))

    @web.authenticated
    async def delete(self, name: str) -> None:
        """Remove the secret and its tokens (204)."""
        await apart(SecretHandle(name, self.vault).delete)
        self.set_status(204)
        self.finish()


class RefreshHandler(FlowletAPIHandler):
    """`POST api/secrets/NAME/refresh`."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """Refresh the access token now; answers as `GET api/secrets/NAME`."""
        await apart(SecretHandle(name, self.vault).refresh)
        self.finish(described(await apart(lambda: self.vault.get(name))))


class RedirectUriHandler(FlowletAPIHandler):
    """`GET api/redirect-uri`: what to register at the provider."""

    @web.authenticated
    def get(self) -> None:
        """The redirect URI of this server as the browser reaches it."""
        self.finish({"redirect_uri": redirect_uri(self.request, self.base_url)})


class VaultHandler(FlowletAPIHandler):
    """`GET api/vault`: where secrets are kept, in plain words."""

    @web.authenticated
    async def get(self) -> None:
        """The vault's folder and where its master key is kept."""
        key = await apart(self.vault.master_key)
        self.finish({"folder": str(self.vault.folder), "master_key": key.kept})


class GreetingHandler(FlowletAPIHandler):
    """`POST api/greetings/ID`: a widget has come up; its kernel may be too busy to hear it."""

    @web.authenticated
    async def post(self, greeting: str) -> None:
        """Leave the greeting for the kernel (204)."""
        await apart(lambda: greet(self.vault.folder, greeting))
        self.set_status(204)
        self.finish()


class MissingAPIHandler(FlowletAPIHandler):
    """Anything else below `api/`."""

    @web.authenticated
    def get(self) -> None:
        """There is nothing here."""
        raise web.HTTPError(404, "There is no such part of the API.")


def _store(vault: Vault, name: str, fields: dict[str, Any], *, only_new: bool) -> tuple[bool, Record]:
    with vault.lock(name):
        old = vault.get(name) if name in vault.names() else None
        if old and only_new:
            raise InvalidSecret(f"There is a secret '{name}' already. Choose another name, or edit it.", field="name")
        secret = _secret_from(name, fields, old.secret if old else None)
        record = Record(secret=secret)
        if old and isinstance(secret, OAuth2) and isinstance(old.secret, OAuth2):
            if all(getattr(secret, field) == getattr(old.secret, field) for field in _GRANT_FIELDS):
                record = Record(secret=secret, token_set=old.token_set, refused=old.refused)
        vault.put(record)
        return old is None, record


def _secret_from(name: str, fields: dict[str, Any], old: Secret | None) -> Secret:
    """The secret that the JSON object `fields` describes. Raises `InvalidSecret` naming the field."""
    fields = {key: value for key, value in fields.items() if value not in ("", None)}
    if fields.pop("name", name) != name:
        raise InvalidSecret("The name in the body is not that of the address; a secret is not renamed.", field="name")
    kind = SECRET_TYPES.get(str(fields.pop("type", old.type if old else "oauth2")))
    if kind is None:
        raise InvalidSecret(f"The type is one of {', '.join(SECRET_TYPES)}.", field="type")
    for key in ("header_names", "status", *(f"has_{value}" for value in kind.value_fields)):
        fields.pop(key, None)  # what GET adds; a client may send back what it got
    specs = {spec.name: spec for spec in dataclasses.fields(kind)}
    for key, value in fields.items():
        if key not in specs:
            raise InvalidSecret(f"A secret of type {kind.type} has no field '{key[:50]}'.", field=key[:50])
        fields[key] = _typed(key, value, str(specs[key].type))
    if isinstance(old, kind):
        _keep_values(kind, fields, old)
    for key, spec in specs.items():
        has_default = spec.default is not dataclasses.MISSING or spec.default_factory is not dataclasses.MISSING
        if key not in fields and key != "name" and not has_default:
            raise InvalidSecret(f"The {key.replace('_', ' ')} is missing.", field=key)
    return kind(name=name, **fields)


def _typed(key: str, value: Any, annotation: str) -> Any:
    """`value` as the field takes it, whose annotation is `annotation`; a text becomes a `SecretValue` where one is due."""
    if annotation.startswith("tuple"):
        right = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
        value = tuple(value) if right else value
    elif annotation.startswith("Mapping"):
        right = isinstance(value, dict) and all(isinstance(entry, str) for entry in value.values())
    elif annotation == "Compliance":
        right = isinstance(value, dict)
    else:
        right = isinstance(value, bool if annotation == "bool" else str)
        value = SecretValue(value) if right and annotation.startswith("SecretValue") else value
    if not right:
        raise InvalidSecret(f"The {key.replace('_', ' ')} has the wrong type.", field=key)
    return value


def _keep_values(kind: type[Secret], fields: dict[str, Any], old: Secret) -> None:
    """Fill values that the form left empty from the stored secret, unless they would go to a new place."""
    if isinstance(old, Headers):
        given = fields.get("headers", {})
        fields["headers"] = {header: value or old.headers.get(header, "") for header, value in given.items()} or dict(
            old.headers
        )
        return
    for key in kind.value_fields:
        if key in fields or not getattr(old, key):
            continue
        if isinstance(old, OAuth2):
            if key == "client_secret" and fields.get("token_endpoint_auth_method") == "none":
                continue
            _check_same_provider(key, fields, old)
        fields[key] = getattr(old, key)


def _check_same_provider(key: str, fields: dict[str, Any], old: OAuth2) -> None:
    known = {getattr(old, endpoint) for endpoint in _CREDENTIALED_ENDPOINTS} | {old.compliance.refresh_endpoint, None}
    compliance = fields.get("compliance") or {}
    wanted = {fields.get(endpoint) for endpoint in _CREDENTIALED_ENDPOINTS} | {compliance.get("refresh_endpoint")}
    if not wanted <= known:
        label = key.replace("_", " ")
        raise InvalidSecret(
            f"An endpoint has changed: enter the {label} again, so that a stored one is never sent to a new place "
            "unasked.",
            field=key,
        )
