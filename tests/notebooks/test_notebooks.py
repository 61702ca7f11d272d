"""Every notebook that we ship runs from top to bottom, and saves no value."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import nbformat
import pytest
from kernels import run_notebook, started
from leak_search import files_below, leaks
from support import eventually

import flowlet_jupyter as flowlet
from flowlet_jupyter.credentials.redaction import values_in
from flowlet_jupyter.vault import default_vault


def values_of(name: str) -> list[str]:
    record = default_vault().get(name)
    return [value.reveal() for value in values_in(record.secret, record.token_set)]


@pytest.fixture
def kernel_of_notebook(jupyter_folders):
    with started() as kernel:
        yield kernel


FOLDER = Path(__file__).parents[2] / "notebooks"
# walked by hand in test_quickstart.py and test_kernel.py; run by another notebook; needs a person
ELSEWHERE = {"quickstart.ipynb", "report.ipynb", "device-flow.ipynb"}


def prepared(name: str, birdsong) -> nbformat.NotebookNode:
    port = birdsong.url.rpartition(":")[2]
    notebook = nbformat.read(FOLDER / name, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("demo.start()", f"demo.start({port})").replace("127.0.0.1:8754", f"127.0.0.1:{port}")
    return notebook


def assert_nothing_is_saved(*folders: Path) -> None:
    values = [value for name in flowlet.secrets for value in values_of(name)]
    assert values
    assert leaks(files_below(*folders), values) == []


def text_of(notebook) -> str:
    return "\n".join(str(output) for cell in notebook.cells for output in cell.get("outputs", []))


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.ipynb") if path.name not in ELSEWHERE))
def test_a_notebook_runs_from_top_to_bottom(name, birdsong, jupyter_folders, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    shutil.copy(FOLDER / "report.ipynb", work)
    notebook = prepared(name, birdsong)
    run_notebook(notebook, str(work))
    nbformat.write(notebook, work / name)
    assert_nothing_is_saved(work)
    output = text_of(notebook)
    expected = {
        "paging.ipynb": ["(42, 6)", "2 pages, 20 records, not complete", "5 pages, 42 records, complete"],
        "several-accounts.ipynb": ["'ada'", "'ben'", "birds/ben"],
        "scheduled-run.ipynb": ["'ada: 20 tweets'", "AuthRequired"],
        "tour.ipynb": ["404 Not Found", "$(jupyter flowlet token birdsong)", "Left out of the request to", "Ada Warbler", "by created_at"],
    }[name]
    assert [text for text in expected if text not in output] == []


def test_the_device_notebook_waits_for_the_code(kernel_of_notebook, birdsong):
    notebook = prepared("device-flow.ipynb", birdsong)
    code_cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    for source in code_cells[:2]:
        assert kernel_of_notebook.run(source)["status"] == "ok", kernel_of_notebook.text
    request = kernel_of_notebook.start(code_cells[2], allow_stdin=True)
    eventually(lambda: birdsong.server.provider.state.get("devices"))
    user_code = next(iter(birdsong.server.provider.state["devices"].values()))["user_code"]
    form = urlencode({"user_code": user_code, "username": "ada", "password": "birdsong"}).encode()
    with urlopen(f"{birdsong.url}/device", form, timeout=60) as response:
        assert b"Device connected" in response.read()
    assert kernel_of_notebook.until_idle(request)["status"] == "ok"
    assert "Ada Warbler" in kernel_of_notebook.text
    assert leaks({"said": kernel_of_notebook.text.encode()}, values_of("tv")) == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_committed_without_outputs(path):
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
