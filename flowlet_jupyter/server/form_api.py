"""The JSON API of what a form asks before it is saved: the fields of a secret, the providers, and what to register."""

from __future__ import annotations

import json
from typing import Any

from tornado import web

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.schema import as_json
from flowlet_jupyter.oauth.discovery import discover
from flowlet_jupyter.oauth.metadata import ProviderMetadata, client_for, fields_of, hosts_of
from flowlet_jupyter.providers import discovery_address, fields_for, provider_index, provider_named
from flowlet_jupyter.providers.matching import completed
from flowlet_jupyter.server.api import FlowletAPIHandler
from flowlet_jupyter.server.base import run_in_thread
from flowlet_jupyter.server.redirect_uri import own_redirect_uri, plan_for_request, proxy_problem, redirect_uri
from flowlet_jupyter.settings import client_id_url, loopback_redirect_uri


class ProvidersHandler(FlowletAPIHandler):
    """`GET api/providers`: the catalogue; `POST api/providers/KEY`: an entry's fields, its parameters filled in."""

    @web.authenticated
    async def get(self) -> None:
        """All entries, by title."""
        self.finish(json.dumps(await run_in_thread(provider_index)))


class ProviderFieldsHandler(FlowletAPIHandler):
    """`POST api/providers/KEY`."""

    @web.authenticated
    async def post(self, key: str) -> None:
        """The fields of a secret, for the values in the JSON object of the body.

        Where the entry says at which address to discover the provider, its metadata give them, completed by the entry with
        the same token endpoint, and a client that needs no registration.
        """
        provider = await run_in_thread(lambda: provider_named(key))
        if provider is None:
            raise web.HTTPError(404, "There is no such provider in the catalogue.")
        values = self.get_json_body() or {}
        address = discovery_address(provider, values)
        if not address:
            self.finish(fields_for(provider, values))
            return
        metadata = await run_in_thread(lambda: discover(address))
        fields = await run_in_thread(lambda: completed(fields_of(metadata)))
        client = _client_for(self, metadata, fields)
        if not client and not fields.get("client_id"):
            raise InvalidSecret(
                f"{provider.title} wants a client ID. If you registered an app there, choose Another OAuth2 provider and "
                f"discover {address}. Else host a client metadata document, if it takes one, and give its address to this "
                "server: FLOWLET_CLIENT_ID_URL or c.Flowlet.client_id_url."
            )
        self.finish({**client, **fields})


class CompletedHandler(FlowletAPIHandler):
    """`POST api/completed`: the catalogue's fields for a pasted client's."""

    @web.authenticated
    async def post(self) -> None:
        """The fields in the JSON object of the body, and what the entry with the same token endpoint knows beside them."""
        fields = self.get_json_body()
        if not isinstance(fields, dict):
            raise InvalidSecret("The body must be a JSON object.")
        self.finish(await run_in_thread(lambda: completed(fields)))


class DiscoverHandler(FlowletAPIHandler):
    """`POST api/discover`."""

    @web.authenticated
    async def post(self) -> None:
        """The fields of a secret for the address in the body, and the hosts that it would talk to."""
        address = (self.get_json_body() or {}).get("address", "")
        if not isinstance(address, str) or not address.strip():
            raise InvalidSecret("Which address? An issuer, a .well-known URL or an API's URL.", field="issuer")
        metadata = await run_in_thread(lambda: discover(address.strip()))
        known = await run_in_thread(lambda: completed(fields_of(metadata)))
        self.finish(
            {
                "fields": {**_client_for(self, metadata, known), **known},
                "hosts": hosts_of(metadata),
                "scopes_supported": metadata.scopes_supported,
                "client_id_metadata_document_supported": metadata.client_id_metadata_document_supported,
                "registration_endpoint": metadata.endpoints.get("registration_endpoint"),
            }
        )


def _client_for(handler: FlowletAPIHandler, metadata: ProviderMetadata, fields: dict[str, Any]) -> dict[str, Any]:
    """The client that needs no registration; empty where there is none for this provider and this server."""
    uris = [loopback_redirect_uri(), redirect_uri(handler)]
    return client_for(metadata, uris, scope=fields.get("scope", ""), hosted=client_id_url())


class SchemaHandler(FlowletAPIHandler):
    """`GET api/schema`: the kinds of secret and their fields, which the form is drawn from."""

    @web.authenticated
    def get(self) -> None:
        """By kind: its label and its fields."""
        self.finish(as_json())


class RedirectUriHandler(FlowletAPIHandler):
    """`GET api/redirect-uri`: what to register at the provider, exactly as the authorization request sends it.

    Of the secret `?secret=NAME`; or of a new one at `?provider=KEY` or `?authorization_endpoint=URL`. With
    `&registering=yes` the one that this server registers itself, together with a client.
    """

    @web.authenticated
    async def get(self) -> None:
        """`redirect_uri`, `problem` (why it will probably be refused), and `own_redirect_uri` of this provider only."""
        secret = await run_in_thread(self._secret)
        endpoint = secret.authorization_endpoint if secret else self.get_query_argument("authorization_endpoint", "")
        own = own_redirect_uri(self, endpoint) if endpoint else None
        registered = secret.redirect_uris if secret else ()
        if own and self.get_query_argument("registering", "") == "yes":
            registered = (own,)
        provider = secret.provider if secret else self.get_query_argument("provider", "")
        plan = await run_in_thread(
            lambda: plan_for_request(
                self,
                provider=provider,
                authorization_endpoint=endpoint or "",
                registered=registered,
                client_id=secret.client_id if secret else self.get_query_argument("client_id", ""),
            )
        )
        shown = {"redirect_uri": plan.uri, "problem": proxy_problem(self) or plan.problem}
        self.finish({**shown, "own_redirect_uri": own} if own else shown)

    def _secret(self) -> OAuth2 | None:
        name = self.get_query_argument("secret", "")
        secret = self.vault.get(name).secret if name else None
        return secret if isinstance(secret, OAuth2) else None
