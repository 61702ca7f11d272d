"""Everything public of flowlet_jupyter, found by looking: its names, what the functions return, and what those hold.

`walk(...)` writes down each object in every way in which an object is written down: repr, str, vars, pickles, copies,
JSON, IPython's formatters. The result is one text, to be searched. It runs in a kernel as well as in a plain process.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import copyreg
import dataclasses
import inspect
import json
import pickle
import pprint
import types
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import cloudpickle
import jsonpickle

MAX_DEPTH = 5
# shows a value by design, ends something, or asks a person
_NEVER_CALLED = frozenset(
    {"reveal", "delete", "revoke", "close", "aclose", "authorize", "refresh", "is_active", "add_account"}
)
# what gives the API's own text, which a user asks for: docs/security.md says so
_BODY = frozenset({"text", "content", "json", "read", "aread", "_content", "_text"})
# made by another library to hold the value, which that library asked for: docs/security.md says so
_HANDED_OVER = frozenset({"azure.core.credentials"})
_ATOMS = (str, bytes, int, float, complex, bool, type(None), type, types.ModuleType, types.FunctionType, types.CodeType)


def _is_ours(value: Any) -> bool:
    return (type(value).__module__ or "").partition(".")[0] in {"flowlet_jupyter", "httpx"}


def arguments_for(function: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that `function` needs, by their names in `values`. Raises `LookupError` for one that is not there."""
    parameters = inspect.signature(function).parameters.values()
    needed = [
        parameter.name
        for parameter in parameters
        if parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
        and (parameter.default is parameter.empty or parameter.name in {"secret", "timeout", "retry"})
    ]
    missing = [name for name in needed if name not in values]
    if missing:
        raise LookupError(f"{getattr(function, '__name__', function)}: nothing to give for {', '.join(missing)}")
    return {name: values[name] for name in needed}


class Walk:
    """One walk: `texts` is what was written down, `visited` how many objects were."""

    def __init__(self) -> None:
        self.texts: set[bytes] = set()
        self.visited = 0
        self._seen: dict[int, Any] = {}

    def visit(self, value: Any, depth: int = 0) -> None:
        """Write `value` down, and what hangs on it."""
        if isinstance(value, _ATOMS):
            self._add(value)
            return
        if id(value) in self._seen or depth > MAX_DEPTH or type(value).__module__ in _HANDED_OVER:
            return
        self._seen[id(value)] = value  # alive, so that its id is not given again
        self.visited += 1
        self._write(value, depth)
        for child in self._children(value):
            self.visit(child, depth + 1)

    def _add(self, value: Any) -> None:
        if isinstance(value, str):
            self.texts.add(value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, bytes):
            self.texts.add(value)
        else:
            self._try(lambda: repr(value))

    def _try(self, write: Any) -> None:
        try:
            written = write()
        except Exception as error:  # a refusal is a text too
            written = f"{type(error).__name__}: {error} {getattr(error, '__dict__', '')}"
        if isinstance(written, str | bytes):
            self._add(written)
        else:
            with contextlib.suppress(Exception):
                self._add(repr(written))

    def _write(self, value: Any, depth: int) -> None:
        self._try(lambda: repr(value))
        if depth > 1 and not _is_ours(value):
            return
        for write in (
            str, format, ascii, pprint.pformat, vars, dataclasses.asdict, dataclasses.astuple,
            lambda each: jsonpickle.encode(each, keys=True, max_depth=4),
            cloudpickle.dumps, inspect.getdoc,
            lambda each: json.dumps(each, default=vars), lambda each: json.dumps(each, default=str),
            lambda each: "%s %r" % (each, each), lambda each: each.__reduce_ex__(4), lambda each: each.__getstate__(),
            lambda each: copyreg.__reduce_ex__(each, 2), lambda each: repr(vars(copy.copy(each))),
            lambda each: repr(copy.deepcopy(each)), lambda each: [getattr(each, slot, "") for slot in type(each).__slots__],
            *(lambda each, protocol=protocol: pickle.dumps(each, protocol) for protocol in range(6)),
        ):  # fmt: skip
            self._try(lambda write=write: write(value))
        for method in (
            "_repr_html_",
            "_repr_mimebundle_",
            "_repr_json_",
            "_repr_markdown_",
            "_repr_pretty_",
            "__rich_repr__",
        ):
            shown = getattr(value, method, None)
            if callable(shown):
                self._try(shown)
        with contextlib.suppress(ImportError):
            from IPython.core.getipython import get_ipython

            if shell := get_ipython():
                self._try(lambda: repr(shell.display_formatter.format(value)))

    def _children(self, value: Any) -> Iterator[Any]:
        if isinstance(value, Mapping):
            with contextlib.suppress(Exception):
                yield from list(value.items())[:200]
        elif isinstance(value, list | tuple | set | frozenset):
            yield from list(value)[:200]
        is_ours = _is_ours(value)
        if not is_ours and not isinstance(value, BaseException):
            return
        if isinstance(value, BaseException):
            yield from (value.__cause__, value.__context__, value.args)
            self._frames(value)
        for name in dir(value):
            if name.startswith("__") or name in _BODY:
                continue
            try:
                child = getattr(value, name)
                if inspect.ismethod(child) and not name.startswith("_") and name not in _NEVER_CALLED:
                    child = (
                        child(**arguments_for(child, {}))
                        if is_ours and not inspect.iscoroutinefunction(child)
                        else None
                    )
            except Exception as error:
                child = error
            if isinstance(child, Iterator | AsyncIterator | types.MethodType | types.CoroutineType):
                continue
            yield child

    def _frames(self, error: BaseException) -> None:
        """The variables of the frames that a verbose traceback shows; those of this module know what was asked."""
        traceback = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename != __file__:
                for name, local in list(traceback.tb_frame.f_locals.items()):
                    if name not in _BODY:
                        self._try(lambda local=local: repr(local))
            traceback = traceback.tb_next


def results(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each public name and what it is or, if it is a function, what it returns or raises for the arguments in `values`."""
    import flowlet_jupyter as flowlet

    for name in flowlet.__all__:
        public = getattr(flowlet, name)
        if not inspect.isfunction(public):
            yield name, public
            continue
        arguments = arguments_for(public, values)  # a new argument needs a value here, or its function is not walked
        try:
            returned = public(**arguments)
            if inspect.iscoroutine(returned):
                returned = asyncio.run(returned)
            elif hasattr(returned, "__enter__") and type(returned).__module__ == "contextlib":
                with returned as entered:
                    flowlet.get(values["url"], secret=values["secret"])
                    returned = entered
            elif isinstance(returned, AsyncIterator):
                returned = asyncio.run(_all(returned))
        except Exception as error:
            returned = error
        yield name, returned
        if isinstance(returned, Iterator) or name in {"paginate", "gather"}:
            with contextlib.suppress(Exception):
                yield name, list(returned)


async def _all(pages: AsyncIterator[Any]) -> list[Any]:
    return [page async for page in pages]


def walk(secrets: list[str], url: str, bad: list[str], folder: str) -> tuple[int, bytes]:
    """How many objects were visited, and all that was written down of them.

    `url` is of a response that does not repeat what it was sent; `bad` are of ones that fail.
    """
    found = Walk()
    for number, secret in enumerate(secrets):
        for address in (url, *bad) if number % 4 == 0 else (url, bad[number % len(bad)]):
            values = {
                "secret": secret, "url": address, "method": "GET", "targets": [address], "endpoint": address,
                "path": str(Path(folder) / f"download-{number}"), "timeout": 5, "retry": 0, "question": "Value",
            }  # fmt: skip
            for name, value in results(values):
                found.texts.add(name.encode())
                found.visit(value)
    import flowlet_jupyter as flowlet

    for secret in secrets:
        found.visit(flowlet.secrets[secret])
        found.visit(flowlet.secrets.vault.get(secret))
    return found.visited, b"\n".join(sorted(found.texts))
