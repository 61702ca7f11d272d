"""The tour in a real JupyterLab: the view of a response, by mouse and by keyboard."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from support import eventually, use_theme

pytestmark = pytest.mark.browser

TOUR = Path(__file__).parents[2] / "notebooks" / "tour.ipynb"
PICTURES = os.environ.get("FLOWLET_PICTURES")


def picture(lab, number: int, name: str) -> None:
    if PICTURES:
        lab.cell(number).scroll_into_view_if_needed()
        lab.cell(number).screenshot(path=f"{PICTURES}/{name}.png")


@pytest.mark.parametrize("theme", ["light", "dark"] if PICTURES else ["dark"])
def test_the_tour(jupyter_lab, open_lab, birdsong, theme, isolated):
    server = jupyter_lab()
    use_theme(theme, isolated)
    port = birdsong.url.rpartition(":")[2]
    text = (
        TOUR.read_text().replace("demo.start()", f"demo.start({port})").replace("127.0.0.1:8754", f"127.0.0.1:{port}")
    )
    (server.folder / "tour.ipynb").write_text(text)
    lab = open_lab(server, "tour.ipynb")
    page = lab.page

    lab.run(1)
    lab.output(1, "secret: birdsong")
    lab.run(3)
    lab.output(3, "200 OK")
    tree = lab.cell(3).get_by_role("tree")
    tree.locator("b", has_text="username").click()
    lab.output(3, 'me.json()["data"]["username"]')
    lab.cell(3).get_by_role("button", name="Copy Python").click()
    page.wait_for_function('navigator.clipboard.readText().then(text => text === \'me.json()["data"]["username"]\')')
    tree.get_by_role("treeitem").nth(1).focus()
    for key in ("ArrowRight", "Enter"):  # by keyboard alone
        page.keyboard.press(key)
    lab.output(3, 'me.json()["data"]["id"]')
    picture(lab, 3, f"response-tree-{theme}")

    lab.run(5)
    lab.output(5, "20 records of data")
    grid = lab.cell(5).get_by_role("grid")
    eventually(lambda: grid.locator(".fr-sort bdi").all_inner_texts()[:3] == ["id", "text", "created_at"])
    picture(lab, 5, f"response-table-{theme}")
    lab.cell(5).get_by_role("tab", name="Tree").click()
    search = lab.cell(5).get_by_label("Search this JSON")
    search.fill("next_token")
    lab.cell(5).get_by_role("button", name="meta.next_token").click()
    lab.output(5, '["meta"]["next_token"]')

    lab.run(7)
    lab.output(7, "404 Not Found")
    lab.output(7, "There is no such user.")
    picture(lab, 7, f"response-error-{theme}")
    lab.run(13)
    lab.output(13, "left out")
    lab.run(15)
    lab.output(15, "created_at")


def test_a_long_reading_shows_a_bar_and_leaves_none_behind(jupyter_lab, open_lab, api):
    api.delay = 0.3
    cells = [f"%load_ext flowlet_jupyter\npages = %flowlet_request {api.url}/cursor max_results==5 --paginate\npages"]
    lab = open_lab(jupyter_lab(), cells, name="x.ipynb")
    lab.run(0)
    lab.output(0, "Reading pages")
    lab.page.wait_for_timeout(1500)
    picture(lab, 0, "paging-light")
    shown = lab.cell(0).locator(".jp-Cell-outputWrapper").inner_text()
    assert re.search(r"\d\s*/\?.*records/s.*pages", shown, re.DOTALL), shown
    lab.output(0, "19 pages, 95 records, complete")
    assert "Reading pages" not in lab.cell(0).locator(".jp-Cell-outputWrapper").inner_text()
