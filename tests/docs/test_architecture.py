"""docs/architecture.md: its five paths are walked, and what it names is there."""

from __future__ import annotations

import importlib
import io
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from support import birdsong_secret, eventually, free_port

import flowlet_jupyter as flowlet
from flowlet_jupyter.connect.loopback import open_loopback
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.session import default_session
from flowlet_jupyter.settings import loopback_redirect_uri
from flowlet_jupyter.testing import put_secret
from flowlet_jupyter.vault import default_vault

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
ALLOW = {"username": "ada", "password": "birdsong", "decision": "allow"}


def path_under(title: str) -> list[str]:
    """The functions of the path under this heading."""
    block = PAGE.partition(f"### {title}\n")[2].partition("```text\n")[2].partition("```")[0]
    return [line.split()[0] for line in block.splitlines()]


def test_every_module_and_class_that_is_named_is_there():
    for name in re.findall(r"`([a-z]\w*(?:\.\w+)+)`", PAGE):
        if name.split(".")[-1] in {"py", "js", "md"}:
            continue
        module, *rest = name.split(".")
        named = importlib.import_module(f"flowlet_jupyter.{module}")
        for part in rest:
            if not hasattr(named, part):
                importlib.import_module(f"{named.__name__}.{part}")
            named = getattr(named, part)


def test_each_decision_has_a_number_of_its_own():
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_place_to_change_something_is_there():
    table = PAGE.partition("## Where do I change")[2]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 12
    for _, _, where, test, _ in rows:
        for path in re.findall(r"`([\w./*-]+/[\w./*-]*)`", where + test):
            below = ROOT if path.startswith(("tests/", "docs/")) else ROOT / "flowlet_jupyter"
            assert list(below.glob(path.rstrip("/").replace("KEY", "github"))), path


@pytest.fixture
def walked():
    """A function that runs another and gives the functions of the package that were called meanwhile, in all threads."""

    def walk(action: Callable[[], object]) -> list[str]:
        calls: list[str] = []

        def profile(frame, event, _):
            module = frame.f_globals.get("__name__", "")
            if event == "call" and module.startswith("flowlet_jupyter."):
                calls.append(f"{module.removeprefix('flowlet_jupyter.')}.{frame.f_code.co_qualname}")

        threading.setprofile(profile)
        sys.setprofile(profile)
        try:
            action()
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
        return calls

    return walk


def assert_in_this_order(expected: list[str], calls: list[str]) -> None:
    rest = iter(calls)
    for name in expected:
        assert name in rest, f"{name} was not called" + (" there" if name in calls else "")


@pytest.fixture
def twitter(birdsong, monkeypatch):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    return put_secret(birdsong_secret(birdsong, loopback_redirect_uri()))


def allow_in_browser(link: str) -> None:
    with httpx.Client() as browser:
        back = browser.post(browser.get(link).headers["location"], data=ALLOW)
        assert browser.get(back.headers["location"]).status_code == 200


def test_a_request_with_a_fresh_access_token(api, walked):
    secret = flowlet.OAuth2(name="api", authorization_endpoint=f"{api.url}/a", token_endpoint=f"{api.url}/t",
                            client_id="c", base_url=api.url)  # fmt: skip
    put_secret(secret, access_token="token-value-1")
    calls = walked(lambda: flowlet.get("/user/1", secret="api"))
    assert_in_this_order(path_under("A request, the access token fresh"), calls)


def test_a_request_with_an_expired_access_token(twitter, walked):
    with open_loopback(default_vault()) as loopback:
        allow_in_browser(loopback.authorize_url("twitter"))
    record = default_vault().get("twitter")
    expired = TokenSet(access_token=SecretValue("old"), refresh_token=record.token_set.refresh_token, expires_at=1.0)
    default_vault().put(Record(secret=record.secret, token_set=expired))
    calls = walked(lambda: flowlet.get("/2/users/me", secret="twitter").raise_for_status())
    assert_in_this_order(path_under("The same, the access token expired"), calls)


def test_an_authorization_by_a_server(twitter, walked):
    def authorize():
        with open_loopback(default_vault()) as loopback:  # the server's own handlers
            allow_in_browser(loopback.authorize_url("twitter"))

    assert_in_this_order(path_under("Request access token, in a Jupyter server"), walked(authorize))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_authorization_without_a_server(twitter, walked, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr(sys, "stdout", terminal)
    session = default_session()
    with flowlet.Session(session.vault.folder, settings=session.settings) as session:  # whose prompt is detected

        def open_link():
            eventually(lambda: "/flowlet/authorize/" in terminal.getvalue())
            allow_in_browser(re.search(r"http://\S+/flowlet/authorize/\S+", terminal.getvalue())[0])

        browser = threading.Thread(target=open_link)
        browser.start()
        calls = walked(lambda: flowlet.get("/2/users/me", secret="twitter", session=session).raise_for_status())
        browser.join()
    assert_in_this_order(path_under("The same without a server"), calls)


def test_a_form_that_is_saved(loopback_page, walked):
    calls = walked(
        lambda: loopback_page("api", {"type": "password", "password": "p-value-1", "allowed_hosts": ["a.example"]})
    )
    assert default_vault().get("api").secret.allowed_hosts == ("a.example",)
    assert_in_this_order(path_under("The form is saved"), calls)


@pytest.fixture
def loopback_page(monkeypatch):
    """A function that saves a form as the page of a listener does."""
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))

    def save(name: str, fields: dict) -> None:
        with open_loopback(default_vault()) as loopback, httpx.Client() as browser:
            browser.get(loopback.secrets_url)
            headers = {"X-XSRFToken": browser.cookies.get("_xsrf", "")}
            address = f"{loopback.base}/flowlet/api/secrets/{name}"
            assert browser.put(address, json=fields, headers=headers).status_code == 201

    return save
