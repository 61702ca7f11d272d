"""Cursors: a value of the response that goes into a parameter, and which parameter that is."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from flowlet_jupyter.http.pagination.link_members import is_next_url, is_place_of_url
from flowlet_jupyter.http.pagination.members import Member
from flowlet_jupyter.http.pagination.names import OFFSETS, PAGES, is_one_of, normalised
from flowlet_jupyter.http.pagination.page import PageRequest, PageResponse, as_number, look_up
from flowlet_jupyter.http.pagination.signals import Signals, flags_of, is_last_by_its_flags

_NEXT = re.compile(
    r"next(?:page|batch|search)?(?:cursor|cursorid|cursormark|token|marker|mark|key|offset|start|page|pagenumber|number|pageid|id|bookmark|"
    r"continuation|continuationtoken|skip|skiptoken|position|recordposition|from|after|startrow|startkey|row|index|startingafter|startafter|startingtoken|starttoken|pagestart|scroll|aftervalue|rownumber)?"
)
_PLAIN = frozenset(
    {"cursor", "after", "bookmark", "marker", "continuation", "continuationtoken", "pagetoken", "scrollid", "cursorstring",
     "endcursor", "aftercursor", "pagingtoken", "pagekey", "scroll", "lastevaluatedkey", "startingafter", "continue", "nextrange", "scrollparam"}
)  # fmt: skip
# names of the value -> the parameters that take it, the likeliest first; the value's own name without "next" comes after
_PARAMETERS = {
    "endcursor": ("after", "cursor"), "nextcursor": ("cursor", "start_cursor"), "lastevaluatedkey": ("ExclusiveStartKey",),
    "nextid": ("after", "since_id"), "aftercursor": ("after_cursor", "cursor", "page[after]"),
    "nextpagestart": ("start",), "nextrecordposition": ("startRecord",), "nextpageoffset": ("offset",), "nextpagecursor": ("cursor",),
    "nextrownumber": ("first_row_number",),
}  # fmt: skip
_HEADERS = {
    "xmscontinuation": "x-ms-continuation",
    "nextrange": "Range",
    "cmrsearchafter": "CMR-Search-After",
}  # of the response -> of the request
_LAST_SEEN = re.compile(r"last\w*(?:id|key|cursor|token|seen)")  # beside a flag that says that there is more
_NAMED_OFFSET = re.compile(r"([a-z]+)-offset")  # HubSpot's first API: `vid-offset` goes into vidOffset
_GOOGLES_START = "queries.nextPage[0].startIndex"
_FIRST_UNIX_TIME = 1_000_000_000  # no page has such a number
_ENDS = (None, False, "", 0, "0")


@dataclass(frozen=True)
class Cursor:
    """A value of the body at `path` that goes into `parameter`. Ends where it is missing, null, empty or 0, or nothing more is said."""

    path: str
    parameter: str
    more_path: str = "has_more"
    in_header: bool = False  # `path` is a header of the response
    to_header: bool = False  # `parameter` is a header of the request (Cosmos DB)
    is_alone: bool = False  # no other parameter is sent with it

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The same request with the cursor."""
        cursor = response.headers.get(self.path.lower()) if self.in_header else look_up(response.body, self.path)
        if (
            cursor in _ENDS
            or isinstance(cursor, list)
            or (isinstance(cursor, dict) and self.parameter != "ExclusiveStartKey")
        ):
            return None
        if look_up(response.body, self.more_path) is False or is_last_by_its_flags(response):
            return None
        if not response.records and str(request.parameter(self.parameter)) == str(cursor):
            return None  # Solr's cursorMark
        if self.path.rpartition(".")[2].replace("_", "").lower() in {"scrollid", "scrollparam"} and response.records:
            request = dataclasses.replace(request, is_repeatable=True)  # the server counts on behind one id
        if self.to_header:
            if str(request.headers.get(self.parameter)) == str(cursor):
                return None
            return dataclasses.replace(request, headers={**request.headers, self.parameter: str(cursor)})
        if self.in_header and request.json is not None and (number := as_number(cursor)) is not None:
            cursor = number
        if self.is_alone:
            request = dataclasses.replace(request, url=urlsplit(request.url)._replace(query="").geturl(), params={})
        return request.with_parameter(self.parameter, cursor)


@dataclass(frozen=True)
class ContinueEndpoint:
    """The cursor alone, posted to the endpoint of the same name with `/continue` behind it (Dropbox)."""

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The request with the newest cursor, while `has_more` is true."""
        cursor = look_up(response.body, "cursor")
        if look_up(response.body, "has_more") is not True or not isinstance(cursor, str) or not cursor:
            return None
        parts = urlsplit(request.url)
        path = parts.path
        if "/continue" not in path:
            name, version = re.fullmatch(r"(.*?)(_v\d+)?", path).groups()  # type: ignore[union-attr]  # of every path
            path = f"{name}/continue{version or ''}"
        return PageRequest(parts._replace(path=path).geturl(), {}, {"cursor": cursor}, request.method, request.headers)


@dataclass(frozen=True)
class Resumption:
    """OAI-PMH: the token with the verb, and no other argument."""

    path: str

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The request with the token at `path`; None where it is empty."""
        token = look_up(response.body, self.path)
        token = token.get("value") if isinstance(token, dict) else token
        if not isinstance(token, str) or not token:
            return None
        query = {name: value for name, value in request.query().items() if name == "verb"}
        url = urlsplit(request.url)._replace(query="").geturl()
        return PageRequest(url, {**query, "resumptionToken": token}, None, request.method, request.headers)


@dataclass(frozen=True)
class Continue:
    """MediaWiki's `continue`, the FEC's `last_indexes`: all its members go into parameters of their names."""

    path: str = "continue"

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The same request with the members."""
        members = look_up(response.body, self.path)
        if not isinstance(members, dict) or not members:
            return None
        for name, value in members.items():
            request = request.with_parameter(name, value)
        return request


@dataclass(frozen=True)
class LastId:
    """The id of the last record goes into `parameter`, while the page says that there is more (Stripe)."""

    parameter: str = "starting_after"

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The same request behind the last record."""
        last = response.records[-1] if response.records else None
        if not isinstance(last, dict) or "id" not in last or flags_of(response)[0] is None:
            return None
        return request.with_parameter(self.parameter, last["id"])


def candidates(
    request: PageRequest, response: PageResponse, signals: Signals, members: Sequence[Member]
) -> Iterator[Cursor | Continue | ContinueEndpoint | Resumption]:
    """The ways on by a cursor that this page shows, the likeliest first."""
    if signals.is_last is not None and signals.more is None:
        return
    yield from _of_one_form(request, response, members)
    is_closed = any(is_place_of_url(member) and member.value in (None, "") for member in members)
    for member in members:
        is_token = member.path == "token" and response.has_list and isinstance(member.value, str)
        if (
            not (_is_cursor(member) or is_token)
            or is_next_url(member)
            or (is_closed and not member.key.startswith("next"))
        ):
            continue
        if member.in_header and normalised(member.path) in _HEADERS:
            yield Cursor(member.path, _HEADERS[normalised(member.path)], in_header=True, to_header=True)
            continue
        if member.key == "nextpagekey" and request.json is None:  # Dynatrace refuses it beside another one
            yield Cursor(member.path, member.name, is_alone=True)
        for parameter in _parameters(request, response, member):
            yield Cursor(member.path, parameter, in_header=member.in_header)
    if not any(is_one_of(name, PAGES | OFFSETS) for name in request.parameters()):
        yield from _behind_the_last(response, signals, members)


def _of_one_form(
    request: PageRequest, response: PageResponse, members: Sequence[Member]
) -> Iterator[Continue | ContinueEndpoint | Resumption]:
    """What some APIs have a form of their own for."""
    if any(member.path == "continue" and isinstance(member.value, dict) for member in members):
        yield Continue()
    for member in members:
        if member.key == "lastindexes" and isinstance(member.value, dict):
            yield Continue(member.path)  # the FEC's
    if any(member.key == "resumptiontoken" for member in members):
        yield from (Resumption(member.path) for member in members if member.key == "resumptiontoken")
    continues = ContinueEndpoint()
    if isinstance(request.json, dict) and _is_remote_call(request) and continues.next(request, response):
        yield continues


def _behind_the_last(response: PageResponse, signals: Signals, members: Sequence[Member]) -> Iterator[Cursor]:
    """What names the last record of the page: the highest version (Lightspeed), `last_row_key` beside a flag (Tuya, Steam)."""
    if isinstance(look_up(response.body, "version.max"), int):
        yield Cursor("version.max", "after")
    if isinstance(look_up(response.body, _GOOGLES_START), int):
        yield Cursor(_GOOGLES_START, "start")
    more = signals.more
    for member in members if more is not None else ():
        is_beside = more is not None and member.container == more.container and member.path != "last_id"
        if is_beside and (match := _NAMED_OFFSET.fullmatch(member.name)) and isinstance(member.value, int):
            yield Cursor(member.path, f"{match[1]}Offset")
        elif is_beside and _LAST_SEEN.fullmatch(member.key) and isinstance(member.value, str | int):
            yield Cursor(member.path, member.name)


def last_id_candidates(response: PageResponse, signals: Signals) -> Iterator[Cursor | LastId]:
    """Paging behind the last record, where a page says that there is more and names no cursor."""
    body = response.body
    if signals.more is None or not isinstance(body, dict):
        return
    if body.get("last_id"):
        names = ("after", "after_id") if body.get("object") == "list" else ("after_id", "after")
        yield from (Cursor("last_id", name) for name in names)
    elif response.records and isinstance(response.records[-1], dict) and "id" in response.records[-1]:
        yield from (LastId(name) for name in ("starting_after", "after", "before_id"))


def _is_remote_call(request: PageRequest) -> bool:
    """Whether a URL names a procedure that lists or searches, as Dropbox's do."""
    return bool(re.search(r"/(list|search)(_[a-z]+)*(_v\d+)?$|/continue(_v\d+)?$", urlsplit(request.url).path))


def _is_cursor(member: Member) -> bool:
    value, key = member.value, member.key
    if isinstance(value, dict):
        return key == "lastevaluatedkey" and bool(value)
    if isinstance(value, bool) or value in _ENDS or not isinstance(value, str | int):
        return False
    if isinstance(value, str) and re.search(r"\s", value) and not member.in_header:
        return False
    if isinstance(value, str) and "://" in value and key in _PLAIN:
        return False  # where a picture of a bookmark is
    if key == "offset":
        return isinstance(value, str) and not value.isdigit()
    return (
        key in _PLAIN
        or bool(_NEXT.fullmatch(key))
        or (member.in_header and key in {"nextpage", "continuation", "cmrsearchafter"})
    )


def _parameters(request: PageRequest, response: PageResponse, member: Member) -> list[str]:
    if (query := request.graphql_query) is not None and member.key in {"endcursor", "nextcursor", "cursor"}:
        return _variables_for_a_cursor(query)
    key, own = member.key, member.name
    names = [*_by_surroundings(request, response, member), *_PARAMETERS.get(key, ())]
    rest = re.sub(r"^[_-]*next[_-]*", "", own, flags=re.IGNORECASE)
    if key.startswith("next") and rest:
        if key in {"nextpage", "nextpagenumber", "nextnumber"}:
            # a text is no number of a page: it goes back under its own name (Quay)
            names += ["page"] if as_number(member.value) is not None else [own, "page_cursor"]
        names.append(rest[0].lower() + rest[1:] if own[0].islower() else rest)
    elif key == "next":
        names += _of_a_bare_next(member)
    names.append(own)
    parameters = {normalised(name): name for name in request.parameters()}
    names.sort(key=lambda name: normalised(name) not in parameters)
    if key == "nextpage":
        names[:0] = [name for name in request.parameters() if normalised(name) in PAGES]
    hyphens = {"-" in name for name in parameters.values() if re.search(r"[-_]", name)} == {True}
    spelled = (name.replace("_", "-") if hyphens else name for name in names)  # as the others are (CircleCI)
    return list(dict.fromkeys(parameters.get(normalised(name), name) for name in spelled))[:5]


def _variables_for_a_cursor(query: str) -> list[str]:
    return re.findall(r"\b(?:after|cursor)\s*:\s*\$(\w+)", query)[:1]


def _of_a_bare_next(member: Member) -> list[str]:
    """The parameters for a `next` whose name says no more: a page, a moment, or some text."""
    if not isinstance(member.value, int):
        return ["cursor", "after", "start", "pos"]
    return ["until", "cursor"] if member.value >= _FIRST_UNIX_TIME else ["page", "cursor"]


def _by_surroundings(request: PageRequest, response: PageResponse, member: Member) -> list[str]:
    """Parameters that what stands beside or around the cursor tells."""
    body = response.body if isinstance(response.body, dict) else {}
    key = member.key
    holder = look_up(body, member.path.rpartition(".")[0]) if "." in member.path and not member.in_header else body
    beside = holder if isinstance(holder, dict) else {}
    known = (
        (member.path == "next_cursor" and body.get("object") == "list", "start_cursor"),
        (
            member.path == "next_cursor" and body.keys() <= {"request_id", "data", "next_cursor"} and len(body) > 2,
            "page_token",
        ),
        (key == "nextpagetoken" and not {"moreResult", "responseSize"}.isdisjoint(body), member.name),
        (key == "nextpagetoken" and "html_attributions" in body, "pagetoken"),
        (key == "nextcursorid" and "datatable" in body, "qopts.cursor_id"),
        (key == "nextkey" and member.parent == "resultinf", "startPosition"),
        (key == "next" and "objects" in body and "more" in body, "next"),
        (member.path == "next" and "hasNext" in body, "offset"),
        (member.path == "pagination.next" and "namespace" in body, "paginationToken"),
        (key == "endcursor", "after"),
        (key == "endcursor" and "start_cursor" in beside, "after_id"),
        (member.in_header and key == "nexttoken", "next_token"),
        (key == "nexttoken" and member.parent == "meta", "pagination_token"),
        (key == "nextpagetoken" and "isLast" in body, member.name),
        (key == "nexttoken", member.name),
        (member.name == "next_page_token" and "page_size" in body and "total_records" in body, member.name),
        (key == "next" and isinstance(member.value, int) and "offset" in beside, "offset"),
        (key == "next" and isinstance(member.value, int) and "start" in beside, "start"),
        (key == "nextfrom", "start_from"),
        (member.in_header and normalised(member.path) == "xmscontinuationtoken", "continuationToken"),
        (key == "nextcontinuationtoken" and "IsTruncated" in body, "continuation-token"),
        (key == "nextmarker" and bool({"ServiceEndpoint", "IsTruncated"} & body.keys()), "marker"),
        (member.path == "pagination.cursor", "after"),
        (member.path.endswith("page.cursor") and isinstance(request.json, dict) and "page" in request.json, "after"),
        (member.path.endswith("page.after"), "page[cursor]"),
        (member.path.endswith("page.after"), "page[after]"),
        (key == "next" and member.parent.startswith("cursor"), "cursor"),
        (key == "next" and request.parameter("take") is not None, "from"),
    )
    return [name for holds, name in known if holds]
