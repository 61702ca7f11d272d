"""The live view of responses in a real JupyterLab: tabs, tree, table, copies, chart, by mouse and by keyboard; and what is saved."""

from __future__ import annotations

import json
import os
import time

import nbformat
import pytest
from support import eventually, use_theme, violations

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("FLOWLET_PICTURES")

DATA = """
import httpx, json, math
from flowlet_jupyter.http.response import Response
def made(status=200, url="https://api.example/v1/readings?city=Ulm", **options):
    r = Response(status, request=httpx.Request("GET", url, headers={"accept": "application/json"}), **options)
    r.secret_name = "weather"
    return r
rows = [{"time": f"2024-01-{1 + n // 24:02}T{n % 24:02}:00:00Z", "temperature": round(5 + 4 * math.sin(n / 4), 2),
         "station": {"id": n, "name": f"Station {n % 7}"}, "note": "=1+1" if n == 3 else None} for n in range(700)]
r = made(json={"data": rows, "meta": {"next_token": "abc", "count": 700, "a key": {"deep": [1, 2, {"x": "y"}]}}})
"""
PNG = "import base64; png = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FAAhKDveksOjmAAAAAElFTkSuQmCC')"


def picture(lab, number: int, name: str) -> None:
    if PICTURES:
        lab.page.wait_for_timeout(1500)  # until nothing moves
        lab.cell(number).locator(".jp-Cell-outputWrapper").screenshot(path=f"{PICTURES}/{name}.png")


def tab(lab, number: int, name: str):
    return lab.cell(number).get_by_role("tab", name=name, exact=True)


# the views of pages and media, below, are looked at in the light
@pytest.mark.parametrize("theme", ["light", "dark"] if PICTURES else ["dark"])
def test_a_response_by_mouse_and_keyboard(jupyter_lab, open_lab, axe, theme, isolated):
    server = jupyter_lab()
    use_theme(theme, isolated)
    cells = [
        DATA + "r",
        "made(404, json={'title': 'Not Found', 'detail': 'There is no such city.'})",
        PNG + "\nmade(content=png, headers={'content-type': 'image/png'})",
        "r.plot()",
        "made(json=[])",
        "made(text='<b>hi</b>', headers={'content-type': 'text/html'})",
    ]
    lab = open_lab(server, cells)
    page = lab.page
    lab.run(0)
    cell = lab.cell(0)
    tab(lab, 0, "Table").wait_for()
    grid = cell.get_by_role("grid", name="Records of data")
    grid.wait_for()
    cell.get_by_text("700 records of data").wait_for()
    assert [one.inner_text() for one in cell.get_by_role("tab").all()] == [
        "Tree", "Table", "Chart", "Raw", "Headers", "Request",
    ]  # fmt: skip
    picture(lab, 0, f"view-table-{theme}")
    assert violations(page, axe, ".flowlet-response") == []

    # sorted by the kernel over all 700, scrolled to the end, a cell chosen
    cell.get_by_role("button", name="temperature").click()
    page.wait_for_function("document.querySelector('.fr-row td:nth-of-type(2)').innerText === '1.0'")
    assert cell.get_by_role("columnheader", name="temperature").get_attribute("aria-sort") == "ascending"
    cell.get_by_role("button", name="temperature").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    cell.get_by_role("group", name="Chosen value").wait_for()
    assert 'aria-rowindex="701"' in cell.locator("tr.fr-row").last.evaluate("row => row.outerHTML")
    cell.get_by_role("columnheader", name="time date").get_by_role("button").click()
    cell.get_by_text("700 records of data, by time").wait_for()
    cell.locator("td[data-row='3'][data-column='3']").click()
    cell.get_by_text('r.json()["data"][3]["station"]["id"]').wait_for()
    cell.get_by_role("button", name="Copy Python").click()
    cell.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == 'r.json()["data"][3]["station"]["id"]'
    cell.get_by_role("button", name="Filters").click()
    cell.get_by_label("Filter temperature").fill(">8.5")
    cell.get_by_text(" of 700 records of data").wait_for()
    picture(lab, 0, f"view-table-chosen-{theme}")
    assert violations(page, axe, ".flowlet-response") == []
    cell.get_by_role("searchbox", name="Search all rows").fill("Station 3")
    cell.get_by_role("button", name="Copy table").click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('time\\ttemperature'))")

    # tabs by arrow keys
    tab(lab, 0, "Table").focus()
    page.keyboard.press("ArrowLeft")
    assert tab(lab, 0, "Tree").get_attribute("aria-selected") == "true"
    tree = cell.get_by_role("tree")
    tree.wait_for()
    picture(lab, 0, f"view-tree-{theme}")
    assert violations(page, axe, ".flowlet-response") == []
    page.keyboard.press("Tab")
    cell.get_by_role("treeitem").first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    cell.get_by_text('r.json()["meta"]["next_token"]').wait_for()
    cell.get_by_role("button", name="Copy value").click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text === 'abc')")
    cell.get_by_label("Search this JSON").fill("next_token")
    cell.get_by_role("button", name="meta.next_token").click()
    cell.get_by_text("1 found").wait_for()
    picture(lab, 0, f"view-search-{theme}")
    assert violations(page, axe, ".flowlet-response") == []
    for name in ("Chart", "Raw", "Headers", "Request"):
        tab(lab, 0, name).click()
        cell.get_by_role("tabpanel").locator(":scope *:visible").first.wait_for()
        picture(lab, 0, f"view-{name.lower()}-{theme}")
        assert violations(page, axe, ".flowlet-response") == [], name
    tab(lab, 0, "Chart").click()
    cell.get_by_role("img", name="Line chart of temperature by time").wait_for()
    cell.get_by_text('r.plot("time", "temperature", path="data")').wait_for()

    for number, name in ((1, "error"), (2, "image"), (3, "plot"), (4, "empty"), (5, "html")):
        lab.run(number)
        lab.cell(number).locator(".jp-OutputArea-output :visible").first.wait_for()
        picture(lab, number, f"view-{name}-{theme}")
    assert violations(page, axe, ".flowlet-response") == []
    assert lab.cell(1).get_by_text("There is no such city.").first.is_visible()
    assert lab.cell(5).locator(".flowlet-response b").count() == 0

    # as wide as a phone, and from right to left: everything is inside
    view = cell.locator(".flowlet-response")
    for direction in ("ltr", "rtl"):
        view.evaluate("(element, direction) => { element.style.width = '330px'; element.dir = direction }", direction)
        for name in ("Tree", "Table", "Request"):
            tab(lab, 0, name).click()
            cell.get_by_role("tabpanel").locator(":scope *:visible").first.wait_for()
            picture(lab, 0, f"view-narrow-{name.lower()}-{direction}-{theme}")
            assert view.evaluate("element => element.scrollWidth <= 330"), (name, direction)
    tab(lab, 0, "Request").focus()
    page.keyboard.press("ArrowRight")
    assert tab(lab, 0, "Headers").get_attribute("aria-selected") == "true"
    page.emulate_media(forced_colors="active")
    drawn = "element => getComputedStyle(element).borderBottomColor"
    assert tab(lab, 0, "Headers").evaluate(drawn) != tab(lab, 0, "Tree").evaluate(drawn)
    page.emulate_media(forced_colors="none")

    lab.cell(5).locator(".cm-content").click()
    lab.save()
    saved = nbformat.read(server.folder / "story.ipynb", 4)
    outputs = saved.cells[0].outputs
    assert len(json.dumps(outputs)) < 64_000 + 2_000
    assert "<script" not in json.dumps(outputs)
    assert "widgets" not in saved.metadata


def test_a_large_response_is_not_in_the_page_and_the_saved_view_is_read_without_its_kernel(jupyter_lab, open_lab):
    server = jupyter_lab()
    big = "big = made(content=json.dumps([{'n': n, 'text': 'x' * 90} for n in range(100_000)]).encode(), headers={'content-type': 'application/json'})\nbig"
    lab = open_lab(server, [DATA + big])
    lab.run(0)
    cell = lab.cell(0)
    cell.get_by_text("100,000 records").wait_for()
    started = time.monotonic()
    cell.locator(".fr-scroll").evaluate("element => { element.scrollTop = element.scrollHeight }")
    cell.locator("tr[aria-rowindex='100001']").wait_for()
    print(f"the last of 100,000 rows after {time.monotonic() - started:.2f} s")
    assert len(lab.page.content()) < 1_500_000
    lab.save()
    assert (server.folder / "story.ipynb").stat().st_size < 70_000
    lab.page.reload()
    lab.page.wait_for_selector(".flowlet-response [role=tab]", timeout=60000)  # its kernel still runs
    notebook = nbformat.read(server.folder / "story.ipynb", 4)
    notebook.cells[0].source += "\n# changed elsewhere: not trusted"
    html = notebook.cells[0].outputs[0].data["text/html"]  # made by a kernel that is gone
    notebook.cells[0].outputs[0].data["text/html"] = html.replace('id="flowlet-', 'id="saved-')
    nbformat.write(notebook, server.folder / "other.ipynb")
    lab.open("other.ipynb")
    # JupyterLab opens the first notebook too, whose view is live
    view = lab.page.locator(".jp-OutputArea-output", has=lab.page.locator("summary", has_text="Headers"))
    hidden = view.get_by_text("those of secret 'weather'")

    def is_open() -> bool:  # JupyterLab may draw the output once more, closed
        if not hidden.is_visible():
            view.locator("summary", has_text="Request").click()
        return hidden.is_visible()

    eventually(is_open)
    if PICTURES:
        view.screenshot(path=f"{PICTURES}/view-untrusted.png")


def test_the_pages_of_an_api_have_the_view_of_a_response(jupyter_lab, open_lab, axe, api):
    server = jupyter_lab()
    cells = [
        f"%load_ext flowlet_jupyter\nbirds = %flowlet_request {api.url}/cursor max_results==5 --paginate --max-pages 12\nbirds",
        "birds.resume()",
        f"import flowlet_jupyter as flowlet\nflowlet.gather(['{api.url}/user/1', '{api.url}/user/13'], retry=0)",
    ]
    lab = open_lab(server, cells)
    page = lab.page
    lab.run(0)
    cell = lab.cell(0)
    lab.output(0, "12 pages, 60 records, not complete")
    cell.get_by_role("button", name="Copy", exact=True).click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text === 'birds.resume()')")
    cell.get_by_role("tab", name="Pages").click()
    cell.get_by_role("grid", name="Pages").locator("td[data-row='2'][data-column='5']").hover()
    page.mouse.down()  # a click is none where its row is replaced under the pressed button
    cell.locator(".fr-scroll:visible").evaluate(
        "element => new Promise(drawn => { element.style.height = '200px'; requestAnimationFrame(() => requestAnimationFrame(drawn)) })"
    )
    page.mouse.up()
    lab.output(0, 'birds.log.lines[2]["url"]')
    assert violations(page, axe, ".flowlet-response") == []
    picture(lab, 0, "pages-light")
    lab.run(1)
    lab.output(1, "19 pages, 95 records, complete")
    lab.cell(1).get_by_role("tab", name="Chart").click()
    lab.output(1, "birds.plot(")  # `resume()` gives the same pages
    lab.run(2)
    lab.output(2, "2 requests, 1 went well, 1 failed")
    lab.cell(2).get_by_role("tab", name="Requests").click()
    lab.cell(2).get_by_role("grid", name="Requests").wait_for()
    assert violations(page, axe, ".flowlet-response") == []
    lab.cell(2).locator(".cm-content").click()
    lab.save()
    for saved in nbformat.read(server.folder / "story.ipynb", 4).cells:
        assert len(json.dumps(saved.outputs)) < 64_000 + 2_000


MEDIA = r"""
import struct
wav = b"RIFF" + struct.pack("<I", 8036) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data"
wav += struct.pack("<I", 8000) + bytes(128 + n % 60 for n in range(8000))
pdf = b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>endobj\n" \
      b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n" \
      b"trailer<</Root 1 0 R>>\n"
svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.top.hit=1"><script>window.top.hit=1</script>' \
      b'<foreignObject><img xmlns="http://www.w3.org/1999/xhtml" src="x" onerror="window.top.hit=1"/></foreignObject></svg>'
"""


def test_what_an_api_sends_as_media_is_shown_and_nothing_in_it_runs(jupyter_lab, open_lab, axe):
    server = jupyter_lab()
    kinds = {"audio/wav": "wav", "application/pdf": "pdf", "image/svg+xml": "svg", "text/html": "svg"}
    cells = [DATA + MEDIA]
    cells += [f"made(content={name}, headers={{'content-type': '{kind}'}})" for kind, name in kinds.items()]
    image = "<img src=x onerror=window.top.hit=1>"
    cells.append(
        f"made(json={{'name': '{image}', '{image}': [{{'<b>': '<script>window.top.hit=1</script>'}}, {{'a': 1}}]}})"
    )
    lab = open_lab(server, cells)
    page = lab.page
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for number in range(len(cells)):
        lab.run(number)
        if number:
            lab.cell(number).get_by_role("tab").first.wait_for()
    lab.cell(1).locator("audio").wait_for()
    page.wait_for_function("document.querySelector('.flowlet-response audio').duration === 1")
    lab.cell(2).get_by_role("button", name="Show the PDF").wait_for()
    with page.expect_download() as download:
        lab.cell(2).get_by_role("link", name="Download it").click()
    assert download.value.suggested_filename == "response.pdf"
    lab.cell(3).locator("img").wait_for()
    assert lab.cell(4).locator("pre", has_text="foreignObject").count() == 1
    tab(lab, 5, "Tree").click()
    lab.cell(5).get_by_role("tree").get_by_text("onerror").first.wait_for()  # a name and a key of JSON are text
    assert lab.cell(5).locator(".flowlet-response img").count() == 0
    assert violations(page, axe, ".flowlet-response") == []
    page.wait_for_timeout(500)
    assert page.evaluate("window.hit") is None
    assert dialogs == []
