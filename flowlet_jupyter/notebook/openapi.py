"""What an OpenAPI document says of an API's paths and parameters, for completion. Read once, in a thread of its own, and never waited for."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from flowlet_jupyter.errors import FlowletError, RequestFailed
from flowlet_jupyter.http.api import get
from flowlet_jupyter.session import Session

_MAX_BYTES = 20_000_000
_PARAMETER = re.compile(r"\{([^{}]+)\}")
_SECONDS = 20.0


@dataclass(frozen=True)
class Operations:
    """(method, path template) -> the names of its query parameters."""

    parameters: dict[tuple[str, str], tuple[str, ...]]
    bases: tuple[str, ...] = ()  # the paths of the servers, which a URL's path begins with
    problem: str = ""  # why the document was not read

    def paths(self) -> list[str]:
        """The paths, with `{{name}}` where a value belongs."""
        return sorted({_PARAMETER.sub(r"{{\1}}", path) for _, path in self.parameters})

    def query_parameters(self, method: str, url: str) -> tuple[str, ...]:
        """The query parameters of the operation that `url` is of: the template with the most literal text wins."""
        path = urlsplit(re.sub(r"\{\{.*?\}\}", "x", url.partition("?")[0])).path.rstrip("/")
        best: tuple[int, tuple[str, ...]] = (-1, ())
        for (own_method, template), names in self.parameters.items():
            pieces = _PARAMETER.split(template.rstrip("/"))
            pattern = "".join("[^/]+" if index % 2 else re.escape(piece) for index, piece in enumerate(pieces))
            literal = sum(len(piece) for index, piece in enumerate(pieces) if not index % 2)
            is_below = any(re.fullmatch(f"{re.escape(base)}{pattern}", path) for base in ("", *self.bases))
            if own_method == method and is_below and literal > best[0]:
                best = (literal, names)
        return best[1]


NONE = Operations({})


class _Documents:
    """The operations of the documents that a session has read, by their location; NONE while one is being read."""

    def __init__(self, _session: Session) -> None:
        self.known: dict[str, Operations] = {}
        self.guard = threading.Lock()


def operations_of(location: str, session: Session, *, wait: float = 0.0) -> Operations:
    """The operations of the document at `location`, a file or URL; none for "", or while it is being read still."""
    if not location:
        return NONE
    documents = session.part(_Documents)
    with documents.guard:
        if location in documents.known:
            return documents.known[location]
        documents.known[location] = NONE
    thread = threading.Thread(target=_read, args=(location, documents), name="flowlet: OpenAPI", daemon=True)
    thread.start()
    thread.join(wait)
    return documents.known[location]


def _read(location: str, documents: _Documents) -> None:
    documents.known[location] = read(location)


def read(location: str) -> Operations:
    """The operations of the document at `location`, a file or URL; none, with the problem, where it cannot be read."""
    try:
        operations = parse(_loaded(_content(location)))
    except (FlowletError, OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Operations(
            {}, problem=f"The OpenAPI document {location[:200]} is not used for completion: {reason[:300]}"
        )
    if operations.parameters:
        return operations
    return Operations({}, problem=f"The OpenAPI document {location[:200]} describes no paths.")


def _content(location: str) -> str:
    if "://" in location:
        response = get(location, timeout=_SECONDS)
        if response.is_error:
            raise RequestFailed(f"the server answered {response.status_code}.")
        size, text = len(response.content), response.text
    else:
        path = Path(location).expanduser()
        size = path.stat().st_size
        text = path.read_text("utf-8-sig") if size <= _MAX_BYTES else ""
    if size > _MAX_BYTES:
        raise RequestFailed(
            f"it is too large ({size / 1e6:.0f} MB; at most {_MAX_BYTES / 1e6:.0f} MB are read). Name a part of it."
        )
    return text


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        import yaml  # Jupyter's own packages bring it

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError:
            raise ValueError("neither JSON nor YAML") from None


def parse(document: Any) -> Operations:
    """The operations of an OpenAPI 2 or 3 document; what is not as it should be is passed over."""
    operations: dict[tuple[str, str], tuple[str, ...]] = {}
    if not isinstance(document, dict):
        return NONE
    paths = document.get("paths")
    for path, item in (paths if isinstance(paths, dict) else {}).items():
        if not isinstance(item, dict):
            continue
        for method, operation in item.items():
            if method.upper() in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} and isinstance(
                operation, dict
            ):
                listed = [*_list(item.get("parameters")), *_list(operation.get("parameters"))]
                resolved = [_resolved(entry, document) for entry in listed]
                names = [str(entry["name"]) for entry in resolved if entry.get("in") == "query" and "name" in entry]
                operations[method.upper(), str(path)] = tuple(dict.fromkeys(names))
    return Operations(operations, _bases(document))


def _bases(document: Any) -> tuple[str, ...]:
    """The paths of the servers (OpenAPI 3), or the base path (2)."""
    urls = [server.get("url") for server in _list(document.get("servers")) if isinstance(server, dict)]
    urls.append(document.get("basePath"))
    paths = (urlsplit(url).path.rstrip("/") for url in urls if isinstance(url, str))
    return tuple(dict.fromkeys(path for path in paths if path))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _resolved(entry: Any, document: dict[str, Any]) -> dict[str, Any]:
    """A parameter, or the one that its `$ref` names in the same document."""
    reference = entry.get("$ref") if isinstance(entry, dict) else None
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return entry if isinstance(entry, dict) else {}
    node: Any = document
    for key in reference[2:].split("/"):
        name = unquote(key).replace("~1", "/").replace("~0", "~")  # RFC 6901, 3 and 6
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}
