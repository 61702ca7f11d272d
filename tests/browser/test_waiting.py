"""Requesting an access token from Manage tokens: the waiting ends by a token, by a refusal, or by the clock."""

from __future__ import annotations

import dataclasses

import pytest
from support import free_port

from flowlet_jupyter.connect.loopback import open_loopback
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.testing import put_secret
from flowlet_jupyter.vault import default_vault

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium):
    context = chromium.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(20000)
    yield context.new_page()
    context.close()


@pytest.fixture
def manage(page, birdsong, monkeypatch):
    """The view of a secret that has no token yet."""
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    with open_loopback(default_vault()) as loopback:
        client_id, client_secret = birdsong.server.provider.register("test", loopback.redirect_uri)
        put_secret(OAuth2(name="birds", authorization_endpoint=birdsong.authorization_endpoint, client_id=client_id,
                          client_secret=client_secret, token_endpoint=birdsong.token_endpoint, base_url=birdsong.url, scope="tweet.read users.read offline.access",
                          identity_url=f"{birdsong.url}/2/users/me", identity_name="data.username"))  # fmt: skip
        page.goto(loopback.secrets_url)
        page.get_by_role("button", name="Manage tokens of birds").click()
        region = page.get_by_role("region", name="Manage tokens of birds")
        region.wait_for()
        yield region


def requested(page, manage):
    """The provider's page, in the tab that the link opens."""
    with page.context.expect_page() as opened:
        manage.get_by_role("link", name="Request access token").click()
    return opened.value


def test_a_refusal_in_the_other_tab_is_said_in_the_view_that_waits(page, manage):
    tab = requested(page, manage)
    manage.get_by_text("Waiting for you").wait_for()
    tab.get_by_role("button", name="Deny").click()
    tab.get_by_text("No access token was obtained").wait_for()
    manage.get_by_text("Access was not allowed").wait_for()
    assert manage.get_by_text("Waiting for you").count() == 0
    assert "Access was not allowed" in page.get_by_role("status").last.inner_text()
    tab = requested(page, manage)
    manage.get_by_text("Waiting for you").wait_for()
    assert manage.get_by_text("Access was not allowed").count() == 0
    tab.get_by_role("button", name="Log in and allow").click()
    manage.get_by_text("Connected as ada").wait_for()


def test_a_wrong_client_secret_is_corrected_and_the_token_requested_in_one_go(page, manage):
    stored = default_vault().get("birds").secret
    default_vault().put(Record(secret=dataclasses.replace(stored, client_secret=SecretValue("wrong"))))
    requested(page, manage).get_by_role("button", name="Log in and allow").click()
    manage.get_by_text("invalid_client").wait_for()
    page.get_by_role("button", name="All secrets").click()
    page.get_by_role("row", name="birds").get_by_text("invalid_client").wait_for()
    page.get_by_role("button", name="Manage tokens of birds").click()
    edit = manage.get_by_role("button", name="Edit")
    assert "flowlet-primary" in edit.get_attribute("class")  # trying again would be refused again
    edit.click()
    form = page.get_by_role("form", name="Edit secret birds")
    form.get_by_label("Client secret", exact=True).fill(stored.client_secret.reveal())
    with page.context.expect_page() as opened:
        form.get_by_role("button", name="Save and request access token").click()
    opened.value.get_by_role("button", name="Log in and allow").click()
    manage.get_by_text("Connected as ada").wait_for()
    assert manage.get_by_text("Last try").count() == 0


def test_after_ten_minutes_the_waiting_ends_and_can_be_started_again(page, manage):
    page.clock.install()
    page.reload()
    manage.get_by_role("link", name="Request access token").evaluate(
        "link => link.addEventListener('click', event => event.preventDefault())"
    )
    manage.get_by_role("link", name="Request access token").click()
    page.clock.run_for(100)
    manage.get_by_text("Waiting for you").wait_for()
    page.clock.fast_forward("10:05")
    manage.get_by_text("Nothing came back from the other tab within ten minutes").wait_for()
    manage.get_by_role("link", name="Request access token again").wait_for()


def test_once_connected_a_line_for_a_cell_can_be_copied(page, manage):
    assert manage.get_by_label("Use it in a cell").count() == 0
    requested(page, manage).get_by_role("button", name="Log in and allow").click()
    line = manage.get_by_label("Use it in a cell")
    line.wait_for()
    assert line.input_value() == "%flowlet_request /2/users/me --secret birds"
    manage.get_by_role("button", name="Copy").click()
    manage.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == line.input_value()
    assert "birds is now connected, as ada." in page.get_by_role("status").last.inner_text()


def test_the_next_step_comes_first_and_deleting_stands_apart(page, manage):
    groups = manage.get_by_role("group")
    names = [groups.nth(number).get_attribute("aria-label") for number in range(groups.count())]
    assert names == ["Access token", "Secret", "Delete birds"]
    first = groups.first.locator("a, button").first
    assert first.inner_text() == "Request access token"
    requested(page, manage).get_by_role("button", name="Log in and allow").click()
    manage.get_by_text("Connected as ada").wait_for()
    assert groups.first.locator("a, button").all_inner_texts() == ["Test", "Refresh now", "Request access token again"]
