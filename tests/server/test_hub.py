"""A real JupyterHub with its own proxy: two users, one redirect URI; and the hub as the provider."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from support import birdsong_secret, free_port, npm_install, skip_or_fail

from flowlet_jupyter.model.secret import configuration

pytestmark = pytest.mark.provider
FOLDER = Path(__file__).parents[1] / "servers" / "hub"
ALLOW = {"username": "ada", "password": "birdsong", "decision": "allow"}


class Hub:
    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self.log = log
        self.redirect_uri = f"{url}/hub/user-redirect/flowlet/callback"

    def user(self, name: str, server: str = "") -> HubUser:
        return HubUser(self, name, server)


class HubUser:
    """A browser in which somebody is logged in, with a server of their own."""

    def __init__(self, hub: Hub, name: str, server: str = "") -> None:
        self.hub = hub
        self.name = name
        self.base = f"/user/{name}/{server}/" if server else f"/user/{name}/"
        # what a browser sends for a link of the server's own pages
        self.browser = httpx.Client(follow_redirects=True, timeout=60, headers={"Sec-Fetch-Site": "same-origin"})
        self.log_in(self.browser.get(f"{hub.url}/hub/login"))
        self.browser.get(f"{hub.url}/hub/spawn/{name}/{server}" if server else f"{hub.url}/hub/spawn")
        deadline = time.monotonic() + 60
        while not self.browser.get(self.flowlet("api/secrets")).is_success:
            self.browser.get(self.flowlet("authorize/nothing"))  # a page, unlike the API, leads through the hub's login
            assert time.monotonic() < deadline, hub.log.read_text()[-3000:]
            time.sleep(0.3)

    def log_in(self, page: httpx.Response) -> httpx.Response:
        action = re.search(r'action="([^"]*login[^"]*)"', page.text)[1].replace("&amp;", "&")
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', page.text)[1]
        body = {"username": self.name, "password": "any", "_xsrf": xsrf}
        return self.browser.post(urljoin(str(page.url), action), data=body)

    def flowlet(self, path: str) -> str:
        return f"{self.hub.url}{self.base}flowlet/{path}"

    def put(self, name: str, body: dict) -> None:
        paths = [cookie for cookie in self.browser.cookies.jar if cookie.name == "_xsrf"]
        xsrf = next(cookie.value for cookie in paths if cookie.path == self.base)
        made = self.browser.put(self.flowlet(f"api/secrets/{name}"), json=body, headers={"X-XSRFToken": xsrf})
        assert made.status_code == 201, made.text

    def state(self, name: str) -> str:
        self.browser.get(self.flowlet("authorize/nothing"))  # logs in again after a logout
        return self.browser.get(self.flowlet(f"api/secrets/{name}")).json()["status"]["state"]

    def at_provider(self, name: str) -> str:
        """The address at the provider that the authorize link leads to."""
        response = self.browser.get(self.flowlet(f"authorize/{name}"), follow_redirects=False)
        assert response.status_code == 302, response.text
        return response.headers["location"]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    if importlib.util.find_spec("jupyterhub") is None:
        skip_or_fail("jupyterhub is needed")
    npm_install(FOLDER, "configurable-http-proxy")
    folder = tmp_path_factory.mktemp("hub")
    url = f"http://127.0.0.1:{free_port()}"
    log = folder / "hub.log"
    environment = {
        **os.environ, "HUB_FOLDER": str(folder), "HUB_URL": url, "HUB_PORT": str(free_port()),
        "HUB_PROXY_PORT": str(free_port()),
        "HUB_PROXY": str(FOLDER / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(FOLDER / "config.py")],
            cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/hub/health").is_success:
                break
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        assert process.poll() is None, log.read_text()[-3000:]
        time.sleep(0.2)
    yield Hub(url, log)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def test_two_users_connect_through_one_redirect_uri(hub, birdsong):
    secret = birdsong_secret(birdsong, hub.redirect_uri)
    body = {**configuration(secret), "client_secret": secret.client_secret.reveal()}
    ann, bob = hub.user("ann"), hub.user("bob")
    for user in (ann, bob):
        assert user.browser.get(user.flowlet("api/redirect-uri")).json()["redirect_uri"] == hub.redirect_uri
    ann.put("twitter", body)
    assert bob.browser.get(bob.flowlet("api/secrets")).json() == []
    bob.put("twitter", body)
    for path in ("api/secrets", "api/secrets/twitter", "authorize/twitter"):
        assert bob.browser.get(ann.flowlet(path)).status_code in {403, 404}

    link = ann.at_provider("twitter")
    assert parse_qs(urlsplit(link).query)["redirect_uri"] == [hub.redirect_uri]
    back = ann.browser.post(link, data=ALLOW, follow_redirects=False).headers["location"]
    stolen = bob.browser.get(back)  # the hub leads bob to bob's own server, which knows no such flow
    assert stolen.status_code == 400
    done = ann.browser.get(back)
    assert done.status_code == 200
    assert "You can close this tab" in done.text
    assert (ann.state("twitter"), bob.state("twitter")) == ("connected", "no_token")

    link = bob.at_provider("twitter")
    back = bob.browser.post(link, data=ALLOW, follow_redirects=False).headers["location"]
    for cookie in list(bob.browser.cookies.jar):  # logged out meanwhile: the hub's login leads on to the callback
        if not cookie.name.startswith("flowlet-"):
            bob.browser.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
    login = bob.browser.get(back)
    assert "login" in str(login.url)
    done = bob.log_in(login)
    assert "You can close this tab" in done.text, done.text
    assert bob.state("twitter") == "connected"


def test_the_hub_itself_as_the_provider(hub):
    cleo = hub.user("cleo")
    cleo.put(
        "hub",
        {
            "authorization_endpoint": f"{hub.url}/hub/api/oauth2/authorize",
            "token_endpoint": f"{hub.url}/hub/api/oauth2/token",
            "client_id": "service-flowlet",
            "client_secret": "service-secret-of-the-tests-0123456789",
            "token_endpoint_auth_method": "client_secret_post",
            "identity_url": f"{hub.url}/hub/api/user",
            "identity_name": "name",
            "base_url": hub.url,
        },
    )
    done = cleo.browser.get(cleo.flowlet("authorize/hub"))
    assert "You can close this tab" in done.text, done.text
    status = cleo.browser.get(cleo.flowlet("api/secrets/hub")).json()["status"]
    assert (status["state"], status["identity"]) == ("connected", "cleo")  # read from /hub/api/user with the token


def test_two_servers_of_one_user_each_get_their_own_response(hub, birdsong):
    first, second = hub.user("dora"), hub.user("dora", "second")
    shown = second.browser.get(second.flowlet("api/redirect-uri")).json()["redirect_uri"]
    assert shown == second.flowlet("callback")
    assert first.browser.get(first.flowlet("api/redirect-uri")).json()["redirect_uri"] == hub.redirect_uri
    secret = birdsong_secret(birdsong, shown)
    second.put("twitter", {**configuration(secret), "client_secret": secret.client_secret.reveal()})
    link = second.at_provider("twitter")
    back = second.browser.post(link, data=ALLOW, follow_redirects=False).headers["location"]
    done = second.browser.get(back)
    assert str(done.url).startswith(shown)
    assert "You can close this tab" in done.text, done.text
    assert second.state("twitter") == "connected"
