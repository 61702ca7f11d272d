"""The reference, made from what the code declares: signatures, fields, options, magics, commands, errors."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
from collections.abc import Iterable

import httpx

import flowlet_jupyter
from flowlet_jupyter import cli, errors, testing
from flowlet_jupyter.credentials.handles import SecretHandle, Secrets
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.model.labels import KIND_LABELS
from flowlet_jupyter.model.schema import Field, fields_of_kind
from flowlet_jupyter.model.secret import SECRET_TYPES
from flowlet_jupyter.notebook.display.problem import EXPLAINED_STATUSES, problem_of
from flowlet_jupyter.notebook.magics import FlowletMagics
from flowlet_jupyter.notebook.request_line.options import OPTIONS

_GROUPS = (
    ("Requests", "request get post put patch delete head arequest aget apost aput apatch adelete ahead"),
    ("Many requests", "paginate apaginate fetch_df gather download last_pages last_gathered Pages AsyncPages Gathered"),
    (
        "Clients and other libraries",
        "client async_client auth requests_auth google_credentials azure_credential recording",
    ),
    ("Responses", "Response"),
    ("Secrets", "OAuth2 Password Basic Headers ApiKey External SecretValue TokenSet Status Session ask"),
)


def pages() -> dict[str, str]:
    """The pages by path."""
    return {
        "reference/python.md": python_page(),
        "reference/fields.md": fields_page(),
        "reference/magics.md": magics_page(),
        "reference/cli.md": cli_page(),
        "reference/errors.md": errors_page(),
    }


def grouped_names() -> list[tuple[str, list[str]]]:
    """The public names that are no errors, by heading; what no heading names comes last, so that none is left out."""
    public = [name for name in flowlet_jupyter.__all__ if name != "secrets" and not _is_error(name)]
    groups = [(title, names.split()) for title, names in _GROUPS]
    named = {name for _, names in groups for name in names}
    rest = sorted(set(public) - named)
    return [*groups, *([("More", rest)] if rest else [])]


def python_page() -> str:
    """Every public name with its signature and docstring."""
    lines = ["# Python", "", "Everything here is imported from `flowlet_jupyter`:", "",
             "```python", "import flowlet_jupyter as flowlet", "```", "", "```{py:module} flowlet_jupyter", "```", ""]  # fmt: skip
    for title, names in grouped_names():
        lines += [f"## {title}", ""]
        for name in names:
            lines += [*_described(name, getattr(flowlet_jupyter, name)), ""]
    lines += [
        "## `flowlet.secrets`", "", "All secrets of the vault, a mapping by name:", "",
        *_described("Secrets", Secrets), "", "One of its values is a handle:", "",
        *_described("SecretHandle", SecretHandle), "",
        "## `flowlet_jupyter.testing`", "", *_described("testing.put_secret", testing.put_secret), "",
        "The errors have [a page of their own](errors.md).", "",
    ]  # fmt: skip
    return "\n".join(lines)


def fields_page() -> str:
    """The fields of each kind of secret."""
    lines = [
        "# Fields of a secret",
        "",
        (
            "The form, the command line, the catalogue and `flowlet.toml` take the same fields. A *value* is secret: it is asked "
            "for, and never shown."
        ),
        "",
    ]
    for kind in SECRET_TYPES:
        lines += [
            f"## `{kind}`",
            "",
            f"{_label(kind)}.",
            "",
        ]
        lines += [line for field in fields_of_kind(kind).values() for line in _field_entry(field)]
    return "\n".join(lines)


def magics_page() -> str:
    """The magics, and the options of the request."""
    lines = [
        "# Magics",
        "",
        "`%load_ext flowlet_jupyter` loads them. [Requests](../../requests.md) explains the line and its items.",
        "",
    ]
    lines += ["## Options of `%flowlet_request`", "", "| Option | Value | What it does |", "|---|---|---|"]
    spellings: dict[tuple[str, object], list[str]] = {}
    for spelling, option in OPTIONS.items():
        spellings.setdefault((option.name, option.fixed), []).append(spelling)
    for names in spellings.values():
        option = OPTIONS[names[0]]
        lines.append(_row([", ".join(f"`{name}`" for name in names), option.value, option.help]))
    registered = FlowletMagics.magics
    names = sorted({*registered["line"], *registered["cell"]})
    for name in names:
        lines += ["", f"## `%{name}`", "", _text(getattr(FlowletMagics, registered["line"].get(name, name)))]
    return "\n".join([*lines, ""])


def cli_page() -> str:
    """`jupyter flowlet` and its commands, each with its help."""
    parser, commands = cli._parser()  # noqa: SLF001 - private to the package, not to the project
    lines = [
        "# Command line",
        "",
        "A value is asked for, or read from a file. It is never an argument.",
        "",
        "```text",
        _help(parser),
        "```",
        "",
    ]
    for name, command in commands.items():
        lines += [f"## `jupyter flowlet {name}`", "", "```text", _help(command), "```", ""]
    return "\n".join(lines)


def error_classes() -> list[type[FlowletError]]:
    """All errors, by name."""
    found = (value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, FlowletError))
    return sorted(found, key=lambda each: each.__name__)


def errors_page() -> str:
    """What to do when: each error by its name."""
    lines = [
        "# What to do when …", "",
        ("Every error that flowlet raises on purpose, by name. A message says what happened, which secret, and what to do "
        "next. It never holds a value. Without this page at hand, `help(flowlet.AuthRequired)` says the same."), "",
        "In code, three questions are enough:", "",
        "- Is it `AuthRequired` or `AuthorizationFailed`? Then somebody must authorize again.",
        "- Is `error.is_temporary` true? Then try later.",
        "- Is it a `UsageError`? Then the call is wrong. The same call fails again until it is changed.", "",
        "| Error | Below |", "|---|---|",
    ]  # fmt: skip
    classes = error_classes()
    lines += [
        f"| [`{each.__name__}`](#{each.__name__.lower()}) | {', '.join(f'`{base.__name__}`' for base in each.__bases__)} |"
        for each in classes
    ]
    for each in classes:
        bases = ", ".join(base.__name__ for base in each.__bases__)
        lines += [
            "",
            f"## {each.__name__}",
            "",
            *_directive("py:exception", f"{each.__name__}({bases})", _error_text(each), ":no-contents-entry:"),
        ]
    return "\n".join([*lines, "", *_statuses(), ""])


def _statuses() -> list[str]:
    """What the view of a response says of each HTTP status, for a request with a secret."""
    lines = ["## When the API refuses", "", "A response is no error: it is shown with what its status means."]
    for status in sorted(EXPLAINED_STATUSES):
        response = Response(status, request=httpx.Request("GET", "https://api.example.com/v1/items"))
        response.secret_name = "NAME"
        problem = problem_of(response)
        if problem is None:
            continue
        lines += ["", f"### Status {status}", "", f"{response.reason_phrase}. {problem.meaning}"]
        if problem.next_cell:
            lines += ["", "```text", problem.next_cell, "```"]
    return lines


def _error_text(error: type[FlowletError]) -> str:
    return re.sub(
        r"^What to do: (.)", lambda found: f"**What to do:** {found[1].upper()}", _text(error), flags=re.MULTILINE
    )


def _is_error(name: str) -> bool:
    value = getattr(flowlet_jupyter, name)
    return inspect.isclass(value) and issubclass(value, FlowletError)


def _described(name: str, value: object) -> list[str]:
    kind = "py:class" if inspect.isclass(value) else "py:function"
    members = list(_members(value)) if inspect.isclass(value) else []
    text = "\n".join([_text(value), *(line for member in members for line in ["", *member])])
    return _directive(kind, name + _signature(value), text)


def _members(owner: object) -> Iterable[list[str]]:
    """The public methods and properties that the class itself documents."""
    for name, value in sorted(vars(owner).items()):
        if name.startswith("_") or not inspect.getdoc(value):
            continue
        if isinstance(value, property):
            yield _directive("py:property", name, _text(value))
        elif isinstance(value, classmethod | staticmethod):
            yield _directive(
                "py:method",
                name + _signature(value.__func__, drop_first=isinstance(value, classmethod)),
                _text(value.__func__),
            )
        elif inspect.isfunction(value):
            yield _directive("py:method", name + _signature(value, drop_first=True), _text(value))


def _directive(kind: str, argument: str, text: str, *options: str) -> list[str]:
    """A directive around `text`, its fence longer than any inside."""
    longest = max((len(found) for found in re.findall(r"^\s*(`{3,})", text, re.MULTILINE)), default=2)
    mark = "`" * (longest + 1)
    return [f"{mark}{{{kind}}} {argument}", *options, "", text, mark]


def _signature(value: object, *, drop_first: bool = False) -> str:
    """The signature as it is written, an object without a literal as its default as `...`."""
    try:
        signature = inspect.signature(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "()"
    parameters = [
        each if each.default is each.empty or _is_literal(each.default) else each.replace(default=_Dots())
        for each in list(signature.parameters.values())[1 if drop_first else 0 :]
    ]
    returned = signature.return_annotation
    if inspect.isclass(value) or returned is None:
        returned = signature.empty
    text = str(signature.replace(parameters=parameters, return_annotation=returned))
    text = re.sub(r"(?<=[:>] )'([^']*)'", r"\1", text)  # annotations are texts under `from __future__`
    return _MODULE.sub("", text)


_MODULE = re.compile(r"\b(?:collections\.abc|typing|flowlet_jupyter(?:\.[a-z_]+)*)\.(?=[A-Z])")


class _Dots:
    def __repr__(self) -> str:
        return "..."


def _is_literal(value: object) -> bool:
    try:
        return ast.literal_eval(repr(value)) == value
    except (ValueError, SyntaxError, TypeError):
        return False


def _text(value: object) -> str:
    """The docstring, which is Markdown; its indented examples as blocks."""
    text = inspect.getdoc(value) or ""
    return re.sub(r"(?:\n|^)((?: {4}[^\n]*(?:\n|$))+)", _as_block, text)


def _as_block(found: re.Match[str]) -> str:
    return "\n```text\n" + inspect.cleandoc(found[1].rstrip()) + "\n```\n"


def _label(kind: str) -> str:
    label = KIND_LABELS[kind]
    return label if isinstance(label, str) else " – ".join(map(str, label))


_TAKES = {
    "text": "a text", "url": "a URL", "flag": "true or false", "texts": "a list of texts", "mapping": "names and texts",
    "compliance": "switches for a provider's peculiarities", "value": "a value", "values": "header names and values",
}  # fmt: skip


def _field_entry(field: Field) -> list[str]:
    """An entry of a definition list."""
    facts = [_TAKES[field.shape]]
    if field.required:
        facts.append("needed")
    elif field.default not in (None, "", [], {}, False):
        facts.append(f"`{field.default}` unless given")
    if not field.is_shared:
        facts.append("not in `flowlet.toml`")
    if field.set_by == "flowlet":
        facts.append("set by flowlet itself")
    meaning = ". ".join(text.rstrip(".") for text in (field.label, field.help) if text)
    lines = [f"`{field.name}`", f": {meaning}. ({'; '.join(facts)})"]
    if field.choices:
        lines += ["", *(f"  - `{choice}`: {label}" for choice, label in field.choices.items())]
    return [*lines, ""]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _help(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=100)
    text = parser.format_help().rstrip()
    return re.sub(r"\x1b\[[0-9;]*m", "", text)  # Python 3.14 colours it
