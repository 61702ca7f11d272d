"""Grants that need nobody: what the provider refuses is asked once, and tried again when somebody changed something."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from servers.oauth_provider import CANARY, FRESH, provider

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import TokenEndpointError
from flowlet_jupyter.model.oauth2 import CLIENT_CREDENTIALS, JWT_BEARER, PASSWORD, TOKEN_EXCHANGE, OAuth2
from flowlet_jupyter.server.secret_form import store_secret
from flowlet_jupyter.vault import default_vault

KEY = ECKey.generate_key("P-256")
PEM = KEY.as_pem(private=True).decode()


def added(url: str, **fields) -> flowlet.SecretHandle:
    given = {"token_endpoint": f"{url}/token", "client_id": "id", "client_secret": CANARY, "base_url": url}
    return flowlet.secrets.add(OAuth2(name="api", **{**given, **fields}))


REFUSALS = [
    ({"grant_type": PASSWORD, "username": "ann", "password": "wrong"}, 400, "invalid_grant"),
    ({"grant_type": CLIENT_CREDENTIALS, "token_endpoint_auth_method": "client_secret_post"}, 401, "invalid_client"),
    (
        {"grant_type": CLIENT_CREDENTIALS, "token_endpoint_auth_method": "client_secret_post"},
        400,
        "unauthorized_client",
    ),
]


@pytest.mark.parametrize(("fields", "status", "error"), REFUSALS, ids=["password", "client", "not allowed"])
def test_a_refusal_is_asked_for_once_and_said_in_the_providers_words(fields, status, error):
    refusal = {"error": error, "error_description": "says the provider"}
    with provider(lambda *_: (status, {}, refusal)) as (url, paths):
        handle = added(url, **fields)
        with pytest.raises(TokenEndpointError, match="says the provider"):
            flowlet.get("/me", secret="api")
        asked = len(paths)
        for _ in range(2):
            with pytest.raises(flowlet.AuthRequired, match="says the provider"):
                flowlet.get("/me", secret="api")
        assert len(paths) == asked
        status_now = handle.status()
        assert (status_now.state, "says the provider" in status_now.summary()) == ("needs_authorization", True)
        with pytest.raises(TokenEndpointError):  # a person's wish is another try
            handle.refresh()
        assert len(paths) > asked


def test_nobody_is_asked_to_consent_where_a_consent_would_not_help():
    class Prompt:
        def authorize(self, _vault, needed):
            raise AssertionError(needed)

    with provider(lambda *_: (401, {}, {"error": "invalid_client"})) as (url, _):
        added(url, grant_type=CLIENT_CREDENTIALS)
        session = flowlet.Session(default_vault(), prompt=Prompt())
        for expected in (TokenEndpointError, flowlet.AuthRequired):
            with pytest.raises(expected), flowlet.client("api", session=session) as client:
                client.get("/me")


def test_an_edit_of_the_secret_clears_the_refusal():
    def answer(handler, members):
        right = members.get("client_secret") == "right" or handler.path == "/me"
        return (200, {}, FRESH) if right else (401, {}, {"error": "invalid_client"})

    with provider(answer) as (url, _):
        handle = added(url, grant_type=CLIENT_CREDENTIALS, token_endpoint_auth_method="client_secret_post")
        with pytest.raises(TokenEndpointError):
            handle.token()
        fields = {**handle.configuration(), "client_secret": "right"}
        store_secret(default_vault(), "api", fields, only_new=False)
        assert handle.status().state == "on_demand"
        assert flowlet.get("/me", secret="api").status_code == 200


def test_an_exchange_is_tried_with_each_new_subject_token(tmp_path):
    file = tmp_path / "token"

    def answer(_, members):
        good = members.get("subject_token") == "new"
        return (200, {}, FRESH) if good else (400, {}, {"error": "invalid_grant"})

    with provider(answer) as (url, _):
        file.write_text("old")
        handle = added(url, grant_type=TOKEN_EXCHANGE, subject_token_file=str(file))
        with pytest.raises(TokenEndpointError):
            handle.token()
        file.write_text("new")
        assert handle.token().reveal() == "fresh"


@pytest.mark.parametrize(
    ("off", "says", "is_final"),
    [(3600, "3600 s behind", False), (-3600, "3600 s ahead of", False), (0, "agrees with the provider's", True)],
)
def test_an_assertion_that_is_refused_names_the_clock(off, says, is_final):
    def answer(handler, _):
        date = formatdate(time.time() + off, usegmt=True)
        handler.date_time_string = lambda *_: date
        return 400, {}, {"error": "invalid_grant"}

    with provider(answer) as (url, paths):
        handle = added(url, grant_type=JWT_BEARER, private_key=PEM, token_endpoint_auth_method="none")
        with pytest.raises(TokenEndpointError, match="clock") as caught:
            handle.token()
        message = str(caught.value)
        assert says in message or any(f"{abs(off) + near} s" in message for near in (-1, 1))
        asked = len(paths)
        with pytest.raises(flowlet.FlowletError):
            handle.token()
        # a clock that is set right makes the same assertion good
        assert (len(paths) == asked) is is_final


@pytest.mark.parametrize("taken", ["issuer", "token endpoint"])
@pytest.mark.parametrize("by", ["grant", "client"])
def test_both_audiences_of_an_assertion_are_tried_once_and_what_worked_is_remembered(by, taken):
    urls: list[str] = []

    def answer(_, members):
        assertion = members["assertion" if by == "grant" else "client_assertion"]
        audience = jwt.decode(assertion, KEY, algorithms=["ES256"]).claims["aud"]
        right = urls[0] if taken == "issuer" else f"{urls[0]}/token"
        refusal = "invalid_grant" if by == "grant" else "invalid_client"
        return (200, {}, FRESH) if audience == right else (400, {}, {"error": refusal})

    with provider(answer) as (url, paths):
        urls.append(url)
        grant = {"grant_type": JWT_BEARER, "token_endpoint_auth_method": "none"}
        if by == "client":
            grant = {"grant_type": CLIENT_CREDENTIALS, "token_endpoint_auth_method": "private_key_jwt"}
        handle = added(url, client_secret=None, private_key=PEM, issuer=url, **grant)
        handle.token()
        first = len(paths)
        handle.refresh()
        assert first <= 2
        assert len(paths) == first + 1
