"""Where links stand: in Link headers (RFC 8288), in lists of links, and as URLs in the body. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flowlet_jupyter.http.pagination.members import Member
from flowlet_jupyter.http.pagination.page import PageResponse, look_up
from flowlet_jupyter.tables.selection import quoted

# one link of a Link header: its target in angle brackets, and parameters whose values may be quoted
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s=;,]+\s*(?:=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s\";,]*))?)*)")
_LINK_PARAMETER = re.compile(r";\s*([^\s=;,]+)\s*(?:=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\";,]*)))?")
_URL_NAMES = re.compile(r"(?:odata)?(?:next|after|more(?!info|details|help))[a-z]*(?:uri|url|link|href)")
_NESTED_URL_NAMES = frozenset({"href", "url", "uri", "link", "ref"})
_HOLDERS_OF_NEXT = frozenset({"next", "nextpage", "nextlink"})
_LINK_LISTS = re.compile(r"links?|pagelinks|\w+_links")  # `servers_links` (OpenStack)
_MAX_HEADER = 50_000
# what a program wrote where it had no link: `<None>; rel="next"` (Kandji)
_NO_TARGETS = frozenset({"", "none", "null", "nil", "undefined", "false"})


def links_of_header(value: str) -> dict[str, str]:
    """Relation type -> target of the links of a Link header; the first of each. Not those that lead nowhere: with `results="false"`, or `<None>`."""
    found: dict[str, str] = {}
    for target, parameters in _links_in(value):
        if not _is_dead(target, parameters):
            for rel in parameters.get("rel", "").lower().split():
                found.setdefault(rel, target)
    return found


def _links_in(value: str) -> Iterator[tuple[str, dict[str, str]]]:
    for link in _LINK.finditer(value[:_MAX_HEADER]):
        parameters: dict[str, str] = {}
        for name, quoted_value, token in _LINK_PARAMETER.findall(link[2]):
            parameters.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted_value) or token)
        yield link[1].strip(), parameters


def _is_dead(target: str, parameters: Mapping[str, str]) -> bool:
    return parameters.get("results", "").lower() == "false" or leads_nowhere(target)


def _says_no_next(value: str) -> bool:
    """Whether a Link header names the next page, and that it leads nowhere (Sentry)."""
    links = [(target, each) for target, each in _links_in(value) if "next" in each.get("rel", "").lower().split()]
    return bool(links) and all(_is_dead(target, each) for target, each in links)


def leads_nowhere(target: str) -> bool:
    """Whether a text is no target of a link, but what some languages write for nothing."""
    return target.strip().lower() in _NO_TARGETS


def is_next_url(member: Member) -> bool:
    """Whether a member of the body is the URL of the next page."""
    value = member.value
    if not isinstance(value, str) or member.in_header or leads_nowhere(value) or re.search(r"\s", value):
        return False
    if is_place_of_url(member):
        return True
    if member.key.startswith("next") and value.startswith("?") and "=" in value:
        return True
    return member.key in {"next", "nextpage"} and (
        value.startswith(("http://", "https://", "/", "?")) or ("?" in value and "=" in value)
    )


def is_place_of_url(member: Member) -> bool:
    """Whether the name of a member says that the URL of the next page belongs there, whatever stands in it."""
    if member.parent in _HOLDERS_OF_NEXT and (
        member.key in _NESTED_URL_NAMES or (member.key == "id" and "://" in str(member.value))
    ):
        return True  # of a node of JSON-LD the id is its address (IIIF, Hydra)
    return bool(_URL_NAMES.fullmatch(member.key))


def has_links_without_next(response: PageResponse) -> bool:
    """Whether the page links to others, the first, last or one before, and to no next one."""
    if "next" not in response.links and (
        response.links.keys() & {"first", "prev", "previous", "last", "self"}
        or _says_no_next(response.headers.get("link", ""))
    ):
        return True
    is_collection = isinstance(response.body, dict) and (
        response.body.get("type") == "FeatureCollection" or response.body.get("resourceType") == "Bundle"
    )
    paging = {"first", "prev", "previous", "last"} | ({"self"} if is_collection else set())
    for path in link_lists(response.body):
        links = look_up(response.body, path)
        listed = links if isinstance(links, list) else [links]
        if next_of(links) is None and any(relations(link) & paging for link in listed):
            return True
    return False


def next_of(links: Any) -> Mapping[str, Any] | None:
    """The link of the relation "next" in a list of links; None if there is none."""
    if isinstance(links, dict) and "rel" in links:
        links = [links]  # a single link of a document in XML
    if not isinstance(links, list):
        return None
    return next((link for link in links if "next" in relations(link) and target_of(link)), None)


def target_of(link: Mapping[str, Any]) -> str | None:
    """The target of an entry of a list of links."""
    return next((link[name] for name in ("href", "url", "uri", "@href") if isinstance(link.get(name), str)), None)


def relations(link: Any) -> set[str]:
    """The relation types of an entry of a list of links, in lower case."""
    if not isinstance(link, dict):
        return set()
    rel = next((link[name] for name in ("rel", "relation", "@rel", "@ref") if name in link), None)
    return set(rel.lower().split()) if isinstance(rel, str) else {str(each).lower() for each in rel or () if each}


def link_lists(body: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    """The JMESPaths of the lists of links in a body, and of single links."""
    if not isinstance(body, dict) or depth > 3:
        return
    for name, value in body.items():
        own = f"{path}.{quoted(name)}" if path else quoted(name)
        is_list = isinstance(value, list) or (isinstance(value, dict) and isinstance(value.get("rel"), str))
        if is_list and _LINK_LISTS.fullmatch(name.lower().lstrip("_$@")):
            yield own
        elif isinstance(value, dict):
            yield from link_lists(value, own, depth + 1)
