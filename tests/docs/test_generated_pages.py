"""The generated reference is complete: every public name, option, field, command and error stands in it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import flowlet_jupyter
from flowlet_jupyter import errors
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.model.schema import fields_of_kind
from flowlet_jupyter.model.secret import SECRET_TYPES
from flowlet_jupyter.notebook.display.problem import EXPLAINED_STATUSES
from flowlet_jupyter.notebook.request_line.options import OPTIONS

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "_extensions"))
import generated_pages
import provider_pages
import reference_pages

ROOT = Path(__file__).parents[2]
PAGES = generated_pages.pages()


def test_every_public_name_is_described():
    text = PAGES["reference/python.md"] + PAGES["reference/errors.md"]
    names = [name for name in flowlet_jupyter.__all__ if name != "secrets"]
    assert [name for name in names if f"}} {name}(" not in text] == []


def test_no_public_name_falls_into_the_rest():
    assert [title for title, _ in reference_pages.grouped_names() if title == "More"] == []


def test_every_option_and_field_is_described():
    assert [option for option in OPTIONS if f"`{option}`" not in PAGES["reference/magics.md"]] == []
    fields = {name for kind in SECRET_TYPES for name in fields_of_kind(kind)}
    assert [name for name in fields if f"\n`{name}`\n: " not in PAGES["reference/fields.md"]] == []


@pytest.mark.parametrize("error", reference_pages.error_classes(), ids=lambda error: error.__name__)
def test_an_error_says_what_to_do(error: type[FlowletError]):
    section = PAGES["reference/errors.md"].partition(f"\n## {error.__name__}\n")[2].partition("\n## ")[0]
    assert "**What to do:**" in section


@pytest.mark.parametrize("key", sorted(provider_pages.MOST_USED))
def test_a_providers_page_has_its_facts(key):
    page = PAGES[f"providers/{key}.md"]
    provider = next(each for each in provider_pages.providers() if each.key == key)
    assert provider.source in page
    for fact in ("token_endpoint", "scope"):
        assert str(provider.fields.get(fact, "")) in page


def test_what_was_generated_before_is_removed(tmp_path):
    (tmp_path / "old.md").write_text("old")
    generated_pages.write(tmp_path)
    assert not (tmp_path / "old.md").exists()
    assert (tmp_path / "providers" / "github.md").is_file()


def test_each_error_and_each_refusal_has_its_part_of_the_page_and_says_the_same_where_it_is_shown():
    page = PAGES["reference/errors.md"]
    anchors = {
        re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")) for title in re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    }
    words = " ".join(page.split()).lower()
    for error in reference_pages.error_classes():
        assert error.__name__.lower() in anchors
        advice = error.what_to_do.fget(error.__new__(error))
        assert advice
        assert advice.lower() in words
    assert {f"status-{status}" for status in EXPLAINED_STATUSES} <= anchors


def test_an_error_of_somebody_elses_says_what_to_do_as_what_it_is_derived_from():
    class Mine(errors.HostNotAllowed):
        pass

    (shown,) = Mine("no")._render_traceback_()
    assert shown.startswith("Mine: no\nWhat to do: check the URL first. ")
    assert "http" not in shown  # no page has to be there
    assert shown.count("\n") == 1
