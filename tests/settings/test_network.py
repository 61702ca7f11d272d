"""Proxies and certificates as the environment names them: each form for itself, against real servers and proxies."""

from __future__ import annotations

import http.server
import ssl
import threading

import httpx
import pytest
import trustme

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import FlowletError, MissingExtra, NetworkSetupError, ProviderError
from flowlet_jupyter.oauth import endpoint
from flowlet_jupyter.settings.network import tls_context
from flowlet_jupyter.settings.proxies import ProxySettings, parse_bypass, proxy_settings


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "12")
        self.end_headers()
        self.wfile.write(b'{"data": []}')

    def log_message(self, *_):
        pass


def serve(context: ssl.SSLContext | None = None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.seen = []
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


@pytest.fixture
def plain():
    server = serve()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def secure(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = serve(context)
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("entry", "past", "through"),
    [
        ("::1", "https://[::1]/", "https://[::2]/"),
        ("[::1]", "https://[::1]:8443/", "https://[::2]/"),
        ("[::1]:8443", "https://[::1]:8443/", "https://[::1]/"),
        ("fd00::/8", "https://[fd12::1]/", "https://[fe80::1]/"),
        ("10.0.0.0/8", "https://10.1.2.3/", "https://11.1.2.3/"),
        ("192.168.1.7", "https://192.168.1.7/", "https://192.168.1.8/"),
        ("https://a.example", "https://a.example/", "http://a.example/"),
        ("all://a.example:8443", "https://a.example:8443/", "https://a.example/"),
        (".corp.example", "https://a.corp.example/", "https://corp.example/"),
        ("*.corp.example", "https://a.corp.example/", "https://corp.example/"),
        ("corp.example", "https://a.corp.example/", "https://acorp.example/"),
        ("CORP.example", "https://corp.example/", "https://corp.example.org/"),
        ("a.example:8443", "https://a.example:8443/", "https://a.example/"),
        ("bücher.example", "https://bücher.example/", "https://buecher.example/"),
    ],
)
def test_each_form_of_no_proxy_goes_past_the_proxy(monkeypatch, entry, past, through):
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", f" , {entry}, ://, [broken, ")
    settings = proxy_settings()
    assert settings.proxy_for(httpx.URL(past)) is None
    assert settings.proxy_for(httpx.URL(through)) == "http://proxy.example:3128"


def test_the_schemes_have_proxies_of_their_own_and_a_star_means_none(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert proxy_settings().proxy_for(httpx.URL("https://a.example/")) == "http://proxy.example:3128"
    assert proxy_settings().proxy_for(httpx.URL("http://a.example/")) is None
    monkeypatch.setenv("NO_PROXY", "a.example,*")
    assert proxy_settings().proxy_for(httpx.URL("https://b.example/")) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "localhost.", "api.localhost", "[::1]",
                                  "[::ffff:127.0.0.1]", "0.0.0.0"])  # fmt: skip
def test_nothing_on_this_machine_by_http_goes_to_a_proxy(host):
    settings = ProxySettings({"http": "http://proxy.example:3128", "all": "http://proxy.example:3128"})
    assert settings.proxy_for(httpx.URL(f"http://{host}:8888/")) is None
    assert settings.proxy_for(httpx.URL("http://api.example/")) is not None


def test_what_says_nothing_is_left_out():
    assert parse_bypass("://") is None
    assert parse_bypass("[broken") is None


def test_a_request_goes_through_the_proxy_that_is_named(plain, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{plain.server_port}")
    monkeypatch.setenv("NO_PROXY", "::1,fd00::/8")
    with flowlet.client() as client:
        assert client.get("http://api.example/x").status_code == 200
    assert plain.seen == ["http://api.example/x"]


@pytest.mark.parametrize("proxy", ["socks9://ann:canary-5e1f@127.0.0.1:1", "http://ann:canary-5e1f@proxy.example:port"])
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(NetworkSetupError, match="HTTPS_PROXY") as caught:
        flowlet.get("https://api.example/")
    assert "canary" not in str(caught.value)


def test_socks_names_the_extra_that_it_needs(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "socksio", None)
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(MissingExtra, match=r"httpx\[socks\]"):
        flowlet.get("https://api.example/")


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_authority_that_the_environment_names_is_trusted_by_api_and_provider(
    secure, authority, tmp_path, monkeypatch, variable
):
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    for each in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(each, raising=False)
    context = tls_context()
    assert isinstance(context, ssl.SSLContext)
    with httpx.Client(verify=context) as client, pytest.raises(httpx.ConnectError):
        client.get(secure)
    endpoint._ssl_context.cache_clear()
    with pytest.raises(ProviderError, match="SSL_CERT_FILE=/path/to/ca"):
        endpoint.send("GET", secure, failed="The token endpoint")
    monkeypatch.setenv(variable, str(file))
    with httpx.Client(verify=tls_context()) as client:
        assert client.get(secure).status_code == 200
    endpoint._ssl_context.cache_clear()
    assert endpoint.send("GET", secure, failed="The token endpoint").status == 200
    endpoint._ssl_context.cache_clear()


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_file_that_is_missing_is_named(tmp_path, monkeypatch, variable):
    for each in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(each, raising=False)
    missing = tmp_path / "no-such.pem"
    monkeypatch.setenv(variable, str(missing))
    with pytest.raises(FlowletError, match=f"{variable} names .*no-such.pem, which does not exist"):
        tls_context()
    missing.write_text("nothing")
    with pytest.raises(FlowletError, match="holds no certificate"):
        tls_context()


def test_an_issuer_that_nobody_knows_is_explained(secure):
    with pytest.raises(flowlet.RequestFailed, match="SSL_CERT_FILE=/path/to/ca"):
        flowlet.get(secure)
