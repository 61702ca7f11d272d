"""ID tokens, keys and device codes that a provider, or whoever stands in for it, makes up."""

from __future__ import annotations

import base64
import hmac
import json
import time

import pytest
import respx
from id_tokens import CLIENT_SECRET, ISSUER, id_token_claims, openid_secret
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from flowlet_jupyter.errors import FlowletError, TokenEndpointError
from flowlet_jupyter.model.oauth2 import DEVICE_CODE
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import device
from flowlet_jupyter.oauth.id_token import Unproven, validated_claims

KEY, FOREIGN = RSAKey.generate_key(2048, {"kid": "k"}), RSAKey.generate_key(2048, {"kid": "k"})
NONCE = SecretValue("n")


def _part(value) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture
def keys():
    """The provider's own key is published."""
    with respx.mock as mocked:
        yield mocked.get(f"{ISSUER}/jwks").respond(json={"keys": [KEY.as_dict(private=False)]})


def _is_refused(token: str, **fields) -> bool:
    try:
        validated_claims(openid_secret(**fields), token, nonce=NONCE)
    except (TokenEndpointError, Unproven):
        return True
    return False


def test_the_provider_s_own_token_is_taken(keys):
    assert validated_claims(
        openid_secret(), jwt.encode({"alg": "RS256", "kid": "k"}, id_token_claims(), KEY), nonce=NONCE
    )


WRONG = {
    "iss": ["https://evil.example", "https://auth.example/", "https://auth.example.evil.example", "HTTPS://AUTH.EXAMPLE", "", 1, [ISSUER], {}, None],
    "aud": ["other", "", "ID", "id ", 1, [], ["other"], ["id", "other"], [["id"]], {"id": 1}, None],
    "azp": ["other", "", ["id"], 0, True],
    "exp": [1, 0, -1, "4000000000", True, [], {}, None],
    "sub": ["", None],
    "nonce": ["other", "", "N", ["n"], 0, None],
    "iat": [1, "now", True, 4e9, [], None, -1e300],
}  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "value"), [(claim, value) for claim, values in WRONG.items() for value in values], ids=repr
)
def test_a_signed_token_that_is_not_for_us_proves_nothing(claim, value, keys, attacked):
    token = jwt.encode({"alg": "RS256", "kid": "k"}, id_token_claims(**{claim: value}), KEY)
    assert _is_refused(token)
    attacked()


def _byopenid_secret(key: bytes) -> str:
    """A token with the HMAC of `key`, which no library makes of a public one."""
    signed = f"{_part({'alg': 'HS256', 'kid': 'k'})}.{_part(id_token_claims())}"
    return f"{signed}.{_part(hmac.digest(key, signed.encode(), 'sha256'))}"


def _forged() -> dict[str, str]:
    claims = _part(id_token_claims())
    head, body, signature = jwt.encode({"alg": "RS256", "kid": "k"}, id_token_claims(), KEY).split(".")
    public = KEY.as_pem(private=False)
    forged = {
        "another key": jwt.encode({"alg": "RS256", "kid": "k"}, id_token_claims(), FOREIGN),
        "the key in its header": jwt.encode({"alg": "RS256", "jwk": FOREIGN.as_dict(private=False)}, id_token_claims(), FOREIGN),
        "an address of keys": jwt.encode({"alg": "RS256", "jku": "https://evil.example/jwks"}, id_token_claims(), FOREIGN),
        "another body": f"{head}.{_part(id_token_claims(sub='2'))}.{signature}",
        "another head": f"{_part({'alg': 'RS512', 'kid': 'k'})}.{body}.{signature}",
        "no signature": f"{head}.{body}.",
        "half a signature": f"{head}.{body}.{signature[:100]}",
        "an elliptic key": jwt.encode({"alg": "ES256", "kid": "k"}, id_token_claims(), ECKey.generate_key("P-256")),
        "encrypted for us": jwe.encrypt_compact({"alg": "dir", "enc": "A128GCM"}, json.dumps(id_token_claims()), OctKey.import_key(b"0" * 16)),
        "an unknown rule": f"{_part({'alg': 'RS256', 'kid': 'k', 'crit': ['b64'], 'b64': False})}.{body}.{signature}",
        "words": "no token at all", "nothing": "", "dots": "...", "many dots": "." * 10_000, "a deep head": f"{_part(b'[' * 100_000)}.{body}.{signature}",
    }  # fmt: skip
    for algorithm in (
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        "HS256",
        "HS384",
        "HS512",
        "RS1",
        "../RS256",
        None,
        ["RS256"],
        {},
        256,
    ):
        forged[f"algorithm {algorithm}"] = f"{_part({'alg': algorithm, 'kid': 'k'})}.{claims}."
    for name, text in {
        "public key": public,
        "its modulus": KEY.as_dict(private=False)["n"].encode(),
        "client secret": CLIENT_SECRET.encode(),
    }.items():
        forged[f"HS256 by the {name}"] = _byopenid_secret(text)
    return forged


FORGED = _forged()


@pytest.mark.parametrize("forgery", FORGED)
@pytest.mark.parametrize("supported", [(), ("RS256",), ("RS256", "none")], ids=str)
def test_a_forged_token_proves_nothing(forgery, supported, keys, attacked):
    assert _is_refused(FORGED[forgery], id_token_signing_alg_values_supported=supported)
    attacked()


@pytest.mark.parametrize("key", ["another", "", "public"])
def test_a_provider_that_signs_by_the_client_secret_proves_nothing_by_another(key, keys, attacked):
    by = {"another": b"another-secret-that-is-long-enough", "": b"x", "public": KEY.as_pem(private=False)}[key]
    token = _byopenid_secret(by)
    assert _is_refused(token, id_token_signing_alg_values_supported=("HS256",))
    attacked()


PUBLIC = KEY.as_dict(private=False)
NO_KEYS = {
    "a secret": {"keys": [{"kty": "oct", "k": _part(CLIENT_SECRET.encode()), "kid": "k"}]}, "none": {"keys": []}, "no list": {"keys": {}}, "null": {"keys": None},
    "a list": [PUBLIC], "a text": "keys", "numbers": {"keys": [1, 2]}, "no kind": {"keys": [{"kid": "k"}]}, "an unknown kind": {"keys": [{"kty": "XYZ", "kid": "k"}]},
    "a short one": {"keys": [RSAKey.generate_key(1024, {"kid": "k"}).as_dict(private=False)]}, "a modulus of 1": {"keys": [{**PUBLIC, "n": "AQ"}]},
    "an exponent of 1": {"keys": [{**PUBLIC, "e": "AQ"}]}, "no exponent": {"keys": [{**PUBLIC, "e": ""}]}, "a huge modulus": {"keys": [{**PUBLIC, "n": "_" * 200_000}]},
    "not base64": {"keys": [{**PUBLIC, "n": "é!"}]}, "for another use": {"keys": [{**PUBLIC, "use": "enc"}]}, "another's": {"keys": [FOREIGN.as_dict(private=False)]},
}  # fmt: skip


@pytest.mark.parametrize("published", NO_KEYS)
def test_keys_that_are_none_prove_nothing(published, keys, attacked):
    keys.respond(json=NO_KEYS[published])
    signing = KEY if published != "a short one" else FOREIGN
    started = time.process_time()
    assert _is_refused(jwt.encode({"alg": "RS256", "kid": "k"}, id_token_claims(), signing))
    assert time.process_time() - started < 5
    attacked()


@pytest.mark.parametrize("status", [201, 203, 204, 301, 302, 400, 404, 500])
def test_keys_of_another_status_prove_nothing(status, keys, attacked):
    keys.respond(status, json={"keys": [PUBLIC]}, headers={"location": "https://evil.example/jwks"})
    assert _is_refused(jwt.encode({"alg": "RS256", "kid": "k"}, id_token_claims(), KEY))
    attacked()


GOOD = {"device_code": "d", "user_code": "AB-CD", "verification_uri": "https://auth.example/device", "expires_in": 600}
BAD_CODES = [
    *({"verification_uri": uri} for uri in ("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://auth.example/device", "//auth.example", "vscode://x", "https://a@evil.example",
                                            "https://auth.example\\@evil.example", "https://auth.example/\nx", "https://auth.example/#x", "", None, 1, [], f"https://auth.example/{'a' * 5000}")),
    *({"verification_uri_complete": uri} for uri in ("javascript:alert(1)", "data:text/html,x", "http://auth.example/d?c=1", "https://a@evil.example", "https://x/<script>")),
    {"user_code": ""}, {"user_code": None}, {"user_code": 1}, {"user_code": ["AB"]}, {"device_code": ""}, {"device_code": {}},
    {"error": "slow_down"}, {"error": ["x"]}, {"error": {"message": "x"}},
]  # fmt: skip


@pytest.mark.parametrize("changed", BAD_CODES, ids=lambda changed: repr(changed)[:60])
def test_a_device_code_that_leads_elsewhere_is_not_shown(changed, attacked):
    tv = openid_secret(grant_type=DEVICE_CODE, device_authorization_endpoint=f"{ISSUER}/device")
    with respx.mock as mocked:
        mocked.post(f"{ISSUER}/device").respond(json={**GOOD, **changed})
        with pytest.raises(FlowletError):
            device.request_code(tv)
    attacked()


@pytest.mark.parametrize(
    "seconds", [1e400, "inf", "nan", -1, 0, "x", [], {}, None, True, "9" * 400], ids=lambda each: repr(each)[:12]
)
@pytest.mark.parametrize("name", ["expires_in", "interval"])
def test_no_device_code_is_waited_for_without_end(name, seconds, attacked):
    tv = openid_secret(grant_type=DEVICE_CODE, device_authorization_endpoint=f"{ISSUER}/device")
    with respx.mock as mocked:
        mocked.post(f"{ISSUER}/device").respond(
            text=json.dumps({**GOOD, name: seconds}), headers={"content-type": "application/json"}
        )
        shown = device.request_code(tv)
    assert time.time() < shown.expires_at <= time.time() + device.MAX_LIFETIME_SECONDS
    assert 0 < shown.interval <= device.MAX_INTERVAL_SECONDS
    attacked()


def test_an_address_too_long_for_a_qr_code_is_left_out(attacked):
    tv = openid_secret(grant_type=DEVICE_CODE, device_authorization_endpoint=f"{ISSUER}/device")
    with respx.mock as mocked:
        mocked.post(f"{ISSUER}/device").respond(
            json={**GOOD, "verification_uri_complete": f"{ISSUER}/device?{'a' * 5000}"}
        )
        assert device.request_code(tv).verification_uri_complete is None
    attacked()
