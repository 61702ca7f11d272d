"""The form with the catalogue, discovery and the device flow, as a person uses them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from flowlet_jupyter.model.oauth2 import DEVICE_CODE
from flowlet_jupyter.vault import default_vault

pytestmark = pytest.mark.browser
CANARY = "canary-client-secret-5e1f"


def choose(form, title: str) -> None:
    """Search for a provider, and take it."""
    form.get_by_role("combobox", name="Provider").fill(title)
    form.page.keyboard.press("Enter")


def picture(lab, name: str) -> None:
    if folder := os.environ.get("FLOWLET_PICTURES"):
        lab.page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_a_provider_leaves_client_id_and_secret_to_fill_in(jupyter_lab, open_lab):
    server = jupyter_lab()
    lab = open_lab(server, ["%load_ext flowlet_jupyter\n%flowlet_secret --new"])
    lab.run(0)
    form = lab.cell(0)
    choose(form, "Spotify")
    assert form.get_by_role("link", name="Spotify").get_attribute("href").startswith("https://developer.spotify.com")
    form.get_by_label("Client ID").fill("my-client")
    form.get_by_label("Client secret").fill(CANARY)
    assert "127.0.0.1" in form.get_by_label("Redirect URI").input_value()  # Spotify refuses localhost
    assert form.get_by_label("Authorization URI").count() == 0
    picture(lab, "provider")
    form.get_by_role("button", name="Save only").click()
    lab.output(0, "No access token yet")
    stored = default_vault().get("spotify").secret
    assert (stored.client_id, stored.client_secret.reveal()) == ("my-client", CANARY)
    assert stored.token_endpoint == "https://accounts.spotify.com/api/token"

    form.get_by_role("button", name="Edit").click()
    form.get_by_label("Scope").fill("user-read-email")
    form.get_by_role("button", name="Save only").click()
    lab.output(0, "No access token yet")
    edited = default_vault().get("spotify").secret
    assert (edited.scope, edited.client_secret.reveal(), edited.provider) == ("user-read-email", CANARY, "spotify")

    form.get_by_role("button", name="Add account").click()
    form.get_by_label("Account").fill("work")
    form.get_by_role("button", name="Add", exact=True).click()
    lab.output(0, "Manage tokens: spotify/work")
    assert default_vault().get("spotify/work").secret.client_secret.reveal() == CANARY


def test_a_parameter_is_asked_for_and_its_error_stands_beside_it(jupyter_lab, open_lab):
    lab = open_lab(jupyter_lab(), ["%load_ext flowlet_jupyter\n%flowlet_secret --new"])
    lab.run(0)
    form = lab.cell(0)
    choose(form, "Shopify")
    form.get_by_label("Shop", exact=True).fill("evil.example/")
    form.get_by_label("Client ID").fill("my-client")
    form.get_by_label("Client secret").fill(CANARY)
    form.get_by_role("button", name="Save and request access token").click()
    lab.output(0, "letters, digits and hyphens only")
    form.get_by_label("Shop", exact=True).fill("mine")
    form.get_by_role("button", name="Save only").click()
    lab.output(0, "No access token yet")
    assert default_vault().get("shopify").secret.allowed_hosts == ("mine.myshopify.com",)


@pytest.mark.provider
def test_discovery_registration_and_a_device_code(jupyter_lab, open_lab, oidc_provider):
    provider = oidc_provider([])
    lab = open_lab(jupyter_lab(), ["%load_ext flowlet_jupyter\n%flowlet_secret --new"])
    lab.run(0)
    form = lab.cell(0)
    form.get_by_role("option", name="Another OAuth2 provider", exact=True).click()
    form.get_by_label("Name", exact=True).fill("tv")
    form.get_by_label("Issuer").fill(provider.issuer)
    form.get_by_role("button", name="Discover").click()
    lab.output(0, re.compile("This secret will talk to: 127"))
    form.get_by_text("Details").click()
    form.get_by_label("Grant").select_option(DEVICE_CODE)
    form.get_by_label("Register a client now").check()
    form.get_by_label("Scope").fill("openid")
    form.get_by_role("button", name="Save and request a code").click()
    code = lab.cell(0).locator(".flowlet-code")
    code.wait_for()
    picture(lab, "device")
    with lab.page.context.expect_page() as opened:
        form.get_by_role("link", name="device").click()
    page = opened.value
    page.get_by_role("button", name="Continue").click()
    page.locator('input[name="login"]').fill("ann")
    page.locator('input[name="password"]').fill("any")
    page.get_by_role("button", name=re.compile("Sign-in|Continue")).click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("Success").or_(page.get_by_text("device has been")).first.wait_for()
    lab.output(0, "Connected as", timeout=20000)
    lab.output(0, "ann")
    assert default_vault().get("tv").token_set.identity == "ann"
