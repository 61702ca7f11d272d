"""The quickstart, walked by hand in a real JupyterLab and in Notebook 7."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from support import use_theme

pytestmark = pytest.mark.browser

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
PICTURES = os.environ.get("FLOWLET_PICTURES")  # a folder: the walk then leaves its screenshots there


def picture(page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png")


# each front end and each theme once; all four where they are pictured
LOOKS = ["lab-light", "notebook-dark", *(["lab-dark", "notebook-light"] if PICTURES else [])]


@pytest.mark.parametrize("look", LOOKS)
def test_new_user_walks_the_quickstart(jupyter_lab, open_lab, birdsong, look, isolated):
    front_end, _, theme = look.partition("-")
    if front_end == "notebook":
        pytest.importorskip("notebook")
    server = jupyter_lab(command=front_end)
    pictured = look.removeprefix("lab-")
    use_theme(theme, isolated)
    port = birdsong.url.rpartition(":")[2]
    text = QUICKSTART.read_text().replace("demo.start()", f"demo.start({port})")
    (server.folder / "quickstart.ipynb").write_text(text)
    lab = open_lab(server, "quickstart.ipynb")
    page = lab.page

    lab.run(1)
    lab.output(1, f"{birdsong.url}/developer")
    lab.run(3)
    page.get_by_role("button", name="Add secret").click()
    page.get_by_role("option", name="Another OAuth2 provider", exact=True).click()
    form = page.get_by_role("form", name="Add secret")
    redirect_uri = form.get_by_label("Redirect URI").input_value()
    form.get_by_role("button", name="Copy").click()
    assert redirect_uri == server.flowlet("callback")
    assert page.evaluate("navigator.clipboard.readText()") == redirect_uri

    developer = page.context.new_page()
    developer.goto(birdsong.developer_page)
    developer.get_by_label("Redirect URI").fill(redirect_uri)
    picture(developer, f"register-{pictured}")
    developer.get_by_role("button", name="Register").click()
    client_secret = developer.locator("#client_secret").inner_text()
    developer.get_by_role("button", name="Copy").click()
    developer.get_by_role("button", name="Copied").wait_for()
    picture(developer, f"registered-{pictured}")
    developer.close()

    form.get_by_label("Client ID").click()
    page.keyboard.press("Control+v")
    page.get_by_text("Filled in from the .env lines").wait_for()
    assert form.get_by_label("Name", exact=True).input_value() == "birdwatch"
    assert form.get_by_label("Base URL").input_value() == f"{birdsong.url}/2"
    secret_field = form.get_by_label("Client secret", exact=True)
    assert secret_field.input_value() == client_secret
    assert secret_field.get_attribute("type") == "password"
    wrong = form.get_by_label("Authorization URI")
    wrong.fill("http://example.com/authorize")
    form.get_by_role("button", name="Save and request access token").click()
    # the error stands beside its field, and nothing that was typed is lost
    page.wait_for_selector("[aria-invalid=true]")
    assert wrong.get_attribute("aria-invalid") == "true"
    assert "https" in form.locator(f"#{wrong.get_attribute('id')}-error").inner_text()
    assert secret_field.input_value() == client_secret
    wrong.fill(birdsong.authorization_endpoint)
    lab.cell(3).scroll_into_view_if_needed()
    picture(page, f"quickstart-form-{pictured}")
    with page.context.expect_page() as opened:
        form.get_by_role("button", name="Save and request access token").click()
    manage = page.get_by_role("region", name="Manage tokens of birdwatch")
    manage.get_by_text("No access token yet").wait_for()
    manage.get_by_text("Was that tab closed").wait_for()
    picture(page, f"no-token-{pictured}")
    provider = opened.value
    provider.get_by_role("button", name="Log in and allow").wait_for()
    picture(provider, f"provider-{pictured}")
    provider.get_by_role("button", name="Log in and allow").click()
    provider.get_by_text("You can close this tab").wait_for()
    picture(provider, f"callback-{pictured}")
    provider.wait_for_function("!location.href.includes('code=')")  # the page takes it out of its address

    # the widget changes by itself
    manage.get_by_text("expires in").wait_for(timeout=3000)
    details = manage.inner_text()
    assert "expires in 1 h 59 min" in details
    assert "Refresh token\nobtained" in details
    assert "tweet.read users.read offline.access" in details
    manage.get_by_role("button", name="Test").click()
    page.get_by_text("Connected as ada").first.wait_for()
    picture(page, f"connected-{pictured}")

    lab.run(5)
    lab.output(5, "200 OK")
    lab.run(6)
    lab.output(6, "2244994945")
    lab.run(8)
    lab.output(8, "created_at")
    lab.cell(5).evaluate("element => element.scrollIntoView({ block: 'start' })")
    picture(page, f"tweets-{pictured}")
    lab.run(10)
    lab.output(10, "created_at")
    before = birdsong.refresh_count()
    lab.run(12)
    lab.output(12, "(200, ")
    assert birdsong.refresh_count() == before + 1
    shutil.copy(server.log_file, isolated / "kept.log")
