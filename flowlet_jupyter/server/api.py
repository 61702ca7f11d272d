"""The JSON API behind the widgets. It takes values in and never gives one out."""

from __future__ import annotations

import dataclasses
import json
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import segno
from jupyter_server.base.handlers import APIHandler
from tornado import web

from flowlet_jupyter.errors import (
    AuthorizationFailed,
    AuthRequired,
    FlowletError,
    InvalidSecret,
    ProviderError,
    SecretNotFound,
    SourceUnavailable,
    VaultError,
)
from flowlet_jupyter.fields import checked_endpoint, checked_name
from flowlet_jupyter.http.identity import identify
from flowlet_jupyter.oauth.apart import start_apart
from flowlet_jupyter.oauth.collection import SecretHandle
from flowlet_jupyter.oauth.device import DeviceFlow, start_device_flow
from flowlet_jupyter.oauth.discovery import discover, fields_of, hosts_of
from flowlet_jupyter.oauth.registration import register_client
from flowlet_jupyter.oauth2 import AUTHORIZATION_CODE, OAuth2
from flowlet_jupyter.providers import Provider, fields_for, load_providers
from flowlet_jupyter.secret import SECRET_TYPES, Headers, Record, Secret, configuration
from flowlet_jupyter.secret_value import SecretValue
from flowlet_jupyter.server.headers import FlowletHandler, apart
from flowlet_jupyter.server.redirect_uri import redirect_uri
from flowlet_jupyter.status import status_of
from flowlet_jupyter.token_set import TokenSet
from flowlet_jupyter.vault import Vault
from flowlet_jupyter.vault.greetings import greet

_STATUS_OF_ERROR: tuple[tuple[type[FlowletError], int], ...] = (
    (InvalidSecret, 400),
    (SecretNotFound, 404),
    (AuthRequired, 409),
    (ProviderError, 502),
    (SourceUnavailable, 409),
    (AuthorizationFailed, 400),
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
        endpoint = fields.pop("registration_endpoint", None)
        only_new = self.request.headers.get("If-None-Match") == "*"  # RFC 9110, 13.1.2: the form for a new secret
        name = checked_name(name)
        if endpoint:
            fields |= await apart(lambda: self._registered(endpoint, fields))
        created, record = await apart(lambda: _store(self.vault, name, fields, only_new=only_new))
        self.set_status(201 if created else 200)
        self.finish(described(record))

    def _registered(self, endpoint: object, fields: dict[str, Any]) -> dict[str, Any]:
        """Register a client (RFC 7591); what the provider gives stays on this side of the browser."""
        return register_client(
            checked_endpoint(str(endpoint), "registration_endpoint"),
            redirect_uri=redirect_uri(self),
            grant_type=str(fields.get("grant_type") or AUTHORIZATION_CODE),
            scope=str(fields.get("scope") or ""),
            client_name="flowlet-jupyter",
        )

    @web.authenticated
    async def delete(self, name: str) -> None:
        """Revoke the tokens and remove the secret (204); 200 with a `notice` if the provider did not take the former."""
        notice = await apart(SecretHandle(name, self.vault).delete)
        if notice:
            self.finish({"notice": notice})
            return
        self.set_status(204)
        self.finish()


class RefreshHandler(FlowletAPIHandler):
    """`POST api/secrets/NAME/refresh`."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """Refresh the access token now; answers as `GET api/secrets/NAME`."""
        await apart(SecretHandle(name, self.vault).refresh)
        self.finish(described(await apart(lambda: self.vault.get(name))))


class RevokeHandler(FlowletAPIHandler):
    """`POST api/secrets/NAME/revoke`: end the tokens at the provider, and forget them here."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """Answers as `GET api/secrets/NAME`; 502 if the provider did not take it, and then nothing is forgotten."""
        await apart(SecretHandle(name, self.vault).revoke)
        self.finish(described(await apart(lambda: self.vault.get(name))))


class IntrospectHandler(FlowletAPIHandler):
    """`POST api/secrets/NAME/introspect`: whether the provider still takes the access token (RFC 7662)."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """Answers with `active`."""
        self.finish({"active": await apart(SecretHandle(name, self.vault).is_active)})


class AccountsHandler(FlowletAPIHandler):
    """`POST api/secrets/NAME/accounts`: another account at the same client."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """Answers (201) with the new secret, named `NAME/account`."""
        account = str((self.get_json_body() or {}).get("account") or "")
        made = await apart(lambda: SecretHandle(name, self.vault).add_account(account))
        self.set_status(201)
        self.finish(described(await apart(lambda: self.vault.get(made.name))))


class DeviceHandler(FlowletAPIHandler):
    """`POST` and `DELETE api/secrets/NAME/device`: the device flow, while this server waits for the person."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """The code to enter, where, its QR code as SVG, and until when (Unix time)."""
        _cancel(self.vault, name)
        flow = await apart(lambda: start_device_flow(self.vault, name))
        _device_flows[self.vault.folder, name] = flow
        vault = self.vault

        def finished(future: Future[TokenSet]) -> None:
            if future.exception() is None:
                start_apart(lambda: identify(vault, name), name="identity")

        flow.finished.add_done_callback(finished)
        given = flow.authorization
        self.finish(
            {
                "user_code": given.user_code,
                "verification_uri": given.verification_uri,
                "verification_uri_complete": given.verification_uri_complete,
                "expires_at": given.expires_at,
                "qr_code": segno.make(given.verification_uri_complete or given.verification_uri).svg_data_uri(scale=4),
            }
        )

    @web.authenticated
    async def get(self, name: str) -> None:
        """Whether the flow goes on, and why it ended if it failed."""
        flow = _device_flows.get((self.vault.folder, name))
        done = flow is None or flow.finished.done()
        error = flow.finished.exception() if flow is not None and done else None
        self.finish({"pending": not done, "problem": str(error) if error else None})

    @web.authenticated
    async def delete(self, name: str) -> None:
        """Ask no more (204)."""
        _cancel(self.vault, name)
        self.set_status(204)
        self.finish()


# flows under way in this server; they end with it, and within half an hour
_device_flows: dict[tuple[Path, str], DeviceFlow] = {}


def _cancel(vault: Vault, name: str) -> None:
    flow = _device_flows.pop((vault.folder, name), None)
    if flow is not None:
        flow.cancel()


class ProvidersHandler(FlowletAPIHandler):
    """`GET api/providers`: the catalogue; `POST api/providers/KEY`: an entry's fields, its parameters filled in."""

    @web.authenticated
    async def get(self) -> None:
        """All entries, by title."""
        providers = await apart(load_providers)
        self.finish(json.dumps([_shown(provider) for provider in providers.values()]))


class ProviderFieldsHandler(FlowletAPIHandler):
    """`POST api/providers/KEY`."""

    @web.authenticated
    async def post(self, key: str) -> None:
        """The fields of a secret, for the values in the JSON object of the body."""
        provider = (await apart(load_providers)).get(key)
        if provider is None:
            raise web.HTTPError(404, "There is no such provider in the catalogue.")
        self.finish(fields_for(provider, self.get_json_body() or {}))


class DiscoverHandler(FlowletAPIHandler):
    """`POST api/discover`."""

    @web.authenticated
    async def post(self) -> None:
        """The fields of a secret for the address in the body, and the hosts that it would talk to."""
        address = (self.get_json_body() or {}).get("address", "")
        if not isinstance(address, str) or not address.strip():
            raise InvalidSecret("Which address? An issuer, a .well-known URL or an API's URL.", field="issuer")
        metadata = await apart(lambda: discover(address.strip()))
        self.finish(
            {
                "fields": fields_of(metadata),
                "hosts": hosts_of(metadata),
                "scopes_supported": metadata.scopes_supported,
                "registration_endpoint": metadata.endpoints.get("registration_endpoint"),
            }
        )


def _shown(provider: Provider) -> dict[str, Any]:
    shown = dataclasses.asdict(provider)
    fields = shown.pop("fields")
    return {**shown, "needs_client_secret": fields.get("token_endpoint_auth_method") != "none",
            "is_ready": provider.is_ready, "client_id": fields.get("client_id", ""),
            "grant_type": fields.get("grant_type", AUTHORIZATION_CODE)}  # fmt: skip


class RedirectUriHandler(FlowletAPIHandler):
    """`GET api/redirect-uri`: what to register at the provider."""

    @web.authenticated
    def get(self) -> None:
        """The redirect URI of this server as the browser reaches it."""
        self.finish({"redirect_uri": redirect_uri(self)})


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
        owner = getattr(old.secret, "client_of", None) if old else None
        if owner:
            raise InvalidSecret(f"Secret '{name}' shares the client of '{owner}'. Edit that one.", field="name")
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
        if not isinstance(value, SecretValue):
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
