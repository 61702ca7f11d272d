"""Deleting a secret ends its tokens at the provider too, where the provider lets us."""

from __future__ import annotations

import time

import httpx
import respx

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import default_vault

REVOKE = "https://auth.example/revoke"


def store(**fields) -> None:
    secret = flowlet.OAuth2(
        name="api", client_id="id", client_secret="s", authorization_endpoint="https://auth.example/authorize",
        token_endpoint="https://auth.example/token", allowed_hosts=("api.example",), **fields,
    )  # fmt: skip
    tokens = TokenSet(access_token=SecretValue("access"), refresh_token=SecretValue("refresh"), obtained_at=time.time())
    default_vault().put(Record(secret=secret, token_set=tokens))


@respx.mock
def test_both_tokens_are_revoked_first():
    route = respx.post(REVOKE).respond(200)
    store(revocation_endpoint=REVOKE)
    assert flowlet.secrets["api"].delete() is None
    sent = [call.request.content.decode() for call in route.calls]
    assert ["token=refresh" in sent[0], "token=access" in sent[1]] == [True, True]
    assert default_vault().names() == []


@respx.mock
def test_a_provider_that_fails_keeps_nobody_from_deleting_and_is_named():
    respx.post(REVOKE).mock(side_effect=httpx.ConnectError("down"))
    store(revocation_endpoint=REVOKE)
    notice = flowlet.secrets["api"].delete()
    assert "may still be valid" in notice
    assert "'api'" in notice
    assert default_vault().names() == []


@respx.mock
def test_without_a_revocation_endpoint_nobody_is_asked():
    store()
    assert flowlet.secrets["api"].delete() is None
