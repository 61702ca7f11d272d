"""A token endpoint that rotates refresh tokens, with or without grace for the one before, and takes its time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

from servers.faulty import Connection, Faulty

from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue


class Rotation:
    """The grant: refresh token `r0` at first, `r1` after a refresh, and so on; access tokens likewise."""

    def __init__(self, *, has_grace: bool, seconds: float) -> None:
        self._has_grace, self._seconds = has_grace, seconds
        self._guard = threading.Lock()
        self.count = 0
        self.is_over = False

    def begin_again(self) -> None:
        self.count, self.is_over = 0, False

    def token(self, connection: Connection) -> None:
        form = parse_qs(connection.request.rpartition(b"\r\n")[2].decode())
        time.sleep(self._seconds)
        with self._guard:
            number = int(form["refresh_token"][0][1:])
            is_good = number == self.count or (self._has_grace and number == self.count - 1)
            if self.is_over or not is_good:
                self.is_over = True  # RFC 9700, 4.14.2: a token that comes twice may be stolen
                connection.answer(400, b'{"error": "invalid_grant"}', Content_Type="application/json")
                return
            self.count = number + 1
            members = {"access_token": f"a{self.count}", "refresh_token": f"r{self.count}", "expires_in": 3600}
        connection.answer(200, json.dumps(members).encode(), Content_Type="application/json")

    def api(self, connection: Connection) -> None:
        is_good = f"Bearer a{self.count}\r".encode() in connection.request and self.count > 0
        connection.answer(200 if is_good else 401, b"{}", Content_Type="application/json")


@contextmanager
def rotating(*, has_grace: bool, seconds: float = 0.0) -> Iterator[tuple[Faulty, Rotation]]:
    """A running server, and its grant."""
    rotation = Rotation(has_grace=has_grace, seconds=seconds)
    server = Faulty(rotation.token, rotation.api)
    try:
        yield server, rotation
    finally:
        server.close()


def expired_record(url: str) -> Record:
    """The secret `api` of that server, its access token expired."""
    secret = OAuth2(
        name="api", authorization_endpoint=f"{url}/a", token_endpoint=f"{url}/token", client_id="id",
        client_secret="canary-client-secret", base_url=url,
    )  # fmt: skip
    tokens = TokenSet(access_token=SecretValue("a0"), refresh_token=SecretValue("r0"), expires_at=1.0)
    return Record(secret=secret, token_set=tokens)
