"""The button "Test": one harmless request, and what was used last."""

from __future__ import annotations

import pytest
from support import eventually, free_port

from flowlet_jupyter.http.usage_log import last_uses
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.static import ApiKey
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.testing import put_secret
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"


def store_key(base_url: str, **more) -> None:
    key = ApiKey(name="api", key=SecretValue(CANARY), base_url=base_url, **more)
    default_vault().put(Record(secret=key))


async def test_the_test_sends_one_get_with_the_key_and_gives_no_value(server, api):
    store_key(f"{api.url}/echo")
    response = await server.call("POST", "api/secrets/api/test")
    host = api.url.removeprefix("http://")
    assert response.json() == {
        "method": "GET", "host": host, "path": "/echo", "status": 200, "reason": "OK", "outcome": "works", "identity": "",
        "error_text": "", "next_step": "", "text": f"It works: 200 from {host}/echo",
    }  # fmt: skip
    assert CANARY not in response.text


async def test_the_last_use_is_listed_and_may_be_sent_back(server, api):
    store_key(f"{api.url}/echo")
    await server.call("POST", "api/secrets/api/test")
    eventually(lambda: last_uses(default_vault()))
    listed = (await server.call("GET", "api/secrets")).json()
    assert (listed[0]["last_use"]["status"], listed[0]["last_use"]["method"]) == (200, "GET")
    shown = (await server.call("GET", "api/secrets/api")).json()
    assert shown["last_use"] == listed[0]["last_use"]
    assert (await server.call("PUT", "api/secrets/api", json=shown)).status_code == 200


async def test_a_refused_secret_is_said_and_no_error_of_the_server(server, birdsong):
    secret = OAuth2(name="bird", authorization_endpoint=birdsong.authorization_endpoint, client_id="x",
                    token_endpoint=birdsong.token_endpoint, identity_url=f"{birdsong.url}/2/users/me",
                    base_url=birdsong.url)  # fmt: skip
    put_secret(secret, access_token=CANARY)
    response = await server.call("POST", "api/secrets/bird/test")
    assert CANARY not in response.text
    if response.status_code == 200:
        assert response.json()["outcome"] == "refused"
    else:
        assert (response.status_code, response.json()["error"]) == (409, "AuthRequired")


async def test_an_api_that_cannot_be_reached_is_a_clear_error(server):
    store_key(f"http://127.0.0.1:{free_port()}/")
    response = await server.call("POST", "api/secrets/api/test")
    assert 400 <= response.status_code < 600
    assert "failed: ConnectError" in response.json()["message"]
    assert CANARY not in response.text


async def test_where_nothing_can_be_asked_it_says_what_to_give(server):
    key = ApiKey(name="api", key=SecretValue(CANARY), allowed_hosts=("*.example.org",))
    default_vault().put(Record(secret=key))
    response = await server.call("POST", "api/secrets/api/test")
    assert (response.status_code, "base URL" in response.json()["message"]) == (400, True)


@pytest.mark.parametrize("path", ["api/secrets/nobody/test"])
async def test_a_secret_that_is_not_there_is_404(server, path):
    assert (await server.call("POST", path)).status_code == 404


async def test_an_organisations_provider_is_marked(server, tmp_path, monkeypatch):
    folder = tmp_path / "flowlet" / "providers"
    folder.mkdir(parents=True)
    (folder / "house.toml").write_text(
        'title = "House"\nsource = "https://house.example/"\ntoken_endpoint = "https://house.example/t"\n'
        'authorization_endpoint = "https://house.example/a"\nallowed_hosts = ["house.example"]\n'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    listed = {
        entry["key"]: entry.get("is_organisations", False)
        for entry in (await server.call("GET", "api/providers")).json()
    }
    assert (listed["house"], listed["spotify"]) == (True, False)


@pytest.mark.parametrize(
    ("base_url", "hosts", "shown"),
    [
        ("https://api.example/v1", (), "/"),
        ("https://api.example/v1", ("other.example",), None),
        (None, ("api.example",), None),
        ("https://api.example/{{x}}", (), "/"),
    ],
)
async def test_the_harmless_request_is_shown_as_a_cell_names_it(server, base_url, hosts, shown):
    key = ApiKey(name="api", key=SecretValue(CANARY), base_url=base_url, **({"allowed_hosts": hosts} if hosts else {}))
    default_vault().put(Record(secret=key))
    response = await server.call("GET", "api/secrets/api")
    assert response.json()["example_url"] == shown
    assert CANARY not in response.text


async def test_the_catalogues_harmless_request_is_shown_relative_to_the_base_url(server):
    put_secret(OAuth2(name="x", provider="twitter", authorization_endpoint="https://x.com/i/oauth2/authorize",
                      token_endpoint="https://api.twitter.com/2/oauth2/token", client_id="x",
                      base_url="https://api.twitter.com/2", allowed_hosts=("api.twitter.com",)))  # fmt: skip
    assert (await server.call("GET", "api/secrets/x")).json()["example_url"] == "/users/me"
