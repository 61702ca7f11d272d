"""Birdsong's authorization server: apps, codes with PKCE, rotating refresh tokens with reuse detection. No HTTP here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from pathlib import Path
from typing import Any

USERS = {
    "ada": {"id": "2244994945", "username": "ada", "name": "Ada Warbler", "password": "birdsong"},
    "ben": {"id": "1183041", "username": "ben", "name": "Ben Finch", "password": "birdsong"},
}
SCOPES = ("tweet.read", "users.read", "offline.access")
CODE_SECONDS = 60
DEVICE_SECONDS = 600
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class OAuthRefusal(Exception):
    """A refusal with the code that RFC 6749 names for it."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


class Provider:
    """The state, kept in a JSON file that holds only hashes of secrets and tokens."""

    def __init__(self, state: Path) -> None:
        self._path = state
        self._lock = threading.RLock()
        self.state: dict[str, Any] = {
            "apps": {},
            "codes": {},
            "grants": {},
            "access": {},
            "refresh": {},
            "access_token_lifetime": 7200,
            "refresh_count": 0,
        }
        if state.exists():
            self.state.update(json.loads(state.read_text()))

    def _save(self) -> None:
        temporary = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w") as file:
            json.dump(self.state, file)
        temporary.replace(self._path)

    def register(self, name: str, redirect_uri: str, *, public: bool = False) -> tuple[str, str | None]:
        """A new app: its client ID, and its client secret unless it is a public client."""
        if not redirect_uri.startswith(("http://", "https://")) or len(redirect_uri) > 500:
            raise OAuthRefusal("invalid_redirect_uri", "The redirect URI must start with http:// or https://.")
        client_id = secrets.token_urlsafe(18)
        client_secret = None if public else secrets.token_urlsafe(36)
        with self._lock:
            self.state["apps"][client_id] = {
                "name": name[:80] or "My app",
                "redirect_uri": redirect_uri,
                "secret": client_secret and _hash(client_secret),
            }
            self._save()
        return client_id, client_secret

    def check_authorization_request(self, query: dict[str, str]) -> dict[str, Any]:
        """The app that asks. A refusal with error `invalid_client` must not be sent to the redirect URI."""
        app: dict[str, Any] | None = self.state["apps"].get(query.get("client_id", ""))
        if app is None:
            raise OAuthRefusal("invalid_client", "No app has this client ID. Register one on the developer page.")
        if query.get("redirect_uri") != app["redirect_uri"]:
            raise OAuthRefusal(
                "invalid_client",
                f"The redirect URI {query.get('redirect_uri')} is not the registered one, {app['redirect_uri']}.",
            )
        if query.get("response_type") != "code":
            raise OAuthRefusal("unsupported_response_type", "response_type must be code.")
        if query.get("code_challenge_method") != "S256" or len(query.get("code_challenge", "")) != 43:
            raise OAuthRefusal("invalid_request", "PKCE with S256 is required.")
        unknown = set(query.get("scope", "").split()) - set(SCOPES)
        if unknown:
            raise OAuthRefusal("invalid_scope", f"Unknown scope: {' '.join(sorted(unknown))}")
        return app

    def issue_code(self, query: dict[str, str], username: str) -> str:
        """A code for the user who has allowed the request `query`."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self.state["codes"][_hash(code)] = {
                "client_id": query["client_id"],
                "redirect_uri": query["redirect_uri"],
                "challenge": query["code_challenge"],
                "scope": query.get("scope", ""),
                "username": username,
                "until": time.time() + CODE_SECONDS,
            }
            self._save()
        return code

    def token(self, form: dict[str, str], client_id: str, client_secret: str | None) -> dict[str, Any]:
        """Answer a token request (RFC 6749, 4.1.3 and 6)."""
        with self._lock:
            app = self.state["apps"].get(client_id)
            if app is None or not hmac.compare_digest(
                app["secret"] or "", _hash(client_secret) if client_secret else ""
            ):
                raise OAuthRefusal("invalid_client", "Client authentication failed.", 401)
            grant_type = form.get("grant_type")
            if grant_type == "authorization_code":
                grant_id = self._redeem(form, client_id)
            elif grant_type == "refresh_token":
                grant_id = self._rotate(form, client_id)
            elif grant_type == DEVICE_CODE:
                grant_id = self._entered(form, client_id)
            else:
                raise OAuthRefusal("unsupported_grant_type", "There are authorization, device and refresh.")
            response = self._issue(grant_id)
            self._save()
            return response

    def device_authorization(self, form: dict[str, str]) -> dict[str, Any]:
        """A device code and the user code to enter (RFC 8628, 3.2)."""
        if form.get("client_id") not in self.state["apps"]:
            raise OAuthRefusal("invalid_client", "No app has this client ID.", 401)
        device_code = secrets.token_urlsafe(24)
        # letters that are not taken for each other
        user_code = "-".join("".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(4)) for _ in range(2))
        with self._lock:
            self.state.setdefault("devices", {})[_hash(device_code)] = {
                "client_id": form["client_id"],
                "scope": form.get("scope", ""),
                "user_code": user_code,
                "username": None,
                "until": time.time() + DEVICE_SECONDS,
            }
            self._save()
        return {"device_code": device_code, "user_code": user_code, "expires_in": DEVICE_SECONDS, "interval": 1}

    def enter_user_code(self, user_code: str, username: str) -> bool:
        """Whether a device waits for this code; if so, the user has allowed it."""
        entered = user_code.strip().upper()
        with self._lock:
            for device in self.state.get("devices", {}).values():
                if device["user_code"] == entered and device["until"] > time.time():
                    device["username"] = username
                    self._save()
                    return True
        return False

    def _entered(self, form: dict[str, str], client_id: str) -> str:
        key = _hash(form.get("device_code", ""))
        device = self.state.get("devices", {}).get(key)
        if device is None or device["client_id"] != client_id:
            raise OAuthRefusal("invalid_grant", "The device code is unknown or was used.")
        if device["until"] < time.time():
            raise OAuthRefusal("expired_token", "Nobody entered the code in time.")
        if device["username"] is None:
            raise OAuthRefusal("authorization_pending", "Nobody has entered the code yet.")
        del self.state["devices"][key]
        return self._new_grant(client_id, device["scope"], device["username"])

    def _new_grant(self, client_id: str, scope: str, username: str) -> str:
        grant_id = secrets.token_hex(8)
        self.state["grants"][grant_id] = {"client_id": client_id, "scope": scope, "username": username}
        return grant_id

    def _redeem(self, form: dict[str, str], client_id: str) -> str:
        code = self.state["codes"].pop(_hash(form.get("code", "")), None)
        verifier = form.get("code_verifier", "").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        if (
            code is None
            or code["client_id"] != client_id
            or code["redirect_uri"] != form.get("redirect_uri")
            or code["challenge"] != challenge
            or code["until"] < time.time()
        ):
            self._save()
            raise OAuthRefusal("invalid_grant", "The code is unknown, used, expired or not for this client.")
        return self._new_grant(client_id, code["scope"], code["username"])

    def _rotate(self, form: dict[str, str], client_id: str) -> str:
        entry = self.state["refresh"].get(_hash(form.get("refresh_token", "")))
        grant = self.state["grants"].get(entry["grant"]) if entry else None
        if grant is None or grant["client_id"] != client_id:
            raise OAuthRefusal("invalid_grant", "The refresh token is unknown or revoked.")
        if entry["used"]:
            # RFC 9700, 4.14.2: a refresh token that comes twice may be stolen, so the whole grant ends
            del self.state["grants"][entry["grant"]]
            self._save()
            raise OAuthRefusal("invalid_grant", "The refresh token was used before; the grant is revoked.")
        entry["used"] = True
        self.state["refresh_count"] += 1
        return str(entry["grant"])

    def _issue(self, grant_id: str) -> dict[str, Any]:
        grant = self.state["grants"][grant_id]
        access_token = secrets.token_urlsafe(40)
        lifetime = self.state["access_token_lifetime"]
        self.state["access"][_hash(access_token)] = {"grant": grant_id, "until": time.time() + lifetime}
        response = {
            "token_type": "bearer",
            "expires_in": lifetime,
            "access_token": access_token,
            "scope": grant["scope"],
        }
        if "offline.access" in grant["scope"].split():
            refresh_token = secrets.token_urlsafe(40)
            self.state["refresh"][_hash(refresh_token)] = {"grant": grant_id, "used": False}
            response["refresh_token"] = refresh_token
        return response

    def user_of(self, access_token: str, scope: str) -> dict[str, str]:
        """The user whose valid access token this is, if it was granted `scope`."""
        entry = self.state["access"].get(_hash(access_token))
        grant = self.state["grants"].get(entry["grant"]) if entry else None
        if entry is None or grant is None or entry["until"] < time.time():
            raise OAuthRefusal("invalid_token", "The access token is unknown, revoked or has expired.", 401)
        if scope not in grant["scope"].split():
            raise OAuthRefusal("insufficient_scope", f"This needs the scope {scope}.", 403)
        return USERS[grant["username"]]

    def set_access_token_lifetime(self, seconds: int) -> None:
        """Change the lifetime of access tokens, and end those earlier that would live longer."""
        with self._lock:
            self.state["access_token_lifetime"] = max(1, int(seconds))
            until = time.time() + self.state["access_token_lifetime"]
            for entry in self.state["access"].values():
                entry["until"] = min(entry["until"], until)
            self._save()
