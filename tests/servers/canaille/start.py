"""Canaille in memory with one client and the user ann; prints its address. Configuration comes as JSON in argv."""

import datetime
import json
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import RSAKey

registration = json.loads(sys.argv[1])
key = RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)
httpd = make_server(
    "127.0.0.1", 0, None, handler_class=type("Quiet", (WSGIRequestHandler,), {"log_message": lambda *_: None})
)
address = f"http://127.0.0.1:{httpd.server_port}"
app = create_app(
    config={
        "SECRET_KEY": "secret-of-the-tests-0123456789abcdef",
        "PREFERRED_URL_SCHEME": "http",
        "SERVER_NAME": f"127.0.0.1:{httpd.server_port}",
        "TESTING": True,
        "WTF_CSRF_ENABLED": False,
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [key], "DYNAMIC_CLIENT_REGISTRATION_OPEN": True, "REQUIRE_NONCE": False},
    }
)
with app.app_context():
    backend = Backend.instance
    user = models.User(
        user_name="ann", formatted_name="Ann", family_name="Ann", emails=["ann@example.org"], password="any"
    )
    backend.save(user)
    client = models.Client(
        client_id=registration["client_id"],
        client_secret=registration["client_secret"],
        client_name="flowlet",
        client_id_issued_at=datetime.datetime.now(datetime.UTC),
        redirect_uris=[registration["redirect_uri"]],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        scope=["openid", "profile"],
        token_endpoint_auth_method="client_secret_basic",
    )
    backend.save(client)
    client.audience = [client]  # as its pages fill it in
    backend.save(client)
httpd.set_app(app)
print(address, flush=True)
httpd.serve_forever()
