"""The JSON API behind the widgets. It takes values in and never gives one out."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado import web

from flowlet_jupyter.credentials.handles import SecretHandle
from flowlet_jupyter.errors import (
    AuthorizationFailed,
    AuthRequired,
    FlowletError,
    InvalidSecret,
    ProviderError,
    SecretNotFound,
    SourceUnavailable,
    UsageError,
    VaultError,
)
from flowlet_jupyter.http.trial import example_url, try_secret
from flowlet_jupyter.http.usage_log import last_uses
from flowlet_jupyter.model.fields import checked_endpoint, checked_name
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE
from flowlet_jupyter.model.secret import Record, configuration
from flowlet_jupyter.model.status import status_of
from flowlet_jupyter.oauth.registration import register_client
from flowlet_jupyter.providers import Summary
from flowlet_jupyter.providers.stored_endings import entries_that_end, what_ends
from flowlet_jupyter.server.base import FlowletHandler, run_in_thread
from flowlet_jupyter.server.redirect_uri import own_redirect_uri
from flowlet_jupyter.server.refusals import forget_refusal, last_refusal
from flowlet_jupyter.server.secret_form import store_secret
from flowlet_jupyter.vault import Vault
from flowlet_jupyter.vault.handshake import greet

_STATUS_OF_ERROR: tuple[tuple[type[FlowletError], int], ...] = (
    (SecretNotFound, 404),
    (UsageError, 400),
    (AuthRequired, 409),
    (ProviderError, 502),
    (SourceUnavailable, 409),
    (AuthorizationFailed, 400),
    (VaultError, 500),
)


class FlowletAPIHandler(FlowletHandler, APIHandler):
    """JSON in and out; an error is `{"message", "error", "field", "errors"}`, the last by field."""

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
        self.finish(json.dumps({"message": message, "error": name, "field": getattr(error, "field", None),
                                "errors": getattr(error, "errors", {})}))  # fmt: skip

    def log_exception(self, *exc_info: Any) -> None:
        """Expected errors are responses, not log entries."""
        if not isinstance(exc_info[1], FlowletError | web.HTTPError):
            super().log_exception(*exc_info)


def described(
    record: Record, *, last_use: Mapping[str, Any] | None = None, ends: Sequence[Summary] | None = None
) -> dict[str, Any]:
    """What the API says of a secret: configuration, token status, last use if logged, and what of it `ending` soon.

    `ends` is what `entries_that_end` gives, for whoever describes many.
    """
    status = dataclasses.asdict(status_of(record, now=time.time()))
    shown = configuration(record.secret)
    ending = what_ends(record, entries_that_end() if ends is None else ends, now=time.time())
    return {**shown, "status": status, "last_use": last_use, "ending": " ".join(ending)}


def details_of(vault: Vault, name: str) -> dict[str, Any]:
    """What the API says of the secret `name`, a harmless request and the last refusal with it. Raises `SecretNotFound`."""
    record = vault.get(name)
    shown = described(record, last_use=last_uses(vault).get(name))
    return {**shown, "example_url": example_url(record), "refusal": last_refusal(vault, name)}


class SecretsHandler(FlowletAPIHandler):
    """`GET api/secrets`: all secrets; of a damaged one its name and the error."""

    @web.authenticated
    async def get(self) -> None:
        """List the secrets."""
        self.finish(json.dumps(await run_in_thread(self._listed)))

    def _listed(self) -> list[dict[str, Any]]:
        listed = []
        used, ends = last_uses(self.vault), entries_that_end()
        for name in self.vault.names():
            try:
                shown = described(self.vault.get(name), last_use=used.get(name), ends=ends)
                listed.append({**shown, "refusal": last_refusal(self.vault, name)})
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
        self.finish(await run_in_thread(lambda: details_of(self.vault, name)))

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
            fields |= await run_in_thread(lambda: self._registered(endpoint, fields))
        created, record = await run_in_thread(lambda: store_secret(self.vault, name, fields, only_new=only_new))
        forget_refusal(self.vault, name)  # what it said may be mended now
        self.set_status(201 if created else 200)
        self.finish(described(record))

    def _registered(self, endpoint: object, fields: dict[str, Any]) -> dict[str, Any]:
        """Register a client (RFC 7591); what the provider gives stays on this side of the browser."""
        # nobody has to type it, so each provider gets a redirect URI of its own
        uri = own_redirect_uri(self, str(fields.get("authorization_endpoint") or ""))
        grant_type = str(fields.get("grant_type") or AUTHORIZATION_CODE)
        client = register_client(
            checked_endpoint(str(endpoint), "registration_endpoint"),
            redirect_uri=uri,
            grant_type=grant_type,
            scope=str(fields.get("scope") or ""),
            client_name="flowlet-jupyter",
        )
        return {**client, "redirect_uris": [uri]} if grant_type == AUTHORIZATION_CODE else client

    @web.authenticated
    async def delete(self, name: str) -> None:
        """Revoke the tokens and remove the secret (204); 200 with a `notice` if the provider did not take the former."""
        notice = await run_in_thread(SecretHandle(name, self.vault).delete)
        forget_refusal(self.vault, name)
        if notice:
            self.finish({"notice": notice})
            return
        self.set_status(204)
        self.finish()


class RefreshHandler(FlowletAPIHandler):
    """`POST api/secrets/NAME/refresh`."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """Refresh the access token now; responds as `GET api/secrets/NAME`."""
        await run_in_thread(SecretHandle(name, self.vault).refresh)
        self.finish(described(await run_in_thread(lambda: self.vault.get(name))))


class TestHandler(FlowletAPIHandler):
    """`POST api/secrets/NAME/test`: one harmless GET with the secret."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """How the API responded, as `Trial` has it, and as sentences in `text`."""
        trial = await run_in_thread(lambda: try_secret(self.vault, name))
        self.finish({**dataclasses.asdict(trial), "text": str(trial)})


class RevokeHandler(FlowletAPIHandler):
    """`POST api/secrets/NAME/revoke`: end the tokens at the provider, and forget them here."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """Responds as `GET api/secrets/NAME`; 502 if the provider did not take it, and then nothing is forgotten."""
        await run_in_thread(SecretHandle(name, self.vault).revoke)
        self.finish(described(await run_in_thread(lambda: self.vault.get(name))))


class IntrospectHandler(FlowletAPIHandler):
    """`POST api/secrets/NAME/introspect`: whether the provider still takes the access token (RFC 7662)."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """Responds with `active`."""
        self.finish({"active": await run_in_thread(SecretHandle(name, self.vault).is_active)})


class AccountsHandler(FlowletAPIHandler):
    """`POST api/secrets/NAME/accounts`: another account at the same client."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """Responds (201) with the new secret, named `NAME/account`."""
        account = str((self.get_json_body() or {}).get("account") or "")
        made = await run_in_thread(lambda: SecretHandle(name, self.vault).add_account(account))
        self.set_status(201)
        self.finish(described(await run_in_thread(lambda: self.vault.get(made.name))))


class VaultHandler(FlowletAPIHandler):
    """`GET api/vault`: where secrets are kept, in plain words."""

    @web.authenticated
    async def get(self) -> None:
        """The vault's folder and where its master key is kept."""
        key = await run_in_thread(self.vault.master_key)
        self.finish({"folder": str(self.vault.folder), "master_key": key.location})


class GreetingHandler(FlowletAPIHandler):
    """`POST api/greetings/ID`: a widget has come up; its kernel may be too busy to hear it."""

    @web.authenticated
    async def post(self, greeting: str) -> None:
        """Leave the greeting for the kernel (204)."""
        await run_in_thread(lambda: greet(self.vault.folder, greeting))
        self.set_status(204)
        self.finish()


class MissingAPIHandler(FlowletAPIHandler):
    """Anything else below `api/`."""

    @web.authenticated
    def get(self) -> None:
        """There is nothing here."""
        raise web.HTTPError(404, "There is no such part of the API.")
