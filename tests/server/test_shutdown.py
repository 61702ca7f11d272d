"""A Jupyter server that is asked to stop while providers let it wait. Jupyter kills what has not ended in five seconds."""

from __future__ import annotations

import contextlib
import signal
import threading
import time

import httpx
import pytest
from servers.oauth_provider import provider
from support import eventually

from flowlet_jupyter.model.oauth2 import CLIENT_CREDENTIALS, DEVICE_CODE

# less than five where the machine has little else to do; without what is tested here it is 40 s and more
STOP_SECONDS = 25


@pytest.mark.timeout(120)
def test_the_server_stops_while_a_refresh_hangs_and_a_device_code_is_not_entered(jupyter_lab):
    release = threading.Event()

    def answer(handler, _):
        if handler.path == "/device":
            code = {"device_code": "d", "user_code": "AB-CD", "verification_uri": "https://g.example/"}
            return 200, {}, {**code, "interval": 60, "expires_in": 1800}
        release.wait(60)
        return 200, {}, {}

    with provider(answer) as (url, paths):
        lab = jupyter_lab()
        shared = {"type": "oauth2", "token_endpoint": f"{url}/token", "client_id": "id", "client_secret": "s"}
        assert lab.put("hangs", {**shared, "grant_type": CLIENT_CREDENTIALS}).status_code == 201
        device = {**shared, "grant_type": DEVICE_CODE, "device_authorization_endpoint": f"{url}/device"}
        assert lab.put("tv", device).status_code == 201

        def refresh() -> None:
            with contextlib.suppress(httpx.HTTPError):  # the server ends meanwhile
                httpx.post(lab.flowlet("api/secrets/hangs/refresh"), headers=lab.headers, timeout=60)

        waiting = [threading.Thread(target=refresh) for _ in range(2)]  # one holds the lock, one waits for it
        for thread in waiting:
            thread.start()
        shown = httpx.post(lab.flowlet("api/secrets/tv/device"), headers=lab.headers, timeout=60)
        assert shown.json()["user_code"] == "AB-CD"
        eventually(lambda: "/token" in paths)
        asked = time.monotonic()
        lab.process.send_signal(signal.SIGTERM)
        lab.process.wait(60)
        took = time.monotonic() - asked
        release.set()
        for thread in waiting:
            thread.join()
    print(f"stopped {took:.1f} s after it was asked")
    assert took < STOP_SECONDS
