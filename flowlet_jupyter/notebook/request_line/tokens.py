"""A line's words: expressions lifted out, quotes read as a shell does, a comment left away. Pure."""

from __future__ import annotations

import ast
import re
import shlex

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.spec import Expression, Template

MARK = re.compile("\0([0-9]+)\0")
# `me["data"][-1].id`: what can be read of values that are there
_OF_REFERENCES = (
    ast.Expression, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Constant, ast.UnaryOp, ast.USub, ast.Load,
)  # fmt: skip


def extract_placeholders(text: str) -> tuple[str, list[str]]:
    """`text` with each `{{ expression }}` replaced by a mark, so that quotes in it are Python's and not the line's."""
    expressions: list[str] = []
    pieces: list[str] = []
    position = 0
    while (start := text.find("{{", position)) >= 0:
        end = _end_of_expression(text, start)
        pieces += [text[position:start], f"\0{len(expressions)}\0"]
        expressions.append(text[start + 2 : end].strip())
        position = end + 2
    pieces.append(text[position:])
    return "".join(pieces), expressions


def extract_references(text: str) -> tuple[str, list[str]]:
    """The same of a pasted command, whose `{{ }}` name values only. Raises `RequestSyntaxError` for any that would run code.

    A command is copied from documentation, mail or chat: who wrote it is a stranger, and who runs it expects a request.
    """
    marked, expressions = extract_placeholders(text)
    for expression in expressions:
        if not all(isinstance(node, _OF_REFERENCES) for node in ast.walk(ast.parse(expression, mode="eval"))):
            raise RequestSyntaxError(
                f"{{{{ {expression[:100]} }}}} would run Python that came with the command. In a command there may be names, "
                "their attributes and items. If you want this, compute it in a cell of its own, and write {{ name }}."
            )
    return marked, expressions


def _end_of_expression(text: str, start: int) -> int:
    """Where the `}}` stands that ends the expression: the first before which there is valid Python."""
    end = text.find("}}", start + 2)
    if end < 0:
        raise RequestSyntaxError("A {{ is not closed by }}. Example: /users/{{me['data']['id']}}")
    first = end
    while end >= 0:
        try:
            ast.parse(text[start + 2 : end].strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            end = text.find("}}", end + 1)
        else:
            return end
    raise RequestSyntaxError(f"{{{{ {text[start + 2 : first].strip()[:100]} }}}} is not a Python expression.")


def template(marked: str, expressions: list[str]) -> Template:
    """The template of a text whose expressions were lifted out."""
    parts = MARK.split(marked)  # text, index, text, index, ..., text
    return Template(
        tuple(
            Expression(expressions[int(part)]) if position % 2 else part
            for position, part in enumerate(parts)
            if position % 2 or part
        )
    )


def with_marks(whole: Template) -> tuple[str, list[str]]:
    """The inverse of `template`: the text with marks, and the expressions that they stand for."""
    expressions: list[str] = []
    pieces: list[str] = []
    for part in whole.parts:
        if isinstance(part, str):
            pieces.append(part)
        else:
            pieces.append(f"\0{len(expressions)}\0")
            expressions.append(part.source)
    return "".join(pieces), expressions


def split_tokens(marked: str) -> list[str]:
    """The words of a line, as a shell has them. Raises `RequestSyntaxError`."""
    try:
        return shlex.split(_without_comment(marked), posix=True)
    except ValueError as error:
        raise RequestSyntaxError(f"A quote is not closed ({str(error).lower()}).") from None


def _without_comment(line: str) -> str:
    """The line without a ` # comment` that is outside quotes."""
    quote, escaped = "", False
    for position, character in enumerate(line):
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and (position == 0 or line[position - 1].isspace()):
            return line[:position]
    return line


def quote_excerpt(text: str) -> str:
    """A piece of the text for a message."""
    return "'" + MARK.sub("{{…}}", text)[:100] + "'"
