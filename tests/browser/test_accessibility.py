"""Every state by axe-core, its committed ARIA snapshot and its layout, light and dark and at 360 px; and what a calm screen needs."""

from __future__ import annotations

import json
import os
import re
import time

import pytest
import segno
from support import use_theme, violations
from view_rules import WIDTHS, check_snapshot, layout_problems

from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.static import ApiKey
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.server.refusals import note_refusal
from flowlet_jupyter.testing import put_secret
from flowlet_jupyter.vault import default_vault

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("FLOWLET_PICTURES")
COLOUR_RULES = ("color-contrast", "link-in-text-block")  # axe-core's others ask nothing that the dark colours change


@pytest.fixture
def page(chromium):
    context = chromium.new_context(
        color_scheme="light", viewport={"width": 900, "height": 900}, reduced_motion="reduce"
    )
    context.set_default_timeout(20000)
    yield context.new_page()
    context.close()


def oauth2(name: str, **more) -> OAuth2:
    return OAuth2(name=name, authorization_endpoint="https://x.com/i/oauth2/authorize", client_id="an-id",
                  client_secret="a-client-secret", token_endpoint="https://api.twitter.com/2/oauth2/token",
                  allowed_hosts=("api.twitter.com", "api.x.com"), base_url="https://api.twitter.com/2", **more)  # fmt: skip


@pytest.fixture
def stored():
    """One secret of each state."""
    now = time.time()
    put_secret(oauth2("twitter", provider="twitter", revocation_endpoint="https://api.twitter.com/r"),
               refresh_token="r", obtained_at=now - 200, expires_at=now + 7000, scope="tweet.read users.read")  # fmt: skip
    put_secret(oauth2("github"))
    put_secret(oauth2("ended"), obtained_at=now - 9000, expires_at=now - 100)
    put_secret(oauth2("refreshed"), refresh_token="r", obtained_at=now - 9000, expires_at=now - 100)
    for name in ("openai", "maps", "weather"):
        key = ApiKey(name=name, key=SecretValue("k"), base_url=f"https://api.{name}.example/v1")
        default_vault().put(Record(secret=key))


def violations_in_the_dark(page, axe: str) -> list[str]:
    page.emulate_media(color_scheme="dark")
    try:
        return violations(page, axe, "html", COLOUR_RULES)
    finally:
        page.emulate_media(color_scheme="light")


def check(page, axe: str, view: str) -> None:
    """No violation of any impact, light and dark, the committed snapshot, and nothing cut off, wide and at 360 px."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page, axe, "html") == [], f"{view} at {width} px"
        assert violations_in_the_dark(page, axe) == [], f"{view} at {width} px, dark"
        assert layout_problems(page) == [], f"{view} at {width} px"
        check_snapshot(page, view)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{view} is cut off at {width} px"
    page.set_viewport_size({"width": 900, "height": 900})


def test_the_empty_table_and_the_steps_of_the_form(page, loopback, axe):
    page.goto(loopback.secrets_url)
    page.get_by_text("No secrets yet").wait_for()
    check(page, axe, "empty")
    page.get_by_role("button", name="Add secret").click()
    page.get_by_role("combobox").fill("twit")  # the whole catalogue is no state of the view
    page.get_by_role("option", name="X (Twitter)").wait_for()
    check(page, axe, "search")
    page.get_by_role("option", name="X (Twitter)").click()
    page.get_by_label("Client ID").wait_for()
    check(page, axe, "twitter")
    page.get_by_role("button", name="Save and request access token").click()
    page.get_by_text("The client ID is missing.").wait_for()
    page.get_by_text("Details").click()
    check(page, axe, "twitter-errors")
    page.get_by_role("button", name="Change the provider").click()
    page.get_by_role("option", name="Another OAuth2 provider", exact=True).click()
    check(page, axe, "oauth2")
    page.get_by_role("button", name="Change the provider").click()
    page.get_by_role("option", name="An API key", exact=True).click()
    check(page, axe, "key")
    page.get_by_role("button", name="Change the provider").click()
    page.get_by_role("option", name="HTTP headers", exact=True).click()
    check(page, axe, "headers")


def test_the_table_and_the_tokens(page, loopback, axe, stored):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Manage tokens of twitter").wait_for()
    check(page, axe, "table")
    page.get_by_role("searchbox", name="Search secrets").fill("twitter.com")
    assert page.locator("tbody tr").count() == 4
    page.get_by_role("searchbox", name="Search secrets").fill("nothing like it")
    page.get_by_text("No secret has 'nothing like it'").wait_for()
    page.get_by_role("searchbox", name="Search secrets").fill("")
    page.get_by_role("button", name="Name", exact=True).click()
    assert page.locator("tbody th").first.inner_text().startswith("weather")
    assert page.get_by_role("columnheader", name="Name").get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="Name", exact=True).click()
    for name in ("twitter", "github", "ended", "refreshed", "openai"):
        page.get_by_role("button", name=f"Manage tokens of {name}").click()
        page.get_by_role("region", name=f"Manage tokens of {name}").wait_for()
        check(page, axe, f"manage-{name}")
        page.get_by_role("button", name="All secrets").click()
    page.get_by_role("button", name="Manage tokens of twitter").click()
    page.get_by_role("button", name="Delete").click()
    check(page, axe, "delete")
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Add account").click()
    check(page, axe, "account")
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("form", name="Edit secret twitter").wait_for()
    check(page, axe, "edit")


def test_the_countdown_moves_nothing_and_is_not_read_out(page, loopback, stored):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Manage tokens of twitter").click()
    ticking = page.locator(".flowlet-event-ends .flowlet-ticking")
    ticking.wait_for()
    assert ticking.evaluate("element => element.closest('[role=status], [aria-live]')") is None
    before, box = ticking.inner_text(), page.locator(".flowlet-manage").bounding_box()
    button = page.get_by_role("button", name="Refresh now").element_handle()
    page.clock.install()
    page.clock.fast_forward(70_000)
    assert page.locator(".flowlet-manage").bounding_box() == box
    assert before
    assert button.is_visible()  # the same element: nothing was drawn again


def test_nothing_moves_where_motion_is_unwanted(page, loopback, stored):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Manage tokens of github").click()
    page.get_by_role("link", name="Request access token").evaluate(
        "link => link.addEventListener('click', event => event.preventDefault())"
    )
    page.get_by_role("link", name="Request access token").click()
    waiting = page.get_by_text("Was that tab closed")
    waiting.wait_for()
    assert waiting.evaluate("element => getComputedStyle(element).animationName") == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert waiting.evaluate("element => getComputedStyle(element).animationName") != "none"


def test_from_right_to_left_everything_is_mirrored_and_nothing_is_cut_off(page, loopback, stored):
    page.add_init_script("addEventListener('DOMContentLoaded', () => { document.documentElement.dir = 'rtl' })")
    page.goto(f"{loopback.secrets_url}?provider=twitter")
    client_id = page.get_by_label("Client ID")
    client_id.wait_for()
    label = page.locator("label", has_text="Client ID")
    assert label.bounding_box()["x"] > client_id.bounding_box()["x"]
    step = page.locator(".flowlet-steps > li").first
    assert step.evaluate("element => getComputedStyle(element).paddingRight") != "0px"
    for width in (900, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_at_twice_the_size_nothing_is_cut_off(page, loopback, stored):
    page.set_viewport_size({"width": 640, "height": 500})  # 1280 px at 200 %
    larger = "document.documentElement.style.setProperty('--jp-ui-font-size1', '28px')"  # text alone, too
    page.add_init_script(f"addEventListener('DOMContentLoaded', () => {larger})")
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Manage tokens of twitter").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    page.get_by_role("button", name="Manage tokens of twitter").click()
    page.get_by_role("region", name="Manage tokens of twitter").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("form", name="Edit secret twitter").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_high_contrast_the_chosen_and_the_wrong_are_still_told_apart(page, loopback, scheme):
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Add secret").click()
    chosen, other = page.locator("[aria-selected=true]"), page.locator("[aria-selected=false]").first
    chosen.wait_for()
    outline = "element => getComputedStyle(element).outlineStyle"
    assert (chosen.evaluate(outline), other.evaluate(outline)) == ("solid", "none")
    page.get_by_role("combobox").fill("twit")
    page.get_by_role("option", name="X (Twitter)").click()
    page.get_by_role("button", name="Save and request access token").click()
    page.get_by_text("The client ID is missing.").wait_for()
    assert page.get_by_label("Client ID").evaluate("element => getComputedStyle(element).borderStyle") == "double"


@pytest.mark.usefixtures("stored")
def test_the_widget_in_jupyterlabs_own_colours(jupyter_lab, open_lab, axe, isolated):
    server = jupyter_lab()
    for theme in ("light", "dark"):  # one JupyterLab and one kernel: a page reads the theme when it is opened
        use_theme(theme, isolated)
        lab = open_lab(server, ["%load_ext flowlet_jupyter\n%flowlet_secrets"])
        check_widget(lab, axe, theme)
        lab.page.context.close()


def check_widget(lab, axe: str, theme: str) -> None:
    lab.run(0)
    cell = lab.cell(0)
    cell.get_by_role("button", name="Manage tokens of twitter").wait_for()
    assert violations(lab.page, axe, ".flowlet") == []
    picture(lab, f"secrets-{theme}")
    cell.get_by_role("button", name="Manage tokens of twitter").click()
    cell.get_by_role("region", name="Manage tokens of twitter").wait_for()
    assert violations(lab.page, axe, ".flowlet") == []
    picture(lab, f"manage-{theme}")
    cell.get_by_role("button", name="All secrets").click()
    cell.get_by_role("button", name="Add secret").click()
    cell.get_by_role("combobox").fill("twit")
    assert violations(lab.page, axe, ".flowlet") == []
    picture(lab, f"search-{theme}")
    cell.get_by_role("option", name="X (Twitter)").click()
    cell.get_by_label("Client ID").wait_for()
    picture(lab, f"form-{theme}")
    cell.get_by_role("button", name="Save and request access token").click()
    cell.get_by_text("The client ID is missing.").wait_for()
    cell.get_by_text("Details").click()
    assert violations(lab.page, axe, ".flowlet") == []


def picture(lab, name: str) -> None:
    if PICTURES:
        lab.cell(0).locator(".flowlet").screenshot(path=f"{PICTURES}/{name}.png")


def test_what_waits_and_what_came_of_it(page, loopback, axe, stored):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Manage tokens of github").click()
    link = page.get_by_role("link", name="Request access token")
    link.evaluate("link => link.addEventListener('click', event => event.preventDefault())")
    link.click()
    page.get_by_text("Was that tab closed").wait_for()
    check(page, axe, "waiting")
    note_refusal(default_vault(), "github", "Access was not allowed.")
    page.get_by_text("Access was not allowed.").first.wait_for()
    check(page, axe, "refused")


def opened_as(page, loopback, kind: str, name: str) -> None:
    """The page with a view that else only a cell's output begins with."""

    def rewritten(route) -> None:
        text = route.fetch().text()
        start = f'{{ kind: "{kind}", name: "{name}", prefill }}'
        route.fulfill(content_type="text/javascript", body=re.sub(r"\{ kind: isForm [^}]*\}", start, text))

    page.route("**/secrets.js", rewritten)
    page.goto(loopback.secrets_url)


def test_the_output_of_a_cell_that_waits_in_all_its_states(page, loopback, axe, stored):
    page.clock.install()
    opened_as(page, loopback, "connect", "github")
    region = page.get_by_role("region", name="Connect github")
    region.get_by_text("No access token yet").wait_for()
    check(page, axe, "connect")
    page.on("popup", lambda popup: popup.close())
    link = region.get_by_role("link", name="Request access token")
    link.evaluate("link => link.addEventListener('click', event => event.preventDefault())")
    link.click()
    page.clock.run_for(100)
    region.get_by_text("Was that tab closed").wait_for()
    check(page, axe, "connect-waiting")
    page.clock.fast_forward("10:05")
    region.get_by_text("Nothing came back from the other tab").wait_for()
    check(page, axe, "connect-ended")
    note_refusal(
        default_vault(),
        "github",
        "https://api.twitter.com/2/oauth2/token answered invalid_client. Check client ID and client secret.",
    )
    page.clock.run_for(3000)
    region.get_by_text("invalid_client").wait_for()
    check(page, axe, "connect-refused")
    record = default_vault().get("twitter")
    default_vault().put(Record(secret=default_vault().get("github").secret, token_set=record.token_set))
    page.clock.run_for(3000)
    page.get_by_text("Secret github is connected").wait_for()
    check(page, axe, "connect-connected")


def test_a_code_for_another_device(page, loopback, axe, stored):
    put_secret(OAuth2(name="tv", client_id="an-id", token_endpoint="https://tv.example/token", allowed_hosts=("api.tv.example",),
                      device_authorization_endpoint="https://tv.example/device", grant_type="urn:ietf:params:oauth:grant-type:device_code",
                      token_endpoint_auth_method="none"))  # fmt: skip
    code = {"user_code": "WDJB-MJHT", "verification_uri": "https://tv.example/enter", "verification_uri_complete": None,
            "expires_at": time.time() + 500, "qr_code": segno.make("https://tv.example/enter").svg_data_uri(scale=4)}  # fmt: skip
    state = {"pending": True, "problem": None}
    page.route("**/api/secrets/tv/device", lambda route: route.fulfill(
        content_type="application/json", body=json.dumps(code if route.request.method == "POST" else state)))  # fmt: skip
    opened_as(page, loopback, "connect", "tv")
    page.get_by_role("button", name="Request access token").click()
    page.get_by_text("Waiting for you to enter it").wait_for()
    check(page, axe, "device")
    state |= {"pending": False, "problem": "The code was not entered in time. Request the access token again."}
    page.get_by_role("status").get_by_text("was not entered in time").wait_for()
    assert page.get_by_text("WDJB-MJHT").count() == 0
    check(page, axe, "device-ended")


def test_what_is_shown_without_a_server(page, loopback, axe, stored):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Manage tokens of twitter").wait_for()
    page.route("**/api/**", lambda route: route.abort())
    page.get_by_role("button", name="Manage tokens of twitter").click()
    page.get_by_text("The Jupyter server does not answer").wait_for()
    check(page, axe, "no-answer")
    page.unroute("**/api/**")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("region", name="Manage tokens of twitter").wait_for()
    page.route("**/api/**", lambda route: route.fulfill(status=404, content_type="text/html", body=""))
    page.get_by_role("button", name="All secrets").click()
    page.get_by_text("has no flowlet_jupyter extension").wait_for()
    check(page, axe, "no-extension")


def test_a_refusal_stands_in_the_table(page, loopback, axe, stored):
    note_refusal(
        default_vault(),
        "github",
        "The provider answered access_denied. Press Request access token again to give it another try.",
    )
    page.goto(loopback.secrets_url)
    page.get_by_role("row", name="github").get_by_text("access_denied").wait_for()
    check(page, axe, "table-refused")
    page.get_by_role("button", name="Manage tokens of github").click()
    page.get_by_role("link", name="Request access token again").wait_for()
    check(page, axe, "manage-refused")
    note_refusal(
        default_vault(), "github", "Secret 'github': the provider answered invalid_request: redirect_uri mismatch."
    )
    page.reload()  # which stays at the view
    page.get_by_text("The provider answered invalid_request").wait_for()
    page.get_by_text("says that the redirect URI is wrong").click()
    assert page.get_by_label("Redirect URI").input_value() == loopback.redirect_uri
    check(page, axe, "manage-redirect")


def test_a_narrow_table_is_a_table_still_and_sorts(page, loopback, stored):
    page.set_viewport_size({"width": 360, "height": 900})
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Manage tokens of twitter").wait_for()
    table = page.get_by_role("table", name="Secrets")
    assert table.get_by_role("columnheader").count() == 5
    assert table.get_by_role("row").count() == 8
    assert table.get_by_role("row").last.get_by_role("cell").count() == 4
    first = table.get_by_role("rowheader").first
    assert first.inner_text().startswith("ended")
    table.get_by_role("button", name="Name", exact=True).click()
    assert first.inner_text().startswith("weather")


def test_a_text_that_cannot_be_read_in_the_dark_is_found(page, loopback, axe):
    page.goto(loopback.secrets_url)
    page.get_by_text("No secrets yet").wait_for()
    assert violations_in_the_dark(page, axe) == []
    style = "@media (prefers-color-scheme: dark) { .flowlet-head h2 { color: #333 !important } }"
    page.evaluate("style => { const sheet = new CSSStyleSheet(); sheet.replaceSync(style); document.adoptedStyleSheets = [sheet]; }", style)  # fmt: skip
    assert violations(page, axe, "html") == []
    assert violations_in_the_dark(page, axe)


@pytest.mark.parametrize(
    ("style", "problem"),
    [
        (".flowlet-head h2 { max-width: 4em; overflow: hidden; white-space: nowrap; }", "cut off at the side"),
        (".flowlet-head { flex-wrap: nowrap; } .flowlet-title { margin-left: -8rem !important; position: relative; right: 40rem; }", "lies over"),
        (".flowlet-title { position: relative; left: 20rem; }", "out of the window"),
    ],
    ids=["cut off", "over each other", "out of the window"],
)  # fmt: skip
def test_the_rules_of_the_layout_find_what_breaks_it(page, loopback, stored, style, problem):
    page.goto(loopback.secrets_url)
    page.get_by_role("button", name="Manage tokens of twitter").wait_for()
    assert layout_problems(page) == []
    page.evaluate("style => { const sheet = new CSSStyleSheet(); sheet.replaceSync(style); document.adoptedStyleSheets = [sheet]; }", style)  # fmt: skip
    assert any(problem in found for found in layout_problems(page))
