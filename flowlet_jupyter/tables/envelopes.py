"""Whether an object is a record itself, or what is said about a list of records. By the names of its members alone. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

_T = TypeVar("_T")
_FEW_MEMBERS = 8  # an envelope says less of its list than that; a record of something says more of itself
IDENTITY = frozenset({"id", "_id", "Id", "ID", "uuid", "uid", "guid", "gid", "sid", "sha", "node_id"})
_NAME_OF_AN_ID = re.compile(r"(?<!page)(?<!page_)(?:id|key|number|sha)$", re.IGNORECASE)
_URL_OF_NEXT = re.compile(r"(?:hydra|odata|as)?(?:next|prev|first|last|partof)(?:page)?(?:link|ur[il])?")
ENDING = re.compile(r"\.(json|xml|csv|php|aspx?)$")
# what says of an object what it is: none of these speaks of a list
_OF_A_RECORD = re.compile(
    r"(?:display|full|first|last|user)?name|title|label|slug|description|e?mail"
    r"|(?:date|time|last)?(?:created|updated|modified|creation|edited)(?:at|on|date|time|timestamp|datetime|by)?"
)
# what says where a list goes on
_GOES_ON = re.compile(
    r"(?:@?odata\.)?_{0,2}next.*|prev.*|cursor.*|page_?info|paging|pagination|page|has_?(?:more|next).*|is_?last.*|islastpage"
)
# what says of a list how long it is
_OF_A_LIST = re.compile(
    r"total.*|.*total|(?:.*(?<!ac)(?<!dis))?count|pages|per_?page|items_?per_?page|start_?index|page_?size|limit|offset|skip|start|startat|after|before|more|truncated"
    r"|retmax|retstart|hits|num_?found"
)
_OF_A_PLACE = re.compile(
    r"page.*|per_?page|limit|offset|skip|start.*|items_?per_?page|next.*|prev.*|has_?(?:more|next).*"
)
# what says of a response how it went
OF_A_RESPONSE = re.compile(
    r"ok|success|status|status_?code|code|error.*|message|messages|msg|warnings?|took|time|timestamp|version|api_?version|kind|type|object"
    r"|etag|@.*|_?links?|.*_?meta(?:data)?|info|schemas?|(?:request|trace|correlation)_?id|jsonrpc|extensions|help|self|href|url|uri|i18n|headers?|(?:request|response)_?headers?"
)


def is_named_by_its_id(body: Mapping[str, Any], url: str) -> bool:
    """Whether the URL says that `body` is one record: its last segment is an id, and the body has it as its own."""
    last = segments_of(url)[-1]
    inner = [value for value in body.values() if isinstance(value, dict)] if len(body) < _FEW_MEMBERS else []
    return bool(last) and any(
        isinstance(value, str | int) and str(value) == last and _NAME_OF_AN_ID.search(name)
        for node in (body, *inner)
        if not goes_on(node)
        for name, value in node.items()
    )


def is_one_record(body: Mapping[str, Any], url: str) -> bool:
    """Whether `body` is a record itself, rather than what is said about a list."""
    return is_named_by_its_id(body, url) or is_a_thing(body)


def is_empty_list(body: Any) -> bool:
    """Whether a body without a list says that there are 0 records (SCIM leaves out the list then)."""
    if isinstance(body, dict) and body.get("resourceType") == "Bundle" and "entry" not in body:
        return True  # FHIR leaves out what is empty
    if not isinstance(body, dict) or has_id(body) or not all(map(is_spoken, body)):
        return False
    totals = [
        value
        for name, value in body.items()
        if re.fullmatch(r"total.*|.*total|(?:.*(?<!ac)(?<!dis))?count", name.lower())
    ]
    is_of_list = any(_OF_A_PLACE.fullmatch(name.lower()) for name in body)
    return bool(totals) and is_of_list and all(str(value) == "0" for value in totals)


def is_a_thing(node: Mapping[str, Any]) -> bool:
    """Whether an object is about something: it has an id and a name, or says much of itself."""
    named = sum(
        bool(_OF_A_RECORD.fullmatch(plain(name))) and not isinstance(value, dict | list) for name, value in node.items()
    )
    own = len(own_values(node))
    return (has_id(node) and (named > 0 or own > _FEW_MEMBERS // 2)) or named > 2 or own >= _FEW_MEMBERS


def is_about_itself(node: Mapping[str, Any]) -> bool:
    """Whether an object has an id or several values of its own, so that the objects in it are its parts."""
    return has_id(node) or is_a_thing(node) or len(own_values(node)) >= _FEW_MEMBERS // 2


def goes_on(node: Mapping[str, Any]) -> bool:
    """Whether an object says where a list goes on."""
    return any(_GOES_ON.fullmatch(name.lower()) for name in node)


def leads_on(node: Mapping[str, Any]) -> bool:
    """Whether an object has the address of another page."""
    return any(_URL_OF_NEXT.fullmatch(plain(name)) and _is_address(value) for name, value in node.items())


def _is_address(value: Any) -> bool:
    """A text, or a node of JSON-LD, whose id is its address."""
    return isinstance(value, str) or (isinstance(value, dict) and isinstance(value.get("id", value.get("@id")), str))


def counts(node: Mapping[str, Any]) -> bool:
    """Whether an object says how long a list is."""
    return any(_OF_A_LIST.fullmatch(name.lower()) for name, value in node.items() if not isinstance(value, list))


def has_id(node: Mapping[str, Any]) -> bool:
    """Whether an object has an id of its own (that of JSON-RPC is the request's)."""
    return "jsonrpc" not in node and any(isinstance(node.get(name), str | int) for name in IDENTITY)


def own_values(node: Mapping[str, Any]) -> list[str]:
    """The members of an object that are values, and speak neither of a list nor of the response."""
    return [name for name, value in node.items() if not isinstance(value, dict | list) and not is_spoken(name)]


@functools.lru_cache(maxsize=4096)
def is_spoken(name: str) -> bool:
    """Whether a member speaks of a list or of the response, rather than of a thing."""
    return any(words.fullmatch(name.lower()) for words in (OF_A_RESPONSE, _OF_A_LIST, _GOES_ON))


def segments_of(url: str) -> list[str]:
    """The segments of the path of a URL, decoded."""
    return [unquote(segment) for segment in urlsplit(url).path.rstrip("/").split("/")]


@functools.lru_cache(maxsize=4096)  # the same names stand on every page
def plain(name: str) -> str:
    """`name` in lower case, letters and digits only."""
    return "".join(character for character in name.lower() if character.isalnum())


class Remembered:
    """Asks a question of an object once: a body with very many lists is asked the same for each of them."""

    def __init__(self) -> None:
        self._known: dict[tuple[Callable[..., Any], int], Any] = {}

    def __call__(self, question: Callable[[Mapping[str, Any]], _T], node: Mapping[str, Any]) -> _T:
        """What `question` says of `node`."""
        key = question, id(node)  # the body holds all of them as long as this lives
        if key not in self._known:
            self._known[key] = question(node)
        known: _T = self._known[key]
        return known
