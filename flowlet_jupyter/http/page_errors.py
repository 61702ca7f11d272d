"""What says that a response is no page: an error behind the last one, an error in a success, another form than before."""

from __future__ import annotations

import re

from flowlet_jupyter.http.page_bodies import PageBody
from flowlet_jupyter.http.page_content import PageContent
from flowlet_jupyter.http.pagination import PageResponse
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables.error_bodies import error_in, reason_in
from flowlet_jupyter.tables.json_body import kind_of
from flowlet_jupyter.tables.selection import WHOLE_BODY, select

_NO_SUCH_PAGE = re.compile(
    r"invalid[ _]page\b|invalid_page_number|page[ _](?:number )?(?:requested )?(?:is )?(?:out of (?:range|bounds)|too (?:large|high)|beyond|larger)"
    r"|page number requested is larger|no more (?:pages|results|records)|page (?:does not exist|not found)|(?:offset|page) (?:is )?(?:out of|exceeds)"
    r"|that page contains no results|page\W{0,3} is out of (?:valid )?range|no such page|page number is (?:too|invalid)",
    re.IGNORECASE,
)


def says_no_such_page(response: Response) -> bool:
    """Whether an API says by an error that a page number is beyond the last (Django REST Framework, WordPress)."""
    return response.status_code in {400, 404, 416, 422} and bool(_NO_SUCH_PAGE.search(response.text[:2000]))


def says_that_nothing_is_there(response: Response) -> bool:
    """Whether an API has nothing at an address, without a word of pages: the end, where that came by counting on (TVmaze)."""
    return response.status_code in {404, 410, 416}


def message_of_error_in(page: PageBody, content: PageContent, first: PageResponse | None) -> str:
    """What a success says of being an error, or how it is unlike the `first` page; "" if it is neither."""
    body = page.parsed
    message = "" if content.path == WHOLE_BODY else error_in(body)
    if message or first is None or page.records is not None or not content.is_list:
        return message
    expects_list = content.path is not None and first.has_list
    has_list = isinstance(body, list) or (isinstance(body, dict) and bool(content.path))
    if expects_list and not has_list and body not in (None, {}):
        return reason_in(body) or f"{kind_of(body)} where the pages before had a list"
    if expects_list and isinstance(body, dict) and content.path and select(body, content.path) is None:
        has_another_form = bool(body) and not body.keys() & first.body.keys()
        return reason_in(body) if has_another_form else ""
    return ""
