"""The guides to single providers agree with the catalogue, the grammar and the helper's signatures; no request is sent."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import shlex
import sys
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.hosts import parse_host_rule
from flowlet_jupyter.notebook.request_line.grammar import parse
from flowlet_jupyter.providers import Provider, provider_named

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = DOCS / "guides" / "providers"
sys.path.insert(0, str(DOCS / "_extensions"))
import generated_pages  # noqa: E402 - found by the line above
import reference_pages  # noqa: E402

GUIDES = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.md")) if path.stem != "index"}
HEADINGS = [
    "What you need", "Redirect URI", "Add the secret", "First request", "All pages into a DataFrame", "How long it lasts",
    "Limits", "When it fails",
]  # fmt: skip

_FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_FORM = re.compile(r"`%flowlet_secret ([\w-]+) --new --provider ([\w-]+)`")
_INCLUDE = re.compile(r"^```\{include\} \.\./\.\./generated/facts/(.+)\.txt$", re.MULTILINE)


def blocks_of(guide: str, language: str) -> list[str]:
    return [fence["code"] for fence in _FENCE.finditer(GUIDES[guide]) if fence["language"] == language]


def commands_of(guide: str) -> list[list[str]]:
    """The words of each `jupyter flowlet add` and `import` of the guide."""
    lines = [line for code in blocks_of(guide, "bash") for line in code.splitlines()]
    return [
        shlex.split(line)[2:] for line in lines if line.startswith(("jupyter flowlet add", "jupyter flowlet import"))
    ]


def secrets_of(guide: str) -> dict[str, list[str]]:
    """The hosts of each secret that the guide makes, by its name."""
    found = {}
    for command in commands_of(guide):
        if "--provider" in command:
            provider = entry_of(command[command.index("--provider") + 1])
            hosts = [re.sub(r"\{\w+\}", "example.org", host) for host in provider.fields["allowed_hosts"]]
        else:
            hosts = [command[command.index("--host") + 1]] if "--host" in command else ["*.googleapis.com"]
        name = command[command.index("--name") + 1] if "--name" in command else command[1]
        found[name] = hosts
    return found


def entry_of(key: str) -> Provider:
    provider = provider_named(key)
    assert provider is not None, f"the catalogue has no entry {key}"
    return provider


def as_python(code: str) -> ast.Module:
    return ast.parse(TransformerManager().transform_cell(code))


def lines_of(guide: str) -> list[str]:
    """What the request magic is given, as IPython hands it over."""
    calls = [
        node for code in blocks_of(guide, "python") for node in ast.walk(as_python(code))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "run_line_magic"
    ]  # fmt: skip
    given = [[ast.literal_eval(argument) for argument in call.args] for call in calls]
    return [line for name, line in given if name == "flowlet_request"]


def calls_of_the_helper(code: str) -> list[ast.Call]:
    return [
        node for node in ast.walk(as_python(code))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name) and node.func.value.id == "flowlet"
    ]  # fmt: skip


def test_there_is_a_guide_to_each_of_the_fifteen_most_used():
    assert len(GUIDES) >= 15
    index = (FOLDER / "index.md").read_text("utf-8")
    assert [name for name in GUIDES if f"\n{name}\n" not in index] == []


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_has_the_same_parts_and_is_short(guide):
    assert re.findall(r"^## (.+)$", GUIDES[guide], re.MULTILINE) == HEADINGS
    assert len(GUIDES[guide].splitlines()) <= 90


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_shows_the_facts_of_the_entries_that_it_names(guide):
    named = {command[command.index("--provider") + 1] for command in commands_of(guide) if "--provider" in command}
    assert named == set(_INCLUDE.findall(GUIDES[guide]))
    pages = generated_pages.pages()
    for key in named:
        provider = entry_of(key)
        assert f"`{key}`" in pages[f"facts/{key}.txt"]
        assert str(provider.fields.get("scope", "")) in pages[f"facts/{key}.txt"]


@pytest.mark.parametrize("guide", GUIDES)
def test_the_form_is_opened_for_an_entry_that_the_guide_adds(guide):
    added = {
        (command[1], command[command.index("--provider") + 1])
        for command in commands_of(guide)
        if "--provider" in command
    }
    forms = _FORM.findall(GUIDES[guide])
    assert forms
    assert set(forms) <= added


@pytest.mark.parametrize("guide", GUIDES)
def test_a_scope_that_is_set_contains_that_of_the_entry(guide):
    for command in commands_of(guide):
        given = [word.removeprefix("scope=") for word in command if word.startswith("scope=")]
        if given:
            provider = entry_of(command[command.index("--provider") + 1])
            assert set(provider.fields["scope"].split()) <= set(given[0].split())


@pytest.mark.parametrize("guide", GUIDES)
def test_a_parameter_that_is_set_is_one_of_the_entry(guide):
    for command in commands_of(guide):
        if "--provider" not in command:
            continue
        provider = entry_of(command[command.index("--provider") + 1])
        names = {word.partition("=")[0] for before, word in itertools.pairwise(command) if before == "--set"}
        assert names <= {"scope"} | {each.name for each in provider.parameters}
        needed = {each.name for each in provider.parameters if not each.default}
        assert needed <= names


@pytest.mark.parametrize("guide", GUIDES)
def test_each_magic_line_parses_and_names_a_secret_of_the_guide(guide):
    lines = lines_of(guide)
    assert len(lines) == GUIDES[guide].count("%flowlet_request ") > 0
    for line in lines:
        spec = parse(line)
        assert spec.secret in secrets_of(guide), line


@pytest.mark.parametrize("guide", GUIDES)
def test_each_python_block_compiles_and_its_calls_fit_the_helper(guide):
    for code in blocks_of(guide, "python"):
        compile(as_python(code), guide, "exec")
        for call in calls_of_the_helper(code):
            function = getattr(flowlet, call.func.attr)
            keywords = {keyword.arg: None for keyword in call.keywords}
            inspect.signature(function).bind(*call.args, **keywords)
            for keyword in call.keywords:
                if keyword.arg == "secret":
                    assert ast.literal_eval(keyword.value) in secrets_of(guide)


@pytest.mark.parametrize("guide", GUIDES)
def test_a_url_in_a_block_is_one_that_a_secret_of_the_guide_may_go_to(guide):
    rules = [parse_host_rule(host) for hosts in secrets_of(guide).values() for host in hosts]
    for code in blocks_of(guide, "python"):
        for host in re.findall(r"https://([\w.-]+)", code):
            assert any(rule.allows("https", host, 443) for rule in rules), host


@pytest.mark.parametrize("guide", [*GUIDES, "index"])
def test_an_error_that_is_named_is_one_that_there_is(guide):
    text = GUIDES.get(guide) or (FOLDER / "index.md").read_text("utf-8")
    known = {error.__name__ for error in reference_pages.error_classes()}
    named = {name for name in re.findall(r"`([A-Z]\w+)`", text) if hasattr(flowlet, name) or name in known}
    linked = set(re.findall(r"errors\.md#(\w+)\)", text))
    assert linked <= {name.lower() for name in known}
    assert {name for name in named if name.endswith(("Required", "Failed", "Error"))} <= known
