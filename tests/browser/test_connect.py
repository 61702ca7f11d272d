"""A cell that needs a token, and front ends in which a part is missing."""

from __future__ import annotations

import re

import httpx
import pytest

from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.vault import default_vault

pytestmark = pytest.mark.browser


def store(server, birdsong) -> None:
    redirect_uri = httpx.get(server.flowlet("api/redirect-uri"), headers=server.headers).json()["redirect_uri"]
    client_id, client_secret = birdsong.server.provider.register("test", redirect_uri)
    secret = OAuth2(
        name="twitter",
        authorization_endpoint=birdsong.authorization_endpoint,
        token_endpoint=birdsong.token_endpoint,
        client_id=client_id,
        client_secret=client_secret,
        scope="users.read",
        base_url=birdsong.url,
    )
    default_vault().put(Record(secret=secret))


def test_a_cell_without_a_token_shows_the_link_waits_and_goes_on(jupyter_lab, open_lab, birdsong):
    server = jupyter_lab()
    store(server, birdsong)
    lab = open_lab(
        server,
        [
            "%load_ext flowlet_jupyter",
            "me = %flowlet_request /2/users/me --secret twitter\nme",
            "%flowlet_secret twitter",
        ],
    )
    lab.run(0)
    lab.run(1)
    lab.output(1, re.compile(r"waiting for authorization, \d+:\d\d left. To stop, interrupt the kernel"))
    link = lab.cell(1).get_by_role("link", name="Request access token")
    link.wait_for()
    lab.page.wait_for_timeout(3500)
    assert "did not come up" not in lab.cell(1).inner_text()  # the busy kernel has heard the greeting
    link.focus()
    with lab.page.context.expect_page() as opened:
        lab.page.keyboard.press("Enter")  # by keyboard alone
    opened.value.get_by_role("button", name="Log in and allow").click()
    opened.value.get_by_text("You can close this tab").wait_for()
    assert "no refresh token" in opened.value.content()
    lab.output(1, "the request goes on")
    lab.output(1, "200 OK")
    lab.output(1, "Secret twitter is connected")
    lab.run(2)
    lab.output(2, "offline.access at Twitter")  # what usually brings the refresh token that is not there


def test_a_server_without_the_extension_says_what_to_install_where(jupyter_lab, open_lab):
    server = jupyter_lab(options=["--ServerApp.jpserver_extensions={'flowlet_jupyter': False}"])
    lab = open_lab(server, ["%load_ext flowlet_jupyter\n%flowlet_secrets"])
    lab.run(0)
    lab.output(0, "The Jupyter server has no flowlet_jupyter extension", timeout=90000)
    lab.output(0, "pip install flowlet-jupyter")


def test_a_front_end_without_the_widget_says_what_to_install_where(jupyter_lab, open_lab):
    server = jupyter_lab()
    lab = open_lab(server, ["%load_ext flowlet_jupyter\n%flowlet_secrets"])
    # as where JupyterLab's environment has no anywidget: its files are not served
    lab.page.context.route("**/extensions/anywidget/**", lambda route: route.abort())
    lab.open("story.ipynb")
    lab.run(0)
    lab.output(0, "The flowlet widget did not come up", timeout=40000)
    text = lab.cell(0).inner_text()
    assert "No secrets yet" in text
    assert "pip install flowlet-jupyter" in text
    assert "Error displaying widget" not in text
