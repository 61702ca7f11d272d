"""Every entry of the catalogue makes requests that its provider could take: built by the product's own code, not sent."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from catalogue import PROVIDERS, secret_at, values_for

from flowlet_jupyter.http.transport import CredentialTransport
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.authorization_code import authorization_url, new_flow, request_parameters
from flowlet_jupyter.oauth.client_auth import authenticate, name_of, ways_to_authenticate
from flowlet_jupyter.providers import Provider, trial_url
from flowlet_jupyter.vault import default_vault

OAUTH2 = {key: provider for key, provider in PROVIDERS.items() if provider.type == "oauth2"}
REDIRECT_URI = "https://hub.example.org/flowlet/callback"


def values_asked_for(provider: Provider) -> list[str]:
    """What a person has to type: the values of parameters without a default, and those of the secret."""
    fields = provider.fields
    asked = [parameter.name for parameter in provider.parameters if not parameter.default]
    if provider.type == "headers":
        return [*asked, *provider.header_names]
    if provider.type != "oauth2":
        return [*asked, *(["username"] if provider.type == "basic" and not fields.get("username") else []), "value"]
    public = (
        fields.get("token_endpoint_auth_method") == "none" and not secret_at(provider).compliance.needs_client_secret
    )
    credentials = ["username", "password"] if fields.get("grant_type") == "password" else []
    return [
        *asked,
        *([] if fields.get("client_id") else ["client_id"]),
        *([] if public else ["client_secret"]),
        *credentials,
    ]


def test_every_authorization_request_is_well_formed():
    for key, provider in OAUTH2.items():
        secret = secret_at(provider)
        if secret.grant_type != AUTHORIZATION_CODE:
            continue
        flow = new_flow(key, redirect_uri=REDIRECT_URI, now=time.time())
        url = authorization_url(secret, request_parameters(secret, flow))
        parts = urlsplit(url)
        sent = parse_qsl(parts.query, keep_blank_values=True)
        parameters = dict(sent)
        compliance = secret.compliance
        assert parts.scheme == "https", key
        assert parts.hostname, key
        assert not parts.fragment, key
        assert len(parameters) == len(sent), f"{key}: a parameter is sent twice"
        assert parameters["response_type"] == "code", key
        assert parameters[compliance.client_id_parameter] == "id", key
        assert parameters["redirect_uri"] == REDIRECT_URI, key
        assert parameters["state"], key
        assert ("code_challenge" in parameters) == compliance.pkce, key
        for scope in secret.scope.replace(",", " ").split():
            assert scope in parameters[compliance.scope_parameter].split(compliance.scope_separator), key
        assert not any("{" in value or "secret" in value for _name, value in sent), key


def test_every_token_request_names_the_client_once():
    for key, provider in OAUTH2.items():
        secret = secret_at(provider)
        for endpoint in (secret.token_endpoint, secret.revocation_endpoint, secret.device_authorization_endpoint):
            assert not endpoint or (urlsplit(endpoint).scheme == "https" and "{" not in endpoint), key
        way = ways_to_authenticate(secret)[0]
        assert name_of(way).startswith(("client_secret", "none")), key
        parameters: list[tuple[str, str]] = []
        headers: dict[str, str] = {}
        authenticate(secret, parameters, headers)
        body = dict(parameters)
        in_header, in_body = "Authorization" in headers, secret.compliance.client_secret_parameter in body
        assert in_header + in_body == (0 if name_of(way) == "none" else 1), key
        assert in_header or body[secret.compliance.client_id_parameter] == "id", key


@pytest.mark.slow
def test_every_harmless_request_carries_the_credential_to_its_own_host():
    vault = default_vault()
    sent: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={})

    for key, provider in PROVIDERS.items():
        secret = secret_at(provider)
        address = trial_url(provider, values_for(provider)) or secret.base_url
        if not address:
            continue
        token = (
            TokenSet(access_token=SecretValue("secret"), obtained_at=time.time())
            if isinstance(secret, OAuth2)
            else None
        )
        vault.put(Record(secret=secret, token_set=token))
        transport = CredentialTransport(httpx.MockTransport(respond), vault=vault, secret_name=key)
        with httpx.Client(transport=transport) as client:
            client.get(address)
        request = sent.pop()
        assert request.url.scheme == "https", key
        assert request.url.host == urlsplit(address).hostname, key
        without = httpx.Request("GET", address)
        changed = {name: value for name, value in request.headers.items() if without.headers.get(name) != value}
        added = dict(parse_qsl(request.url.query.decode())).keys() - dict(parse_qsl(without.url.query.decode())).keys()
        assert {
            name for name in changed if name not in {"accept-encoding", "connection", "user-agent", "accept"}
        } | added, key
        assert all(value.isascii() and value == value.strip() for value in changed.values()), key


def test_no_entry_asks_for_more_than_a_person_has():
    for key, provider in PROVIDERS.items():
        asked = values_asked_for(provider)
        assert len(asked) <= (6 if provider.type == "oauth2" else 4), f"{key}: {asked}"
        assert len(set(asked)) == len(asked), key


def test_most_entries_leave_two_values_or_fewer():
    counts = [len(values_asked_for(provider)) for provider in PROVIDERS.values()]
    assert sum(count <= 2 for count in counts) / len(counts) > 0.75
