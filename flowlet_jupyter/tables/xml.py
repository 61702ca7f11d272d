"""XML whose elements repeat, one record each (Atom, RSS, most XML APIs). Entities and outside documents are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.tables.envelopes import is_spoken
from flowlet_jupyter.tables.foreign_text import in_one_line

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MAX_DEPTH = 5
_BESIDE = {"link"}  # of a feed, not one of its records
_ERRORS = {"error", "errors", "fault", "errorresponse", "exceptionreport", "serviceexceptionreport", "exception"}
_ALONE = {"entry", "item", "record", "row"}  # a feed or list with one element still has one record
_EMPTY_FEEDS = {"feed": "feed/entry", "rss": "rss/channel/item"}  # and one with none has none


@dataclass(frozen=True)
class Document:
    """The records, the path to them, and what stands beside them (links, totals) as the fields of the root element."""

    records: list[dict[str, Any]]
    path: str
    about: dict[str, Any]


def read_xml(content: bytes, path: str | None = None) -> Document:
    """The records of an XML document, the elements at `path` if it is given. Raises `RequestFailed`.

    Texts stay texts; attributes are fields too.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(content)
    except DefusedXmlException as error:
        raise RequestFailed(f"The XML holds {type(error).__name__}: entities are not read. See r.text") from None
    except (ParseError, ValueError, RecursionError, LookupError) as error:
        raise RequestFailed(f"The body is not XML: {str(error)[:200]}. See its text: r.text") from None
    if message := _error_in(root):
        raise RequestFailed(f"The API answered with an error, so there are no records: {message}")
    path, elements = _repeated(root) if path is None else (path, _at(root, path))
    try:
        about = _fields(root, without=frozenset(map(id, elements)))
        return Document([_fields(element) for element in elements], path, about)
    except RecursionError:
        raise RequestFailed("The XML is nested too deep to be read. See its text: r.text") from None


def _error_in(root: Element) -> str:
    """What a document says of an error that it is: a fault of SOAP, an exception of OGC's services, S3's and others' `Error`."""
    faults = [child for body in root if _name(body) == "Body" for child in body if _name(child) == "Fault"]
    is_error = _name(root).lower() in _ERRORS or (root.get("stat") or root.get("status") or "").lower() in {
        "fail",
        "error",
    }
    if not faults and not is_error:
        return ""
    texts = [text.strip() for element in faults or [root] for text in element.itertext() if text.strip()]
    values = [value for element in root.iter() for name, value in element.attrib.items() if name in {"msg", "message"}]
    return in_one_line(". ".join([*values, *texts])[:300]) or "no reason is given"


def _at(root: Element, path: str) -> list[Element]:
    own, *names = path.split("/")
    level = [root] if own == _name(root) else []
    for name in names:
        level = [child for element in level for child in element if _name(child) == name]
    return level


def _repeated(root: Element) -> tuple[str, list[Element]]:
    """The elements that repeat nearest to the root, those with something inside before bare ones; else the root itself."""
    if (records := _EMPTY_FEEDS.get(_name(root))) is not None and not _at(root, records):
        return records, []
    level = [(_name(root), root, False)]
    for _ in range(_MAX_DEPTH):
        candidates: list[tuple[bool, int, str, list[Element]]] = []
        for path, node, is_of_a_thing in level:
            by_tag: dict[str, list[Element]] = {}
            for child in node:
                by_tag.setdefault(child.tag, []).append(child)
            for tag, same in by_tag.items():
                if _name_of(tag) in _BESIDE:
                    continue
                count = len(same)
                is_full = any(len(child) or (child.attrib and not child.text) for child in same)
                has_children = any(len(child) for child in same)
                name = _name(same[0]).lower()
                # `<Orders>` of one `<Order>`; in a person, the one address is a part of it
                is_alone = name in _ALONE or (not is_of_a_thing and _name(node).lower() in _plurals_of(name))
                if count > 1 or (is_alone and is_full):
                    candidates.append((has_children, count, f"{path}/{_name(same[0])}", same))
        full = [candidate for candidate in candidates if candidate[0]]
        plain = [candidate for candidate in candidates if not any(len(child) for child in candidate[3][0])]
        if full:
            best = max(full, key=lambda candidate: candidate[1])
            return best[2], best[3]
        level = [
            (f"{path}/{_name(child)}", child, is_of_a_thing or _says_something(node))
            for path, node, is_of_a_thing in level
            for child in node
            if len(child)
        ]
        if not level and plain:
            best = max(plain, key=lambda candidate: candidate[1])
            return best[2], best[3]
    return _name(root), [root]


def _says_something(node: Element) -> bool:
    """Whether an element has a text of its own that speaks neither of a list nor of the response."""
    return any(not len(child) and (child.text or "").strip() and not is_spoken(_name(child)) for child in node)


def _plurals_of(name: str) -> set[str]:
    """What the element around a list of `name` is called."""
    return {f"{name}s", f"{name}es", f"{name.removesuffix('y')}ies", f"{name}list", f"list{name}", f"arrayof{name}"}


def _name(element: Element) -> str:
    return _name_of(element.tag)


def _name_of(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _fields(element: Element, *, without: frozenset[int] = frozenset()) -> dict[str, Any]:
    """The attributes and children of an element, but for those children whose identities are in `without`."""
    fields: dict[str, Any] = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    names: dict[str, str] = {}
    for child in element:
        if id(child) in without:
            continue
        tag, value = _name(child), _value(child, without)
        if tag not in names:
            names[tag] = _beside_attributes(tag, element)
        name = names[tag]
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    if not len(element) and (element.text or "").strip():
        fields["value" if "value" not in fields else "text"] = (element.text or "").strip()
    return fields


def _beside_attributes(name: str, element: Element) -> str:
    """`name`, with an underline behind it where an attribute has this name already."""
    while name in element.attrib:
        name = f"{name}_"
    return name


def _value(element: Element, without: frozenset[int]) -> Any:
    if len(element) or element.attrib:
        return _fields(element, without=without)
    return (element.text or "").strip() or None
