"""Secrets without a working widget or server extension: the page, the kernel as its server, and flowlet.toml."""

from __future__ import annotations

import pytest
from support import free_port

import flowlet_jupyter as flowlet
from flowlet_jupyter.vault import default_vault

pytestmark = pytest.mark.browser
CANARY = "canary-client-secret-5e1f"


def test_the_loopback_page_takes_a_secret_and_connects_it(page, loopback, birdsong):
    client_id, client_secret = birdsong.server.provider.register("test", loopback.redirect_uri)
    problems = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Add secret").click()
    page.get_by_role("option", name="Another OAuth2 provider", exact=True).click()
    form = page.get_by_role("form", name="Add secret")
    assert form.get_by_label("Redirect URI").input_value() == loopback.redirect_uri
    for label, value in {
        "Authorization URI": birdsong.authorization_endpoint,
        "Token endpoint": birdsong.token_endpoint,
        "Client ID": client_id,
        "Scope": "users.read offline.access",
        "Base URL": birdsong.url,
    }.items():
        form.get_by_label(label).fill(value)
    form.get_by_label("Name", exact=True).fill("twitter")
    form.get_by_label("Client secret", exact=True).fill(client_secret)
    form.get_by_role("button", name="Save only").click()
    page.get_by_text("No access token yet").wait_for()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Request access token").click()
    opened.value.get_by_role("button", name="Log in and allow").click()
    opened.value.get_by_text("You can close this tab").wait_for()
    page.get_by_role("status").filter(has_text="Connected").wait_for()
    assert flowlet.get("/2/users/me", secret="twitter")["data"]["username"] == "ada"
    assert problems == []  # nothing that the page's own policy forbids


def test_a_link_fills_in_the_form_but_no_value_and_no_host(page, loopback):
    page.goto(
        f"{loopback.secrets_url}?provider=spotify&scope=user-read-email&client_secret={CANARY}&allowed_hosts=evil.example"
        "&token_endpoint=https://evil.example/"
    )
    form = page.get_by_role("form", name="Add secret")
    form.get_by_text("Spotify", exact=True).wait_for()
    assert form.get_by_label("Scope").input_value() == "user-read-email"
    assert form.get_by_label("Client secret", exact=True).input_value() == ""
    form.get_by_label("Client ID").fill("mine")
    form.get_by_label("Client secret", exact=True).fill(CANARY)
    form.get_by_role("button", name="Save only").click()
    page.get_by_text("No access token yet").wait_for()
    stored = default_vault().get("spotify").secret
    assert (stored.token_endpoint, stored.scope) == ("https://accounts.spotify.com/api/token", "user-read-email")
    assert "evil.example" not in stored.allowed_hosts


def test_each_error_stands_beside_its_field_and_what_was_typed_stays(page, loopback):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Add secret").click()
    form = page.get_by_role("form", name="Add secret")
    page.get_by_role("option", name="Another OAuth2 provider", exact=True).click()
    form.get_by_label("Name", exact=True).fill("api")
    form.get_by_label("Client secret", exact=True).fill(CANARY)
    form.get_by_label("Token endpoint").fill("http://far.example/token")
    form.get_by_text("Details").click()
    form.get_by_label("Grant").select_option("client_credentials")
    assert form.get_by_label("Name", exact=True).input_value() == "api"
    form.get_by_role("button", name="Save only").click()
    form.get_by_text("The client ID is missing.").wait_for()
    assert form.get_by_text("This must use https://").count() == 1
    assert form.locator("[aria-invalid]").count() == 2
    assert form.get_by_label("Client secret", exact=True).input_value() == CANARY
    form.get_by_role("button", name="Change the provider").click()
    page.get_by_role("option", name="An API key", exact=True).click()
    assert form.get_by_label("Name", exact=True).input_value() == "api"
    form.get_by_label("API key", exact=True).fill(CANARY)
    form.get_by_label("Parameter").fill("api_key")
    form.get_by_label("Location").select_option("query")
    form.get_by_text("Details").click()
    form.get_by_label("Allowed hosts").fill("api.example.org")
    form.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Ready").wait_for()
    stored = default_vault().get("api").secret
    assert (stored.parameter, stored.location, stored.key.reveal()) == ("api_key", "query", CANARY)


def test_what_only_the_server_finds_wrong_stands_beside_its_field_too(page, loopback):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Add secret").click()
    page.get_by_role("option", name="HTTP headers", exact=True).click()
    form = page.get_by_role("form", name="Add secret")
    form.get_by_label("Headers").fill("Host: evil.example")
    form.get_by_label("Base URL").fill("https://api.example.org/")
    form.get_by_label("Name", exact=True).fill("api")
    form.get_by_role("button", name="Save", exact=True).click()
    form.locator("[aria-invalid]").wait_for()
    assert form.locator("[aria-invalid]").get_attribute("data-field") == "headers"
    assert default_vault().names() == []


def test_the_password_grant_is_warned_of(page, loopback):
    page.goto(f"{loopback.secrets_url}?name=old")
    form = page.get_by_role("form", name="Add secret")
    page.get_by_role("option", name="Another OAuth2 provider", exact=True).click()
    assert form.get_by_role("note").filter(has_text="OAuth 2.1").count() == 0
    form.get_by_text("Details").click()
    form.get_by_label("Grant").select_option("password")
    form.get_by_role("note").filter(has_text="OAuth 2.1 has dropped it").wait_for()


def test_what_few_need_is_folded_away_and_kept(page, loopback):
    page.goto(f"{loopback.secrets_url}?name=robot")
    form = page.get_by_role("form", name="Add secret")
    page.get_by_role("option", name="Another OAuth2 provider", exact=True).click()
    assert not form.get_by_label("Bind tokens to a key").is_visible()
    form.get_by_text("Details").click()
    form.get_by_label("Bind tokens to a key").check()
    form.get_by_label("Resource").fill("https://api.example/a https://api.example/b")
    form.get_by_label("Client authentication").select_option("tls_client_auth")
    assert form.get_by_label("Bind tokens to a key").is_checked()  # what was filled in survives the redrawing
    for label, value in {"Authorization URI": "https://auth.example/a", "Token endpoint": "https://auth.example/t",
                         "Client ID": "robot", "Certificate file": "robot.pem"}.items():  # fmt: skip
        form.get_by_label(label).fill(value)
    form.get_by_role("button", name="Save only").click()
    page.get_by_text("No access token yet").wait_for()
    stored = default_vault().get("robot").secret
    assert (stored.dpop, stored.resource) == (True, ("https://api.example/a", "https://api.example/b"))
    assert (stored.token_endpoint_auth_method, stored.client_certificate_file) == ("tls_client_auth", "robot.pem")


def test_a_server_without_the_extension_leads_to_the_kernels_own_page(jupyter_lab, open_lab, monkeypatch):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    server = jupyter_lab(options=["--ServerApp.jpserver_extensions={'flowlet_jupyter': False}"])
    lab = open_lab(server, ["%load_ext flowlet_jupyter\n%flowlet_secrets"])
    lab.run(0)
    lab.output(0, "this kernel serves the page itself", timeout=40000)
    with lab.page.context.expect_page() as opened:
        lab.cell(0).get_by_role("link", name="open secrets and tokens").click()
    opened.value.get_by_role("button", name="Add secret").wait_for()


def test_a_newcomer_is_offered_what_flowlet_toml_asks_for(jupyter_lab, open_lab):
    server = jupyter_lab()
    (server.folder / "flowlet.toml").write_text(
        '[secrets.music]\nprovider = "spotify"\nscope = "user-read-email"\nallowed_hosts = ["api.spotify.com"]\n'
        'base_url = "https://base.spotify.com/v1"\nrevocation_endpoint = "https://elsewhere.example/revoke"\n'
        '[secrets.bad]\nclient_secret = "<script>alert(1)</script>"\n'
    )
    lab = open_lab(server, ["%load_ext flowlet_jupyter\n%flowlet_secrets"])
    lab.run(0)
    lab.cell(0).get_by_role("heading", name="Missing here").wait_for()
    assert "renew it at the provider" in lab.cell(0).inner_text()
    cell = lab.cell(0)
    cell.get_by_role("button", name="Look at and add music").click()
    cell.get_by_label("Client ID").fill("mine")
    cell.get_by_label("Client secret", exact=True).fill(CANARY)
    cell.get_by_role("button", name="Save only").click()
    lab.output(0, "Look at the hosts first")
    assert default_vault().names() == []
    assert "may go to api.spotify.com, base.spotify.com" in cell.inner_text()
    assert "goes to elsewhere.example" in cell.inner_text()
    cell.get_by_label("Approve the hosts").check()
    cell.get_by_role("button", name="Save only").click()
    lab.output(0, "No access token yet")
    stored = default_vault().get("music").secret
    assert (stored.scope, stored.provider, stored.allowed_hosts) == ("user-read-email", "spotify", ("api.spotify.com",))
