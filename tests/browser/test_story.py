"""The whole story in a real JupyterLab, against an authorization server that was written independently."""

from __future__ import annotations

import json
import time

import httpx
import pytest
from leak_search import files_below, leaks

pytestmark = [pytest.mark.browser, pytest.mark.provider, pytest.mark.security]

CLIENT_SECRET = "client-secret-CANARY-5e1f+/=%"
LIFETIME = 6


def sign_in(page) -> None:
    """oidc-provider's own login and consent pages."""
    page.get_by_placeholder("Enter any login").fill("ann")
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def test_story_under_a_base_url_while_the_kernel_is_busy(
    jupyter_lab, open_lab, oidc_provider, isolated, tmp_path, *, measured
):
    server = jupyter_lab(base_url="/user/ann/")
    redirect_uri = httpx.get(server.flowlet("api/redirect-uri"), headers=server.headers).json()["redirect_uri"]
    assert redirect_uri.endswith("/user/ann/flowlet/callback")
    provider = oidc_provider(
        [{"client_id": "notebook", "client_secret": CLIENT_SECRET, "redirect_uris": [redirect_uri]}],
        access_token_lifetime=LIFETIME,
    )
    lab = open_lab(
        server,
        [
            "%load_ext flowlet_jupyter\nimport flowlet_jupyter as flowlet",
            "%flowlet_secrets",
            "import time; time.sleep(20)",
            "me = %flowlet_request /me --secret oidc\nme",
            "%xmode Verbose\nflowlet.client('oidc').get('http://127.0.0.1:9/')",
            "flowlet.get('http://127.0.0.1:9/', secret='oidc')",
            (
                "vars(me.request), me.request.headers, me.history, flowlet.secrets['oidc'].token(), "
                "flowlet.secrets.vault.get('oidc')"
            ),
            "print('canary-that-the-test-planted')",
        ],
    )
    page = lab.page
    messages: list[bytes] = []

    def keep(frame) -> None:
        messages.append(frame if isinstance(frame, bytes) else frame.encode())

    def listen(socket) -> None:
        socket.on("framesent", keep)
        socket.on("framereceived", keep)

    page.on("websocket", listen)
    page.reload()  # so that the kernel's socket is opened under our eyes
    page.wait_for_selector(".jp-NotebookPanel .jp-Toolbar-kernelName >> text=Python 3")

    lab.run(0)
    lab.run(1)
    page.get_by_role("button", name="Add secret").click()
    page.get_by_role("option", name="Another OAuth2 provider", exact=True).click()
    form = page.get_by_role("form", name="Add secret")
    assert form.get_by_label("Redirect URI").input_value() == redirect_uri
    for label, value in {
        "Authorization URI": f"{provider.issuer}/auth",
        "Token endpoint": f"{provider.issuer}/token",
        "Client ID": "notebook",
        "Scope": "openid offline_access",
        "Allowed hosts": f"{provider.issuer.removeprefix('http://')}, 127.0.0.1:9",
        "Base URL": provider.issuer,
    }.items():
        form.get_by_label(label).fill(value)
    form.get_by_label("Name", exact=True).fill("oidc")
    form.get_by_label("Client secret", exact=True).fill(CLIENT_SECRET)
    form.get_by_role("button", name="Save only").press("Enter")  # the keyboard alone saves it
    manage = page.get_by_role("region", name="Manage tokens of oidc")
    manage.get_by_text("No access token yet").wait_for()

    lab.run(2)
    with page.context.expect_page() as opened:
        manage.get_by_role("link", name="Request access token").click()
    tab = opened.value
    sign_in(tab)
    tab.get_by_text("You can close this tab").wait_for()
    page.get_by_role("status").filter(has_text="oidc is now connected").wait_for(timeout=3000)
    manage.get_by_text("Connected").first.wait_for(timeout=3000)
    assert "[*]" in lab.cell(2).inner_text(), "the kernel was to be busy all the while"
    assert "Refresh token\nobtained" in manage.inner_text()

    lab.run(3)
    lab.output(3, '"ann"')
    before = provider.grants("refresh_token")
    time.sleep(LIFETIME + 1)
    lab.run(3)
    page.wait_for_function("() => !document.body.innerText.includes('[*]')")
    lab.output(3, "200 OK")
    assert provider.grants("refresh_token") == before + 1

    lab.run(4)
    lab.output(4, "ConnectError")
    lab.run(5)
    lab.output(5, "RequestFailed")
    assert "Traceback" not in lab.cell(5).inner_text()
    lab.run(6)
    lab.output(6, "SecretValue(hidden)")
    lab.run(7)
    lab.output(7, "canary-that-the-test-planted")
    lab.save()
    page.evaluate("localStorage.setItem('planted', 'canary-in-the-storage')")
    browser = _browser_has(page)
    httpx.get(server.flowlet("authorize/canary-in-the-log"), headers=server.headers)
    page.context.close()
    server.stop()  # the history is written when the kernel ends

    issued = provider.issued()
    assert provider.grants("authorization_code") == 1
    assert len(issued) >= 5  # a code, and two token sets
    contents = {"kernel messages": b"\n".join(messages), **browser, **files_below(isolated, tmp_path)}
    notebook, history = str(server.folder / "story.ipynb"), next(name for name in contents if "history.sqlite" in name)
    assert leaks(contents, [CLIENT_SECRET, *issued]) == []
    # the search can fail: it finds what was planted
    found = {name for name, _ in leaks(contents, ["canary-that-the-test-planted"])}
    assert {notebook, history, "kernel messages", "the page"} <= found
    assert leaks(contents, ["canary-in-the-log"]) == [(str(server.log_file), 0)]
    assert leaks(contents, ["canary-in-the-storage"]) == [("what the browser stores", 0)]
    measured("leaks", searched=len(browser) + 1, found=0)


def _browser_has(page) -> dict[str, bytes]:
    """The document, with what its fields hold, and cookies, local and session storage and IndexedDB."""
    fields = page.evaluate("[...document.querySelectorAll('input, textarea')].map(each => each.value)")
    stored = page.context.storage_state(indexed_db=True)
    session = page.evaluate("JSON.stringify(sessionStorage)")
    return {
        "the page": json.dumps([page.content(), fields], ensure_ascii=False).encode(),
        "what the browser stores": json.dumps([stored, session], ensure_ascii=False).encode(),
    }
