"""Links to the next page: Link headers (RFC 8288), lists of links and URLs in the body."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.pagination.members import Member
from flowlet_jupyter.http.pagination.names import OFFSETS, PAGES, is_one_of, normalised
from flowlet_jupyter.http.pagination.page import PageRequest, PageResponse, look_up
from flowlet_jupyter.tables.records import quoted

# one link of a Link header: its target in angle brackets, and parameters whose values may be quoted
_LINK = re.compile(r"<\s*([^>]*?)\s*>((?:\s*;\s*[^\s=;,]+\s*(?:=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s\";,]*))?)*)")
_LINK_PARAMETER = re.compile(r";\s*([^\s=;,]+)\s*(?:=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\";,]*)))?")
_URL_NAMES = re.compile(r"(?:odata)?(?:next|after)(?:page|records|results|set)?(?:uri|url|link|href)")
_NESTED_URL_NAMES = frozenset({"href", "url", "uri", "link", "ref"})
_LINK_LISTS = frozenset({"link", "links", "pagelinks"})
_MAX_HEADER = 50_000


@dataclass(frozen=True)
class LinkHeader:
    """`Link: <…>; rel="next"` (RFC 8288). Ends where there is no such link."""

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The link's request."""
        return _unless_past_the_end(request, response, response.links.get("next"))


@dataclass(frozen=True)
class NextURL:
    """A URL in the body, at the JMESPath `path`; relative ones too. Ends where it is missing, null or empty."""

    path: str

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The URL's request."""
        target = look_up(response.body, self.path)
        if not isinstance(target, str) or not target:
            return None
        return _unless_past_the_end(request, response, _on_its_base(response.body, self.path, target))


@dataclass(frozen=True)
class LinkList:
    """A list of links at the JMESPath `path`, one of them with the relation "next" (STAC, FHIR, Oracle, PayPal).

    STAC's links may name a method and a body, which is added to that of the request where the link says `merge`.
    """

    path: str

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The link's request."""
        link = next_of(look_up(response.body, self.path))
        if link is None:
            return None
        follows = _unless_past_the_end(request, response, target_of(link))
        if follows is None:
            return None
        method, body = link.get("method"), link.get("body")
        if isinstance(method, str) and method.upper() in {"GET", "POST"}:
            follows = dataclasses.replace(follows, method=method.upper())
        if follows.method == "GET":
            return dataclasses.replace(follows, json=None)
        if isinstance(body, dict):
            merged = {**request.json, **body} if link.get("merge") and isinstance(request.json, dict) else body
            return dataclasses.replace(follows, json=merged)
        return follows


def links_of_header(value: str) -> dict[str, str]:
    """Relation type -> target of the links of a Link header; the first of each. One with `results="false"` leads nowhere."""
    found: dict[str, str] = {}
    for link in _LINK.finditer(value[:_MAX_HEADER]):
        parameters: dict[str, str] = {}
        for name, quoted_value, token in _LINK_PARAMETER.findall(link[2]):
            parameters.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted_value) or token)
        if parameters.get("results", "").lower() == "false":
            continue
        for rel in parameters.get("rel", "").lower().split():
            found.setdefault(rel, link[1])
    return found


def candidates(response: PageResponse, members: Sequence[Member]) -> Iterator[LinkHeader | NextURL | LinkList]:
    """The ways to the next page by links that this page shows, the most certain first."""
    if "next" in response.links:
        yield LinkHeader()
    for path in _link_lists(response.body):
        if next_of(look_up(response.body, path)) is not None:
            yield LinkList(path)
    for member in members:
        if is_next_url(member):
            yield NextURL(member.path)


def is_next_url(member: Member) -> bool:
    """Whether a member of the body is the URL of the next page."""
    value = member.value
    if not isinstance(value, str) or member.in_header or not value or re.search(r"\s", value):
        return False
    if is_place_of_url(member):
        return True
    return member.key in {"next", "nextpage"} and (
        value.startswith(("http://", "https://", "/", "?")) or ("?" in value and "=" in value)
    )


def is_place_of_url(member: Member) -> bool:
    """Whether the name of a member says that the URL of the next page belongs there, whatever stands in it."""
    return bool(_URL_NAMES.fullmatch(member.key)) or (member.key in _NESTED_URL_NAMES and member.parent == "next")


def has_links_without_next(response: PageResponse) -> bool:
    """Whether the page links to others, the first, last or one before, and to no next one."""
    if response.links.keys() & {"first", "prev", "previous", "last", "self"} and "next" not in response.links:
        return True
    is_collection = isinstance(response.body, dict) and (
        response.body.get("type") == "FeatureCollection" or response.body.get("resourceType") == "Bundle"
    )
    paging = {"first", "prev", "previous", "last"} | ({"self"} if is_collection else set())
    for path in _link_lists(response.body):
        links = look_up(response.body, path)
        if next_of(links) is None and any(_relations(link) & paging for link in links):
            return True
    return False


def next_of(links: Any) -> Mapping[str, Any] | None:
    """The link of the relation "next" in a list of links; None if there is none."""
    if not isinstance(links, list):
        return None
    return next((link for link in links if "next" in _relations(link) and target_of(link)), None)


def target_of(link: Mapping[str, Any]) -> str | None:
    """The target of an entry of a list of links."""
    return next((link[name] for name in ("href", "url", "uri") if isinstance(link.get(name), str)), None)


def _relations(link: Any) -> set[str]:
    if not isinstance(link, dict):
        return set()
    rel = link.get("rel", link.get("relation"))
    return set(rel.lower().split()) if isinstance(rel, str) else {str(each).lower() for each in rel or () if each}


def _link_lists(body: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    if not isinstance(body, dict) or depth > 3:
        return
    for name, value in body.items():
        own = f"{path}.{quoted(name)}" if path else quoted(name)
        if isinstance(value, list) and normalised(name) in _LINK_LISTS:
            yield own
        elif isinstance(value, dict):
            yield from _link_lists(value, own, depth + 1)


def _on_its_base(body: Any, path: str, target: str) -> str:
    """A path below the `base` that stands beside it, as Confluence gives it."""
    container = look_up(body, path.rpartition(".")[0]) if "." in path else None
    base = container.get("base") if isinstance(container, dict) else None
    if not isinstance(base, str) or "://" not in base or not target.startswith("/") or target.startswith("//"):
        return target
    prefix = urlsplit(base).path.rstrip("/")
    is_below = bool(prefix) and (target == prefix or target.startswith(f"{prefix}/"))
    return urljoin(base, target) if is_below else base.rstrip("/") + target


def _unless_past_the_end(request: PageRequest, response: PageResponse, target: str | None) -> PageRequest | None:
    """The request for `target`. An empty page ends links that only count on (CKAN has one always); opaque ones it does not."""
    if not target:
        return None
    if not response.records:
        for name, value in parse_qsl(urlsplit(target).query):
            if value.isdigit() and is_one_of(name, OFFSETS | PAGES):
                return None
        if not urlsplit(target).query and "://" not in target and not target.startswith("/"):
            return None
    return followed(request, target)


def followed(request: PageRequest, target: str) -> PageRequest:
    """The request for a link that the API gave: it is whole, so nothing of ours is added to it.

    An API behind a proxy that ends TLS may link to itself by http; what was asked for by https goes on by https.
    """
    url = urljoin(request.url, target)
    parts, own = urlsplit(url), urlsplit(request.url)
    if parts.scheme not in {"http", "https"}:
        raise RequestFailed(f"The next page has an address that cannot be requested: {url[:200]}")
    if (own.scheme, parts.scheme) == ("https", "http") and parts.hostname == own.hostname:
        url = parts._replace(scheme="https", netloc=own.netloc).geturl()
    return PageRequest(url, {}, request.json, request.method, request.headers)
