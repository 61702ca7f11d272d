"""Add secret in steps, on the page: what it takes to the first 200, by mouse and by keyboard, and what it understands."""

from __future__ import annotations

import json

import pytest

from flowlet_jupyter.vault import default_vault

pytestmark = pytest.mark.browser
CANARY = "canary-client-secret-5e1f"


class Hand:
    """The user's hand: counts what it does."""

    def __init__(self) -> None:
        self.clicks = self.inputs = 0

    def click(self, locator) -> None:
        self.clicks += 1
        locator.click()

    def fill(self, locator, text: str) -> None:
        self.inputs += 1
        locator.fill(text)


def test_four_clicks_and_three_inputs_lead_to_a_token_and_the_first_200(page, loopback, catalogued):
    client_id, client_secret = catalogued
    hand = Hand()
    page.goto(loopback.secrets_url)
    hand.click(page.get_by_role("button", name="Add secret"))
    hand.fill(page.get_by_role("combobox", name="Provider"), "birds")
    page.keyboard.press("Enter")
    hand.fill(page.get_by_label("Client ID"), client_id)
    hand.fill(page.get_by_label("Client secret", exact=True), client_secret)
    with page.context.expect_page() as opened:
        hand.click(page.get_by_role("button", name="Save and request access token"))
    hand.click(opened.value.get_by_role("button", name="Log in and allow"))
    opened.value.get_by_text("You can close this tab").wait_for()
    page.get_by_text("Connected as ada").wait_for()
    hand.click(page.get_by_role("button", name="Test"))
    page.get_by_text("200 from").wait_for()
    assert hand.clicks <= 4
    assert hand.inputs <= 3
    assert opened.value.evaluate("window.opener") is None  # the provider cannot move the page that opened it


def test_four_clicks_and_three_inputs_lead_to_a_key_and_the_first_200(page, loopback, api):
    hand = Hand()
    page.goto(loopback.secrets_url)
    hand.click(page.get_by_role("button", name="Add secret"))
    hand.click(page.get_by_role("option", name="An API key", exact=True))
    hand.fill(page.get_by_label("API key", exact=True), CANARY)
    hand.fill(page.get_by_label("Base URL"), f"{api.url}/echo")
    hand.fill(page.get_by_label("Name", exact=True), "keyed")
    hand.click(page.get_by_role("button", name="Save", exact=True))
    hand.click(page.get_by_role("button", name="Test"))
    page.get_by_text("200 from").wait_for()
    assert hand.clicks <= 4
    assert hand.inputs <= 3
    assert CANARY not in page.content()


def test_a_secret_is_added_and_connected_by_the_keyboard_alone(page, loopback, catalogued):
    client_id, client_secret = catalogued
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Add secret").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    search = page.get_by_role("combobox", name="Provider")
    search.wait_for()
    page.keyboard.type("spot")
    page.keyboard.press("Escape")  # clears the search
    assert search.input_value() == ""
    first = page.locator("[aria-selected=true]").inner_text()
    page.keyboard.press("ArrowDown")
    assert page.locator("[aria-selected=true]").inner_text() != first
    page.keyboard.press("ArrowUp")
    assert "Birdsong" in first  # the organisation's comes first
    page.keyboard.press("Enter")
    page.get_by_label("Client ID").wait_for()
    assert page.evaluate("document.activeElement.dataset.field") == "client_id"
    page.keyboard.type(client_id)
    page.keyboard.press("Tab")
    page.keyboard.type(client_secret)
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    opened.value.get_by_role("button", name="Log in and allow").focus()
    opened.value.keyboard.press("Enter")
    page.get_by_text("Connected as ada").wait_for()


def test_a_refused_save_opens_no_tab_and_loses_nothing(page, loopback, catalogued):
    page.goto(f"{loopback.secrets_url}?provider=birdsong")
    form = page.get_by_role("form", name="Add secret")
    form.get_by_label("Client secret", exact=True).fill(CANARY)
    form.get_by_role("button", name="Save and request access token").click()
    form.get_by_text("The client ID is missing.").wait_for()
    assert len(page.context.pages) == 1
    assert form.get_by_label("Client secret", exact=True).input_value() == CANARY


def test_mistakes_are_read_out_as_one_sentence_and_each_describes_its_field(page, loopback):
    page.goto(loopback.secrets_url)
    status = page.locator(".flowlet [role=status][aria-live]").element_handle()  # there before anything is to be said
    page.get_by_role("button", name="Add secret").click()
    page.get_by_role("option", name="Another OAuth2 provider", exact=True).click()
    page.get_by_label("Base URL").fill("https://api.example/")
    page.get_by_role("button", name="Save only").click()
    page.get_by_text("The client ID is missing.").wait_for()
    wrong = page.locator("[aria-invalid=true]")
    assert status.inner_text().strip() == f"{wrong.count()} fields need a change."
    assert status.evaluate("element => element.isConnected")  # the same element, drawn once
    assert page.get_by_role("alert").count() == 0
    for field in wrong.all():
        message = "field => field.getAttribute('aria-describedby').split(' ').map(id => document.getElementById(id).textContent)"
        assert any(text.endswith(("missing.", "needed.")) for text in field.evaluate(message))


def test_what_is_refused_by_the_server_closes_the_tab_again(page, loopback, catalogued):
    page.goto(f"{loopback.secrets_url}?provider=birdsong")
    page.route("**/api/secrets/birdsong", lambda route: route.fulfill(
        status=400, content_type="application/json", body=json.dumps({"message": "No.", "errors": {"base_url": "Not this one."}})))  # fmt: skip
    form = page.get_by_role("form", name="Add secret")
    form.get_by_label("Client ID").fill("mine")
    form.get_by_role("button", name="Save and request access token").click()
    form.get_by_text("Not this one.").wait_for()  # in the details, which open for it
    page.wait_for_timeout(200)
    assert len(page.context.pages) == 1


def test_where_the_new_tab_is_stopped_the_link_is_left(page, loopback, catalogued):
    page.add_init_script("window.open = () => null")
    page.goto(f"{loopback.secrets_url}?provider=birdsong")
    page.get_by_label("Client ID").fill(catalogued[0])
    page.get_by_label("Client secret", exact=True).fill(catalogued[1])
    page.get_by_role("button", name="Save and request access token").click()
    page.get_by_text("The browser stopped the new tab").wait_for()
    page.get_by_role("link", name="Request access token").wait_for()


def paste(page, locator, text: str) -> None:
    locator.focus()
    page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.setData("text", text);
          const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
          if (document.activeElement.dispatchEvent(event)) document.execCommand("insertText", false, text);
        }""",
        text,
    )


def test_a_pasted_client_secret_json_fills_in_the_form(page, loopback):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Add secret").click()
    page.get_by_role("option", name="Another OAuth2 provider", exact=True).click()
    form = page.get_by_role("form", name="Add secret")
    paste(page, form.get_by_label("Client ID"), json.dumps({"web": {"client_id": "an-id", "client_secret": CANARY,
          "auth_uri": "https://a.example/auth", "token_uri": "https://a.example/token"}}))  # fmt: skip
    page.get_by_text("Filled in from the JSON").wait_for()
    assert form.get_by_label("Client ID").input_value() == "an-id"
    assert form.get_by_label("Client secret", exact=True).input_value() == CANARY
    assert form.get_by_label("Token endpoint").input_value() == "https://a.example/token"
    paste(page, form.get_by_label("Allowed hosts"), "https://api.example.com/v2/things")
    page.keyboard.press("Tab")
    assert form.get_by_label("Allowed hosts").input_value() == "api.example.com"


def test_what_a_paste_filled_in_can_be_undone(page, loopback):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Add secret").click()
    page.get_by_role("option", name="Another OAuth2 provider", exact=True).click()
    form = page.get_by_role("form", name="Add secret")
    form.get_by_label("Client ID").fill("mine")
    for undo in (lambda: page.get_by_role("button", name="Undo").click(), lambda: page.keyboard.press("Control+z")):
        paste(page, form.get_by_label("Client secret", exact=True), f"CLIENT_ID=theirs\nCLIENT_SECRET={CANARY}\n")
        page.get_by_text("Filled in from").wait_for()
        assert form.get_by_label("Client ID").input_value() == "theirs"
        undo()
        assert form.get_by_label("Client ID").input_value() == "mine"
        assert form.get_by_label("Client secret", exact=True).input_value() == ""
        assert page.get_by_text("Filled in from").count() == 0


def save_api_key(page, api) -> None:
    """Choose the kind, fill the form in, and save the secret `keyed`."""
    page.get_by_role("option", name="An API key", exact=True).click()
    page.get_by_label("API key", exact=True).fill(CANARY)
    page.get_by_label("Base URL").fill(api.url)
    page.get_by_label("Name", exact=True).fill("keyed")
    page.get_by_role("button", name="Save", exact=True).click()


def test_the_browsers_back_and_reload_stay_in_the_page(page, loopback, api):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Add secret").click()
    page.get_by_role("combobox", name="Provider").wait_for()
    page.go_back()
    page.get_by_text("No secrets yet").wait_for()
    page.get_by_role("button", name="Add secret").click()
    save_api_key(page, api)
    page.get_by_role("region", name="Manage tokens of keyed").wait_for()
    page.reload()
    page.get_by_role("region", name="Manage tokens of keyed").wait_for()
    page.go_back()
    page.get_by_role("button", name="Manage tokens of keyed").wait_for()  # the table, and no form that is sent again


def test_what_is_pasted_into_the_search_chooses_the_provider(page, loopback):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Add secret").click()
    paste(page, page.get_by_role("combobox", name="Provider"), json.dumps({"installed": {"client_id": "an-id",
          "client_secret": CANARY, "auth_uri": "https://evil.example/auth", "token_uri": "https://oauth2.googleapis.com/token"}}))  # fmt: skip
    form = page.get_by_role("form", name="Add secret")
    page.get_by_text("Filled in from the JSON").wait_for()
    form.get_by_text("Google", exact=True).wait_for()
    assert form.get_by_label("Client ID").input_value() == "an-id"
    form.get_by_role("button", name="Save only").click()
    page.get_by_text("No access token yet").wait_for()
    stored = default_vault().get("google").secret
    assert stored.authorization_endpoint.startswith("https://accounts.google.com/")  # the catalogue's, not the file's


def test_a_mistake_is_shown_while_one_types_and_goes_when_it_is_mended(page, loopback):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Add secret").click()
    page.get_by_role("option", name="Another OAuth2 provider", exact=True).click()
    endpoint = page.get_by_label("Token endpoint")
    endpoint.press_sequentially("http://far.example/token")
    page.get_by_text("This must use https://").wait_for()
    endpoint.fill("https://far.example/token")
    assert endpoint.get_attribute("aria-invalid") is None


def test_delete_asks_once_in_its_place(page, loopback, api):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Add secret").click()
    save_api_key(page, api)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Keep it").click()
    assert default_vault().names() == ["keyed"]
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete keyed").click()
    page.get_by_text("No secrets yet").wait_for()
    assert default_vault().names() == []
