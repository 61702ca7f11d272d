"""Glewlwyd with its OpenID Connect plugin, one client and the user admin; prints its issuer. Configuration: JSON in argv."""

import gzip
import http.cookiejar
import json
import pathlib
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

registration = json.loads(sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that what is started here ends too
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
address = f"http://127.0.0.1:{port}"
folder = pathlib.Path(tempfile.mkdtemp())
tables = gzip.decompress(pathlib.Path("/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz").read_bytes()).decode()
database = sqlite3.connect(folder / "glewlwyd.db")
database.executescript(tables)
database.close()
sample = gzip.decompress(pathlib.Path("/usr/share/doc/glewlwyd/glewlwyd.conf.sample.gz").read_bytes()).decode()
for old, new in (
    ("port=4593\n", f"port={port}\n"),
    ('external_url="http://localhost:4593"', f'external_url="{address}"'),
    ('cookie_domain="localhost"', 'cookie_domain="127.0.0.1"'),
    ("cookie_secure=1", "cookie_secure=0"),
    ("/var/cache/glewlwyd/glewlwyd.db", f"{folder}/glewlwyd.db"),
    ('log_level="INFO"', 'log_level="ERROR"'),
):
    sample = sample.replace(old, new)
(folder / "glewlwyd.conf").write_text(sample)
subprocess.run(["openssl", "genrsa", "-out", f"{folder}/key.pem", "2048"], check=True, capture_output=True)
subprocess.run(["openssl", "rsa", "-in", f"{folder}/key.pem", "-pubout", "-out", f"{folder}/pub.pem"], check=True,
               capture_output=True)  # fmt: skip
server = subprocess.Popen(
    ["glewlwyd", "--config-file", f"{folder}/glewlwyd.conf"], stdout=sys.stderr, stderr=sys.stderr
)
opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))


def send(path: str, members: dict, method: str = "POST") -> None:
    request = urllib.request.Request(  # noqa: S310 - an address of this file
        f"{address}/api/{path}", json.dumps(members).encode(), {"Content-Type": "application/json"}, method=method
    )
    try:
        opener.open(request, timeout=10).read()
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{path}: {error.code} {error.read()!r}") from None


for _ in range(100):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        break
    except OSError:
        time.sleep(0.1)
send("auth/", {"username": "admin", "password": "password"})
send("mod/plugin/", {
    "module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "order_rank": 0, "readonly": False,
    "parameters": {
        "iss": f"{address}/api/oidc", "jwt-type": "rsa", "jwt-key-size": "256",
        "key": (folder / "key.pem").read_text(), "cert": (folder / "pub.pem").read_text(),
        "access-token-duration": 3600, "refresh-token-duration": 86400, "code-duration": 60,
        "refresh-token-rolling": True, "refresh-token-one-use": "always", "allow-non-oidc": True,
        "auth-type-code-enabled": True, "auth-type-refresh-enabled": True, "auth-type-client-enabled": True,
        "auth-type-token-enabled": False, "auth-type-id-token-enabled": True, "auth-type-password-enabled": False,
        "auth-type-device-enabled": False, "jwks-show": True, "subject-type": "public", "pkce-allowed": True,
        "introspection-revocation-allowed": True, "introspection-revocation-allow-target-client": True, "scope": [],
        "name-claim": "mandatory", "email-claim": "no", "scope-claim": "no",
    },
})  # fmt: skip
send("client/", {
    "client_id": registration["client_id"], "client_secret": registration["client_secret"], "name": "flowlet", "enabled": True,
    "confidential": True, "redirect_uri": [registration["redirect_uri"]], "scope": [],
    "authorization_type": ["code", "refresh_token", "client_credentials"],
    "token_endpoint_auth_method": ["client_secret_basic", "client_secret_post"],
})  # fmt: skip
send(
    "user/",
    {"username": "ann", "password": "password", "name": "ann", "enabled": True, "scope": ["openid", "g_profile"]},
)
print(f"{address}/api/oidc", flush=True)
try:
    server.wait()
finally:
    server.terminate()
    server.wait(10)
