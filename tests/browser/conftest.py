"""Chromium through Playwright, and a JupyterLab page with the few moves that a user makes."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import nbformat
import pytest
from support import name_birdsong, npm_install, skip_or_fail

NOTEBOOK_PATHS = {"lab": "lab/tree/", "notebook": "notebooks/"}  # where a server's front end has its notebooks
FRONTEND = Path(__file__).parents[1] / "frontend"


@pytest.fixture(scope="package")  # Playwright's loop must not be running when the tests beside these start theirs
def chromium():
    """A headless browser; any installed Chromium or Chrome does."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("FLOWLET_TEST_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
    )
    if path is None:
        skip_or_fail("a Chromium is needed for the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    """A page in a browser of its own."""
    context = chromium.new_context()
    context.set_default_timeout(20000)
    yield context.new_page()
    context.close()


@pytest.fixture
def catalogued(birdsong, loopback, tmp_path, monkeypatch):
    """The demo's provider as an organisation's entry, and a client of it."""
    name_birdsong(birdsong, tmp_path / "data", monkeypatch)
    return birdsong.server.provider.register("test", loopback.redirect_uri)


@pytest.fixture(scope="session")
def axe() -> str:
    npm_install(FRONTEND, "axe-core")
    return (FRONTEND / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


class Lab:
    """One notebook, open in JupyterLab, or in Notebook 7 where that is what the server was started with."""

    def __init__(self, page, server) -> None:
        self.page = page
        self.server = server

    def open(self, notebook: str) -> None:
        self.page.goto(f"{self.server.base}{NOTEBOOK_PATHS[self.server.command]}{notebook}?token={self.server.token}")
        panel = ".jp-NotebookPanel:not(.lm-mod-hidden)"  # another notebook of this page may be open behind it
        self.page.wait_for_selector(f"{panel} .jp-Cell")
        self.page.wait_for_selector(f"{panel} .jp-Toolbar-kernelName >> text=Python 3")
        self.page.wait_for_selector(f'{panel} .jp-Notebook-ExecutionIndicator[data-status="idle"]')

    def cell(self, number: int):
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").nth(number)

    def run(self, number: int) -> None:
        """Press Control+Enter in the cell, as often as a person would: a notebook that is still drawing itself loses the key."""
        prompt = self.cell(number).locator(".jp-InputPrompt").first
        for _ in range(10):
            self.cell(number).locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            end = time.monotonic() + 3
            while time.monotonic() < end:
                if prompt.inner_text().strip() != "[ ]:":
                    return
                self.page.wait_for_timeout(20)
        raise AssertionError(f"cell {number} does not run: {self.page.locator('body').inner_text()[-2000:]}")

    def output(self, number: int, text: str, *, timeout: int = 60000):
        """Wait until the output of the cell holds `text`."""
        from playwright.sync_api import Error as PlaywrightError

        found = self.cell(number).locator(".jp-Cell-outputWrapper").get_by_text(text).first
        try:
            found.wait_for(timeout=timeout)
        except PlaywrightError as error:
            raise AssertionError(
                f"{text!r} is not in cell {number}: {self.cell(number).inner_text()[-2000:]}"
            ) from error
        return found

    def save(self) -> None:
        self.page.keyboard.press("Escape")
        with self.page.expect_response(
            lambda response: "/api/contents/" in response.url and response.request.method == "PUT"
        ):
            self.page.keyboard.press("Control+s")


@pytest.fixture
def open_lab(chromium):
    """A function that opens a notebook of the given cells (or a file that is there) on a Jupyter server."""
    contexts = []

    def open_(server, cells: list[str] | str, *, name: str = "story.ipynb", **context_options) -> Lab:
        if isinstance(cells, list):
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
            nbformat.write(notebook, server.folder / name)
        else:
            name = cells
        context = chromium.new_context(viewport={"width": 1280, "height": 1000}, **context_options)
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(90_000)  # a kernel that starts on a busy machine
        lab = Lab(context.new_page(), server)
        lab.open(name)
        return lab

    yield open_
    for context in contexts:
        context.close()
