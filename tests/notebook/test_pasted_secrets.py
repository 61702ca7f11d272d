"""What was left out of a pasted request becomes a secret by one line, and its value is seen nowhere."""

from __future__ import annotations

import base64

import pytest
from leak_search import files_below, leaks

from flowlet_jupyter.credentials.handles import Secrets
from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.static import ApiKey, Basic, Headers, Password
from flowlet_jupyter.notebook.pasted_secrets import PastedCredentials, host_of
from flowlet_jupyter.notebook.request_line.grammar import parse
from flowlet_jupyter.session import default_session

CANARY = "canary-value-31d9"
BASIC = base64.b64encode(f"ann:{CANARY}".encode()).decode()


def held(*options: str) -> PastedCredentials:
    found = default_session().part(PastedCredentials)
    pairs = []
    for number, option in enumerate(options):
        spec = parse("", f"curl https://api{number}.example/x {option}")
        pairs += [(f"api{number}.example", credential) for credential in spec.left_out]
    found.hold(pairs)
    return found


@pytest.mark.parametrize(
    ("option", "kind", "headers", "query"),
    [
        (f"-H 'Authorization: Bearer {CANARY}'", Password, {"Authorization": f"Bearer {CANARY}"}, {}),
        (f"-H 'authorization: bearer {CANARY}'", Password, {"Authorization": f"Bearer {CANARY}"}, {}),
        (f"-H 'Authorization: Token {CANARY}'", ApiKey, {"Authorization": f"Token {CANARY}"}, {}),
        (f"-H 'Authorization: {CANARY}'", ApiKey, {"Authorization": CANARY}, {}),
        (f"-H 'Authorization: Basic {BASIC}'", Basic, {"Authorization": f"Basic {BASIC}"}, {}),
        (f"-H 'Authorization: Basic ann:{CANARY}'", Basic, {"Authorization": f"Basic {BASIC}"}, {}),
        (f"-H 'Authorization: Basic ann {CANARY}'", Basic, {"Authorization": f"Basic {BASIC}"}, {}),
        (f"-u ann:{CANARY}", Basic, {"Authorization": f"Basic {BASIC}"}, {}),
        (f"-u {CANARY}:", Basic, {"Authorization": "Basic " + base64.b64encode(f"{CANARY}:".encode()).decode()}, {}),
        (f"-H 'X-Api-Key: {CANARY}'", ApiKey, {"X-Api-Key": CANARY}, {}),
        (f"-b sid={CANARY}", Headers, {"Cookie": f"sid={CANARY}"}, {}),
        (f"--url-query api_key={CANARY}", ApiKey, {}, {"api_key": CANARY}),
        (f"-H 'apikey: k1' -H 'Authorization: Bearer {CANARY}'", Headers,
         {"apikey": "k1", "Authorization": f"Bearer {CANARY}"}, {}),
    ],
)  # fmt: skip
def test_the_secret_sends_what_was_pasted_to_that_host(option, kind, headers, query):
    handle, left = held(option).store("acme", Secrets(default_session().vault))
    secret = handle.vault.get("acme").secret
    sent = secret.credentials()
    assert isinstance(secret, kind)
    assert {name: value.reveal() for name, value in sent.headers.items()} == headers
    assert {name: value.reveal() for name, value in sent.query.items()} == query
    assert secret.allowed_hosts == ("api0.example",)
    assert not left


def test_what_one_secret_cannot_hold_is_held_and_said():
    found = held(f"-H 'X-Api-Key: {CANARY}' --url-query token={CANARY}", f"-H 'X-Api-Key: {CANARY}'")
    secrets = Secrets(default_session().vault)
    _, left = found.store("one", secrets)
    assert "the parameter token of the URL (for api0.example)" in left
    assert "the header X-Api-Key (for api1.example)" in left
    found.store("two", secrets)
    found.store("three", secrets)
    assert secrets["three"].configuration()["allowed_hosts"] == ["api1.example"]
    with pytest.raises(InvalidSecret, match="run the cell with the pasted request first"):
        found.store("four", secrets)


def test_a_name_that_is_taken_loses_nothing():
    found = held(f"-u ann:{CANARY}")
    secrets = Secrets(default_session().vault)
    secrets.add(Password(name="acme", password="x", allowed_hosts=("b.example",)))
    with pytest.raises(InvalidSecret, match="already"):
        found.store("acme", secrets)
    assert found.store("other", secrets)


def test_no_repr_shows_a_value_and_closing_forgets_it():
    found = held(f"-u ann:{CANARY}")
    shown = repr(default_session()) + repr(found) + repr(vars(found)) + repr(vars(default_session()))
    assert leaks({"shown": shown.encode()}, [CANARY]) == []
    default_session().close()
    with pytest.raises(InvalidSecret):
        found.store("acme", Secrets(default_session().vault))


def test_what_is_computed_for_each_request_is_not_stored():
    with pytest.raises(InvalidSecret, match="computed anew"):
        held(f"-H 'Authorization: Digest username=x, response={CANARY}'").store(
            "acme", Secrets(default_session().vault)
        )


def test_a_credential_of_a_body_is_no_secret_of_ours():
    with pytest.raises(InvalidSecret):
        held(f"-d client_secret={CANARY}").store("acme", Secrets(default_session().vault))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://a.example/x", "a.example"),
        ("https://a.example:8443/x", "a.example:8443"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("https://[::1]:99/", "[::1]:99"),
        ("https://a.example:port/", ""),
        ("/only/a/path", ""),
    ],
)
def test_the_host_of_a_url(url, host):
    assert host_of(url) == host


def test_a_pasted_request_its_secret_and_the_clean_request(kernel, api, isolated):
    def outputs(code: str) -> str:
        assert kernel.run(code.replace("API", api.url))["status"] == "ok", kernel.text
        messages = [message for message in kernel.said if message["msg_type"] != "execute_input"]
        assert leaks({"said": repr(messages).encode()}, [CANARY]) == []
        return repr(messages)

    shown = outputs(f"%%flowlet_request\ncurl API/echo -H 'X-Api-Key: {CANARY}'")
    assert "%flowlet_secret --from-paste NAME" in shown
    assert "X-Api-Key" not in dict(api.requests[-1][2])
    assert "127.0.0.1" in outputs("%flowlet_secret --from-paste acme")
    outputs("r = %flowlet_request API/echo --secret acme")
    assert dict(api.requests[-1][2])["X-Api-Key"] == CANARY
    assert CANARY not in outputs("flowlet.secrets['acme'].configuration(), r, flowlet.secrets")
    shown = outputs("%xmode Verbose\ntry:\n    get_ipython().run_line_magic('flowlet_secret', '--from-paste other')\n"
                    "except Exception as error:\n    print(error)")  # fmt: skip
    assert "Nothing was pasted" in shown
    assert leaks(files_below(isolated / "vault"), [CANARY]) == []
