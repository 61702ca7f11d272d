"""A data server of atproto that is its own authorization server, as its profile has them; and a directory of DIDs.

Tests change what the directory and the metadata say: `services`, `handles`, `authorization_servers`, `subject`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

DID = "did:plc:" + "abcdefghijklmnopqrstuvwx"
OTHER = "did:plc:" + "zzzzzzzzzzzzzzzzzzzzzzzz"


class Atproto:
    """What the server says and what it saw."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.subject: str | None = DID
        self.scope: str | None = None  # None: what was asked for
        self.documents = {
            DID: self.document(DID, "ann.test", url),
            OTHER: self.document(OTHER, "ben.test", "http://127.0.0.1:1"),
        }
        self.handles = {"ann.test": DID, "ben.test": OTHER}
        self.authorization_servers: list[str] = [url]
        self.pushed: dict[str, dict[str, str]] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, str] = {}
        self.nonce = "nonce-1"
        self.asked: list[str] = []
        self.redirected_to: list[str] = []

    @staticmethod
    def document(did: str, handle: str, pds: str) -> dict:
        """The document of a DID."""
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": pds}
        return {"id": did, "alsoKnownAs": [f"at://{handle}"], "service": [service]}

    def metadata(self) -> dict:
        """RFC 8414, with what atproto's profile demands."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "pushed_authorization_request_endpoint": f"{self.url}/par",
            "require_pushed_authorization_requests": True,
            "scopes_supported": ["atproto", "transition:generic", "transition:chat.bsky"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
            "dpop_signing_alg_values_supported": ["ES256"],
            "authorization_response_iss_parameter_supported": True,
            "client_id_metadata_document_supported": True,
        }


def _thumbprint(proof: str) -> str:
    head = json.loads(base64.urlsafe_b64decode(proof.split(".", maxsplit=1)[0] + "=="))
    return ECKey.import_key(head["jwk"]).thumbprint()


def _claims(proof: str) -> dict:
    head = json.loads(base64.urlsafe_b64decode(proof.split(".", maxsplit=1)[0] + "=="))
    return dict(jwt.decode(proof, ECKey.import_key(head["jwk"]), algorithms=["ES256"]).claims)


class _Handler(BaseHTTPRequestHandler):
    site: Atproto

    def log_message(self, *_arguments):
        pass

    def answer(self, status: int, members: object, **headers: str) -> None:
        body = json.dumps(members).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("DPoP-Nonce", self.site.nonce)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):  # noqa: PLR0911 - one return an address
        site, parts = self.site, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        site.asked.append(parts.path)
        if parts.path == "/.well-known/oauth-protected-resource":
            return self.answer(
                200, {"resource": site.url, "authorization_servers": site.authorization_servers, "scopes_supported": []}
            )
        if parts.path == "/.well-known/oauth-authorization-server":
            return self.answer(200, site.metadata())
        if parts.path == "/xrpc/com.atproto.identity.resolveHandle":
            did = site.handles.get(query["handle"])
            return self.answer(200, {"did": did}) if did else self.answer(400, {"error": "InvalidRequest"})
        if parts.path.startswith("/did:"):
            document = site.documents.get(parts.path[1:])
            return self.answer(200 if document else 404, document or {})
        if parts.path == "/authorize":
            asked = site.pushed.pop(query["request_uri"])
            code = secrets.token_urlsafe(16)
            site.codes[code] = asked
            response = {"code": code, "state": asked["state"], "iss": site.url}
            return self.answer(302, {}, Location=f"{asked['redirect_uri']}?{urlencode(response)}")
        if parts.path == "/xrpc/com.atproto.server.getSession":
            return self.api()
        return self.answer(404, {})

    def api(self) -> None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        proof = self.headers.get("DPoP", "")
        jkt = self.site.tokens.get(token)
        if scheme != "DPoP" or jkt is None or _thumbprint(proof) != jkt:
            return self.answer(401, {"error": "InvalidToken"}, WWW_Authenticate='DPoP error="invalid_token"')
        claims = _claims(proof)
        if claims.get("nonce") != self.site.nonce:
            return self.answer(401, {"error": "use_dpop_nonce"}, WWW_Authenticate='DPoP error="use_dpop_nonce"')
        digest = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        assert claims["ath"] == digest
        return self.answer(200, {"did": DID, "handle": "ann.test"})

    def do_POST(self):  # noqa: PLR0911 - one return an answer
        site = self.site
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        proof = self.headers.get("DPoP")
        if proof is None:
            return self.answer(400, {"error": "invalid_dpop_proof"})
        if _claims(proof).get("nonce") != site.nonce:
            return self.answer(400, {"error": "use_dpop_nonce"})
        if not asked["client_id"].startswith("http://localhost?"):
            return self.answer(400, {"error": "invalid_client"})
        declared = parse_qs(urlsplit(asked["client_id"]).query)
        if self.path == "/par":
            redirect_uri = urlsplit(asked["redirect_uri"])
            known = {(urlsplit(uri).hostname, urlsplit(uri).path) for uri in declared["redirect_uri"]}
            if (redirect_uri.hostname, redirect_uri.path) not in known:
                return self.answer(400, {"error": "invalid_request", "error_description": "redirect_uri"})
            if not set(asked["scope"].split()) <= set(declared["scope"][0].split()):
                return self.answer(400, {"error": "invalid_scope"})
            assert asked["dpop_jkt"] == _thumbprint(proof)
            request_uri = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(16)}"
            site.pushed[request_uri] = {**asked, "jkt": _thumbprint(proof)}
            return self.answer(201, {"request_uri": request_uri, "expires_in": 60})
        if self.path == "/token":
            grant = site.codes.pop(asked.get("code") or asked.get("refresh_token", ""), None)
            if grant is None or grant["client_id"] != asked["client_id"] or grant["jkt"] != _thumbprint(proof):
                return self.answer(400, {"error": "invalid_grant"})
            access, refresh = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
            site.tokens[access], site.codes[refresh] = grant["jkt"], grant
            scope = grant["scope"] if site.scope is None else site.scope
            members = {
                "access_token": access,
                "refresh_token": refresh,
                "token_type": "DPoP",
                "expires_in": 3600,
                "scope": scope,
            }
            return self.answer(200, {**members, **({"sub": site.subject} if site.subject else {})})
        return self.answer(404, {})


@contextmanager
def atproto() -> Iterator[Atproto]:
    """The server, which runs while the block does."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.site = Atproto(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield handler.site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
