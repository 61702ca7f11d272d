"""tls_client_auth (RFC 8705, 2.1) against a real TLS server that asks for the client's certificate."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import json
import ssl
import threading
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import TokenEndpointError
from flowlet_jupyter.model.oauth2 import CLIENT_CREDENTIALS, OAuth2
from flowlet_jupyter.oauth import endpoint


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=is_ca, crl_sign=is_ca, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


class Issuer:
    """A certificate authority of one test."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
        certificate = self._signed("test CA", self.key.public_key(), is_ca=True)
        self.file = self._write("ca.pem", certificate.public_bytes(serialization.Encoding.PEM))

    def _signed(self, name: str, key, *, is_ca: bool = False) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), True)
            # Python 3.13 verifies strictly (RFC 5280): a certificate names its key and its issuer's, an issuer its usage
            .add_extension(_usage(is_ca=is_ca), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
            .sign(self.key, hashes.SHA256())
        )

    def _write(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return str(self.folder / name)

    def issue(self, name: str) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        certificate = self._signed(name, key.public_key()).public_bytes(serialization.Encoding.PEM)
        return self._write(f"{name}.pem", certificate), self._write(f"{name}-key.pem", pem)


class TokenEndpoint(http.server.BaseHTTPRequestHandler):
    """Gives a token to whoever showed a certificate for the client ID that it names."""

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        subject = dict(pair[0] for pair in self.connection.getpeercert()["subject"])
        known = subject["commonName"] == body["client_id"][0] and "client_secret" not in body
        response = {"access_token": "by-certificate", "expires_in": 60} if known else {"error": "invalid_client"}
        content = json.dumps(response).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def issuer(tmp_path, monkeypatch):
    made = Issuer(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", made.file)
    endpoint._ssl_context.cache_clear()  # made once a process, from the authorities of that time
    yield made
    endpoint._ssl_context.cache_clear()


@pytest.fixture
def token_endpoint(issuer):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*issuer.issue("server"))
    context.load_verify_locations(issuer.file)
    context.verify_mode = ssl.CERT_REQUIRED
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TokenEndpoint)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/token"
    server.shutdown()
    thread.join()
    server.server_close()


def secret(url: str, certificate: str, key: str) -> OAuth2:
    return OAuth2(
        name="robot", grant_type=CLIENT_CREDENTIALS, client_id="robot", token_endpoint=url,
        token_endpoint_auth_method="tls_client_auth", client_certificate_file=certificate, client_key_file=key,
    )  # fmt: skip


def test_the_certificate_is_the_clients_authentication(issuer, token_endpoint):
    handle = flowlet.secrets.add(secret(token_endpoint, *issuer.issue("robot")))
    assert handle.token().reveal() == "by-certificate"


def test_a_certificate_of_another_client_is_refused(issuer, token_endpoint):
    handle = flowlet.secrets.add(secret(token_endpoint, *issuer.issue("somebody")))
    with pytest.raises(TokenEndpointError, match="invalid_client"):
        handle.token()


def test_a_certificate_of_another_authority_is_refused(issuer, token_endpoint, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    handle = flowlet.secrets.add(secret(token_endpoint, *Issuer(other).issue("robot")))
    with pytest.raises(TokenEndpointError, match="could not be reached"):
        handle.token()
