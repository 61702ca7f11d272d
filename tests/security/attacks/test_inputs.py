"""Names, addresses, values, documents: what strangers, providers and APIs can choose, made to hurt."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import zipfile
from collections.abc import Callable

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.bounded_request import MAX_BYTES, unpacked
from flowlet_jupyter.vault import default_vault
from flowlet_jupyter.vault.file_names import file_name_of

CANARY = "canary-value-5e1f"
# each refused, or stored in a file of its own in the vault's folder and found again by this name
NAMES = ["../x", "..", ".", "/", "/etc/passwd", "a/../../b", "\\", "..\\x", "C:\\x", "con", "CON", "nul.txt", "a\0b", "a\nb",
         "\r", " a", "a ", "", " ", ".hidden", "a" * 300, "é" * 100, "😀", "\u202eevil", "a%2fb", "%00", "%2e%2e", "a:b", "a|b", "*",
         "?", '"', "<script>", "$(id)", "`id`", ";id", "-rf", "--help", "a.jwe", "a.lock", "pending", "ａ", "İ", "\ud800"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_secrets_name_leads_out_of_no_folder(name, isolated, attacked):
    def elsewhere() -> set:
        ours = {"vault", "vault.key"}
        return {path for path in isolated.parent.rglob("*") if not ours & set(path.parts)}

    before = elsewhere()
    try:
        flowlet.secrets.add(flowlet.Password(name=name, password=CANARY, allowed_hosts=("a.example",)))
    except FlowletError as error:
        assert CANARY not in str(error)
    else:
        stored = default_vault().names()
        assert len(stored) == 1
        assert default_vault().get(stored[0]).secret.password.reveal() == CANARY
        assert {path.parent for path in default_vault().folder.rglob("*.jwe")} == {default_vault().folder}
        assert "/" not in file_name_of(stored[0])
    assert elsewhere() == before
    attacked()


ENDPOINTS = ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "revocation_endpoint",
             "introspection_endpoint", "userinfo_endpoint", "jwks_uri", "issuer", "base_url",
             "pushed_authorization_request_endpoint", "identity_url")  # fmt: skip
ADDRESSES = ("javascript:alert(1)", "JaVaScRiPt:alert(1)//https://a.example", "file:///etc/passwd", "data:text/html,x", "ftp://a.example/",
             "vscode://evil", "ms-msdt:/id", "http://a.example/", "https://", "https://ann:pw@a.example/", "https://a.example/\r\nX: y",
             "https://a.example/ --proxy=x", "https://a.example\\@evil.example/", "//evil.example/", "$(id)", "-oProxyCommand=id")  # fmt: skip


@pytest.mark.parametrize("field", ENDPOINTS)
def test_an_address_that_would_run_or_leak_is_refused(field, attacked):
    good = {
        "authorization_endpoint": "https://a.example/a",
        "token_endpoint": "https://a.example/t",
        "client_id": "c",
        "client_secret": "value-of-it",
    }
    assert flowlet.OAuth2(name="x", **good)
    taken = []
    for address in ADDRESSES:
        with contextlib.suppress(FlowletError):
            flowlet.OAuth2(name="x", **{**good, "allowed_hosts": ("a.example",), field: address})
            taken.append(address)
    assert taken == []
    attacked(len(ADDRESSES))


VALUES = {"a line break": "\r\nX-Evil: 1", "a line feed": "\nX", "NUL": "\0", "DEL": "\x7f", "another alphabet": "ж",
          "ESC": "\x1b[2J", "a surrogate": "\ud800", "a line separator": "\u2028"}  # fmt: skip
KINDS: dict[str, Callable[[str, str], object]] = {
    "password": lambda value, url: flowlet.Password(name="x", password=value, base_url=url),
    "basic": lambda value, url: flowlet.Basic(name="x", username="ann", password=value, base_url=url),
    "headers": lambda value, url: flowlet.Headers(name="x", headers={"X-Key": value}, base_url=url),
    "header's name": lambda value, url: flowlet.Headers(name="x", headers={value: CANARY}, base_url=url),
    "api key": lambda value, url: flowlet.ApiKey(name="x", key=value, base_url=url),
    "prefix": lambda value, url: flowlet.ApiKey(name="x", key=CANARY, prefix=value, base_url=url),
    "parameter": lambda value, url: flowlet.ApiKey(name="x", key=CANARY, parameter=value, base_url=url),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", VALUES)
def test_no_value_makes_a_second_header_or_shows_in_the_refusal(what, kind, provider, attacked):
    value = f"{CANARY}{VALUES[what]}"
    try:
        flowlet.secrets.add(KINDS[kind](value, provider.url))
        response = flowlet.get("/echo", secret="x", timeout=5)
    except FlowletError as error:
        assert CANARY not in str(error) or kind in {"header's name", "parameter", "prefix"}
    else:  # a kind that encodes what it is given, such as Basic
        assert "X-Evil" not in response.json()["headers"]
    attacked()


def zip_bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 3_000_000)
    return packed.getvalue()


LAUGHS = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><r><i>&b;</i><i>&b;</i></r>'
DOCUMENTS = {
    "deep JSON": (b"[" * 100_000, "application/json"),
    "deep JSON objects": (b'{"a":' * 100_000, "application/json"),
    "cut JSON": (b'{"data": [', "application/json"),
    "JSON that is NaN": (b"NaN", "application/json"),
    "a number of 10,000 digits": (b"1" * 10_000, "application/json"),
    "no UTF-8": (b'\xff\xfe{"a": 1}\xff', "application/json"),
    "unfolding XML": (LAUGHS.encode(), "application/xml"),
    "XML that names a file": (b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r><i>&a;</i><i>x</i></r>', "text/xml"),
    "XML with a stranger's DTD": (b'<!DOCTYPE r SYSTEM "http://evil.example/x.dtd"><r><i>1</i></r>', "text/xml"),
    "a zip that is no workbook": (zip_bomb(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "no Parquet": (b"PAR1" + b"\0" * 100 + b"PAR1", "application/vnd.apache.parquet"),
    "no Arrow": (b"ARROW1" + b"\xff" * 100, "application/vnd.apache.arrow.file"),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_that_would_hurt_is_a_named_error(name, attacked):
    body, media_type = DOCUMENTS[name]
    response = flowlet.Response(200, content=body, headers={"content-type": media_type})
    try:
        frame = response.to_df()
    except FlowletError as error:
        assert "root:" not in str(error)
    else:
        assert "root:" not in frame.to_string()
        assert len(frame.to_string()) < 100_000
    assert len(repr(response)) < 100_000
    attacked()


@pytest.fixture(scope="module")
def bomb():
    return gzip.compress(b"0" * (MAX_BYTES * 50))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "x-gzip", "br", "zstd", "gzip, gzip"])
def test_a_providers_response_that_unfolds_is_given_up(encoding, bomb, attacked):
    import httpx

    assert len(bomb) < MAX_BYTES
    with pytest.raises(httpx.ReadError):
        unpacked(bomb, encoding, MAX_BYTES)
    attacked()


IMPORTED = {
    "a value for another host": {"type": "password", "password": CANARY, "allowed_hosts": ["*"]},
    "a wildcard of a top-level domain": {"type": "password", "password": CANARY, "allowed_hosts": ["*.com"]},
    "a field that is none": {"type": "password", "password": CANARY, "__class__": "x"},
    "a kind that is none": {"type": "os.system", "password": CANARY},
    "hosts that are no list": {"type": "password", "password": CANARY, "allowed_hosts": {"a": 1}},
    "a value that is none": {"type": "password", "password": ["a"], "allowed_hosts": ["a.example"]},
    "a file as the password": {"type": "external", "source": "exec:id", "allowed_hosts": ["a.example"]},
}


@pytest.mark.parametrize("name", IMPORTED)
def test_a_configuration_from_elsewhere_is_checked(name, attacked):
    from flowlet_jupyter.model.schema import from_mapping

    fields = {**IMPORTED[name], "name": "x"}
    with pytest.raises(FlowletError) as caught:
        from_mapping(fields.pop("type"), json.loads(json.dumps(fields)))
    assert CANARY not in str(caught.value)
    attacked()


def test_a_secret_value_is_made_of_nothing_else(attacked):
    for value in (CANARY.encode(), [CANARY], {"a": CANARY}, 5, None, object()):
        with pytest.raises(FlowletError) as caught:
            SecretValue(value)
        assert CANARY not in str(caught.value)
    attacked(6)
