"""An API that wants more than the token has: it is said what, and the line to run asks for it (RFC 6750, RFC 9470)."""

from __future__ import annotations

import httpx
import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.credentials.token_refusal import is_refused
from flowlet_jupyter.errors import InvalidSecret, RequestSyntaxError
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.model.challenge import challenge_of
from flowlet_jupyter.model.client_id import localhost_client_id
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.static import Password
from flowlet_jupyter.notebook.display.problem import problem_of
from flowlet_jupyter.notebook.line_magics import SecretLine
from flowlet_jupyter.vault import default_vault

ENDPOINTS = {"authorization_endpoint": "https://p.example/authorize", "token_endpoint": "https://p.example/token"}
MCP = (
    'Bearer error="insufficient_scope", scope="files:read files:write", error_description="say \\"please\\"", '
    'resource_metadata="https://api.example/.well-known/oauth-protected-resource"'
)


def response(status: int, challenge: str = "", **more) -> Response:
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    made = Response(status, headers=headers, request=httpx.Request("GET", "https://api.example/files"), **more)
    made.secret_name = "my api"
    return made


@pytest.mark.parametrize(
    ("challenge", "scope"),
    [
        (MCP, "files:read files:write"),
        ("Bearer error=insufficient_scope, scope=admin", "admin"),
        ('Basic realm="x", DPoP algs="ES256", error="insufficient_scope", scope="a b"', "a b"),
        ('bearer Error="INSUFFICIENT_SCOPE" , Scope="a"', "a"),
    ],
)
@pytest.mark.parametrize("status", [401, 403])
def test_a_scope_that_is_missing_is_named_with_the_line_that_asks_for_it(challenge, scope, status):
    problem = problem_of(response(status, challenge))
    assert scope in problem.meaning
    quoted = f"'{scope}'" if " " in scope else scope
    assert problem.next_cell == f"%flowlet_secret 'my api' --connect --scope {quoted}"
    assert SecretLine.read(problem.next_cell.partition(" ")[2]).ask_for_arguments == {"scope": scope, "max_age": None}


@pytest.mark.parametrize(
    "body",
    [
        {"error": "insufficient_scope", "scope": "a b"},
        {"error": {"code": "MISSING_SCOPE", "required_scopes": ["a", "b"]}},
        {"code": "insufficient_scope", "requiredScopes": "a,b"},
    ],
)
def test_an_api_that_names_the_scope_in_its_body_is_understood_too(body):
    assert problem_of(response(403, json=body)).next_cell.endswith("--scope 'a b'")


def test_an_api_that_names_no_scope_is_no_guess():
    assert "does not say which" in problem_of(response(403, 'Bearer error="insufficient_scope"')).meaning
    assert "does not say which" in problem_of(response(403, json={"error": "insufficient_scope"})).meaning
    assert problem_of(response(403, json={"error": "forbidden", "scope": "x"})).next_cell == "%flowlet_secret my api"


def test_a_login_that_is_too_old_or_of_the_wrong_kind_is_asked_for_again():
    challenge = 'Bearer error="insufficient_user_authentication", acr_values="urn:mfa", max_age="300"'
    problem = problem_of(response(401, challenge))
    assert "no older than 300 s" in problem.meaning
    assert problem.next_cell == "%flowlet_secret 'my api' --connect --acr-values urn:mfa --max-age 300"


@pytest.mark.parametrize("error", ["insufficient_scope", "insufficient_user_authentication"])
def test_a_token_that_is_good_and_not_enough_is_not_refreshed(error):
    assert not is_refused(401, httpx.Headers({"WWW-Authenticate": f'Bearer error="{error}"'}))
    assert is_refused(401, httpx.Headers({"WWW-Authenticate": "Bearer"}))


def test_what_is_no_number_is_no_age():
    assert challenge_of({"WWW-Authenticate": 'Bearer max_age="-1"'}).max_age == ""
    with pytest.raises(RequestSyntaxError, match="number of seconds"):
        SecretLine.read("api --connect --max-age soon").ask_for_arguments  # noqa: B018 - it raises


def test_what_was_asked_for_stays_asked_for():
    handle = flowlet.secrets.add(OAuth2(name="api", client_id="c", scope="a b", **ENDPOINTS))
    handle.ask_for("b c", acr_values="urn:mfa", max_age=0)
    secret = default_vault().get("api").secret
    assert secret.scope == "a b c"
    assert secret.authorization_parameters == {"acr_values": "urn:mfa", "max_age": "0"}


def test_atprotos_client_of_this_machine_declares_what_is_asked_for_later():
    client_id = localhost_client_id(["http://127.0.0.1:8753/flowlet/callback"], "atproto")
    handle = flowlet.secrets.add(OAuth2(name="api", client_id=client_id, scope="atproto", **ENDPOINTS))
    handle.ask_for("transition:chat.bsky")
    assert "transition%3Achat.bsky" in default_vault().get("api").secret.client_id


def test_a_secret_that_asks_for_no_scopes_says_so():
    handle = flowlet.secrets.add(Password(name="key", password="canary-3f", allowed_hosts=("api.example",)))
    with pytest.raises(InvalidSecret, match="no scopes"):
        handle.ask_for("a")
