"""Links to the next page: Link headers (RFC 8288), lists of links and URLs in the body."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.pagination.link_members import is_next_url, link_lists, next_of, target_of
from flowlet_jupyter.http.pagination.members import Member
from flowlet_jupyter.http.pagination.names import OFFSETS, PAGES, is_one_of
from flowlet_jupyter.http.pagination.page import PageRequest, PageResponse, look_up
from flowlet_jupyter.http.pagination.signals import is_last_by_its_flags

# of a URI template (RFC 6570): what may be added to the query, and is not
_OPTIONAL_PARTS = re.compile(r"\{[?&][\w,.*%:]*\}")


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
        if not isinstance(target, str) or not target or is_last_by_its_flags(response):
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


def candidates(
    request: PageRequest, response: PageResponse, members: Sequence[Member]
) -> Iterator[LinkHeader | NextURL | LinkList]:
    """The ways to the next page by links that this page shows, the most certain first."""
    if "next" in response.links:
        yield LinkHeader()
    for path in link_lists(response.body):
        if next_of(look_up(response.body, path)) is not None:
            yield LinkList(path)
    # those that lead to another host last: where a search was asked for, its own next page may be named as well (SerpApi)
    urls = [member for member in members if is_next_url(member)]
    own = urlsplit(request.url).hostname
    yield from (
        NextURL(member.path)
        for member in sorted(urls, key=lambda member: urlsplit(member.value).hostname not in {None, own})
    )


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


def _below_the_same_base(own: str, target: str) -> str:
    """`target` below the base of the API, where it leaves that out: it is the path `own` itself but for its beginning (Snyk)."""
    path = urlsplit(target).path
    is_tail = target.startswith("/") and len(path) > 1 and own != path and own.endswith(path)
    return own.removesuffix(path) + target if is_tail and not target.startswith("//") else target


def followed(request: PageRequest, target: str) -> PageRequest:
    """The request for a link that the API gave: it is whole, so nothing of ours is added to it.

    An API behind a proxy that ends TLS may link to itself by http; what was asked for by https goes on by https.
    """
    own = urlsplit(request.url)
    url = urljoin(request.url, _below_the_same_base(own.path, _OPTIONAL_PARTS.sub("", target)))
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise RequestFailed(f"The next page has an address that cannot be requested: {url[:200]}")
    if (own.scheme, parts.scheme) == ("https", "http") and parts.hostname == own.hostname:
        url = parts._replace(scheme="https", netloc=own.netloc).geturl()
    if request.json is not None and parts.path.rstrip("/") != own.path.rstrip("/"):
        # what a query was answered with is at an address of its own (Trino, Databricks)
        return PageRequest(url, {}, None, "GET", request.headers)
    return PageRequest(url, {}, request.json, request.method, request.headers)
