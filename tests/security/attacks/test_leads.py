"""Addresses that strangers' documents name: an API's metadata, a DID's document, a handle."""

from __future__ import annotations

import socket

import pytest
import respx

from flowlet_jupyter.errors import DiscoveryFailed, InvalidSecret
from flowlet_jupyter.oauth import atproto
from flowlet_jupyter.oauth.atproto import Account, is_its_handle
from flowlet_jupyter.oauth.discovery import discover
from flowlet_jupyter.oauth.documents import checked_lead

INSIDE = ["http://127.0.0.1:8888", "http://localhost", "https://LOCALHOST", "https://x.localhost", "https://localhost.", "https://127.1",
          "https://2130706433", "https://0x7f.1", "https://0.0.0.0", "https://[::]", "https://[::1]", "https://[::ffff:127.0.0.1]",
          "https://[64:ff9b::7f00:1]", "https://[2002:7f00:1::]", "https://10.0.0.1", "https://192.168.1.1", "https://169.254.169.254",
          "https://[fd00::1]", "https://[fe80::1%25eth0]", "https://127。0。0。1", "https://①②⑦.0.0.1", "https://printer.local",
          "https://metadata.google.internal", "https://router", "https://localhost%2e",
          "https://168.63.129.16", "https://100.100.100.200", "https://192.0.0.192", "https://[fec0::1]", "https://[::127.0.0.1]", "https://[::ffff:0:7f00:1]",
          "https://[64:ff9b:1::7f00:1]", "https://[2001:0:7f00:1::]", "https://[5f00::1]", "https://[3fff::1]", "https://0177.0.0.1", "https://10.1"]  # fmt: skip


@pytest.fixture(autouse=True)
def no_name_server(monkeypatch):
    """A name of another machine is not known, at once: a network without a name server takes seconds to say so."""
    ask = socket.getaddrinfo

    def getaddrinfo(host, *arguments, **options):
        if str(host).endswith((".example", ".internal")):
            raise socket.gaierror(socket.EAI_NONAME, "not known here")
        return ask(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("inside", INSIDE, ids=ascii)
def test_a_server_elsewhere_leads_to_nothing_inside(inside, attacked):
    with pytest.raises(InvalidSecret):
        checked_lead("https://evil.example", f"{inside}/x")
    attacked()


@pytest.mark.parametrize(
    "numeric", ["https://0x7f.1", "https://127.1", "https://0177.0.0.1", "https://0xa9fea9fe", "https://10.1"]
)
def test_a_proxy_is_not_asked_for_a_number_that_it_reads_otherwise(numeric, monkeypatch, attacked):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    with pytest.raises(InvalidSecret):
        checked_lead("https://evil.example", f"{numeric}/x")
    attacked()


ENDPOINTS = [
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "registration_endpoint",
    "revocation_endpoint",
]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "inside", ["https://10.0.0.1/x", "http://127.0.0.1:8888/x", "https://metadata.google.internal/x"]
)
@pytest.mark.parametrize("document", ["openid-configuration", "smart-configuration"])
def test_a_provider_elsewhere_names_no_endpoint_inside(document, endpoint, inside, attacked):
    content = {"issuer": "https://evil.example", "token_endpoint": "https://evil.example/t", "capabilities": []}
    with respx.mock as mocked:
        mocked.get(f"https://evil.example/.well-known/{document}").respond(json={**content, endpoint: inside})
        mocked.route().respond(404)
        if (document, endpoint) == ("smart-configuration", "jwks_uri"):
            assert "jwks_uri" not in discover("https://evil.example").endpoints  # which SMART has from the issuer
        else:
            with pytest.raises(DiscoveryFailed, match="inside this machine or network"):
                discover("https://evil.example")
    attacked()


def test_a_server_inside_may_name_another_one():
    assert checked_lead("https://10.0.0.1/api", "https://login.internal/") == "https://login.internal/"
    assert checked_lead("http://127.0.0.1:1/api", "http://localhost:2/") == "http://localhost:2/"


@pytest.mark.parametrize("handle", ["x.localhost", "printer.local", "metadata.google.internal"])
def test_a_handle_of_a_document_leads_to_nothing_inside(handle, monkeypatch, attacked):
    asked = []
    monkeypatch.setattr(atproto, "send", lambda _, url, **__: asked.append(url))
    monkeypatch.setattr(atproto, "document_at", lambda url: asked.append(url) or {})
    assert not is_its_handle(Account("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "https://pds.evil.example", handle))
    assert not asked
    attacked()
