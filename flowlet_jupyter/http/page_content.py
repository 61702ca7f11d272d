"""Where the records stand in the pages of one API, and the table that they make. The first page decides it for all."""

from __future__ import annotations

import dataclasses
from typing import Any

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.frames import url_of
from flowlet_jupyter.http.page_bodies import PageBody, PagedTable, read_page, table_of
from flowlet_jupyter.http.pagination import PageRequest, PageResponse, detect, links_of_header
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables.envelopes import is_empty_list, is_one_record
from flowlet_jupyter.tables.records import find_records, holds_objects_in_a_list
from flowlet_jupyter.tables.selection import select


class PageContent:
    """What the first page showed: `path` of its records (a JMESPath), `header` of a CSV, and the `table`, if it is one."""

    def __init__(self, path: str | None) -> None:
        self._asked_path = path
        self._page_count = 0
        self._failed_table = ""
        self._xml_path: str | None = None
        self.path = path
        self.header: tuple[str, ...] | None = None
        self.table: PagedTable | None = None

    @property
    def is_list(self) -> bool:
        """Whether the records are those of a list, rather than the rows of a table of another form."""
        return self.table is None or self.table.has_list

    def parse(self, response: Response) -> PageBody:
        """The body of a page. Raises `RequestFailed` where it cannot be read."""
        if self._page_count and not response.content.strip():
            return PageBody([], [])  # nothing at all, as behind the last page (204)
        return read_page(response, self._xml_path)

    def has_other_columns(self, content: PageBody) -> bool:
        """Whether the page is CSV with a header other than the first page's."""
        return content.header is not None and self.header is not None and content.header != self.header

    def page_of(self, content: PageBody, response: Response, request: PageRequest) -> PageResponse:
        """The page as the paginators see it. Raises `RequestFailed` where its table is none."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        links = links_of_header(", ".join(response.headers.get_list("link")))
        records, has_list = self._records_in(content, response)
        page = PageResponse(content.parsed, records, links, headers, has_list, self.path or "")
        if not has_list and not self._page_count and is_empty_list(content.parsed):
            return dataclasses.replace(page, records=[], has_list=True)
        if self._page_count:
            return page
        is_envelope = not (isinstance(content.parsed, dict) and is_one_record(content.parsed, url_of(response)))
        if (
            not has_list
            and is_envelope
            and not self._page_count
            and not holds_objects_in_a_list(content.parsed)
            and detect(request, dataclasses.replace(page, records=[]))
        ):
            # a page without its list, which Google's APIs leave out where it would be empty
            return dataclasses.replace(page, records=[], has_list=True)
        return page

    def add(self, content: PageBody, page: PageResponse, records: list[Any]) -> None:
        """Take in a page that was accepted; `records` are those of them that no page before had."""
        self._page_count += 1
        if self._page_count == 1:
            self.header = content.header
            self._xml_path = content.path or None
        if self.table is not None and self.table.has_list and not self._failed_table:
            try:
                self.table.rows += self.table.rows_of(page.body, records, self._page_count, self._asked_path)
            except RequestFailed as error:
                self._failed_table = str(error)

    def rows(self, records: list[Any], *, held: int) -> list[Any]:
        """What a DataFrame of `records` is made of; `held` counts also those beyond the caller's limit.

        Raises `RequestFailed` where the pages make no one table.
        """
        if self._failed_table:
            raise RequestFailed(self._failed_table)
        if self.table is None or not self.table.has_list:
            return records
        rows = self.table.rows
        # a record may be several rows (samples of a series): then a page is not cut
        return rows[: len(records)] if len(rows) == held else rows

    def _records_in(self, content: PageBody, response: Response) -> tuple[list[Any], bool]:
        """The records, and whether they are those of a list."""
        body = content.parsed
        if content.records is not None:
            self.path = self.path or content.path
            return content.records, True
        if not self._page_count:
            return self._first_records(body, url_of(response))
        selected = select(body, self.path) if self.path else body
        if self.table is not None and not self.table.has_list:
            return self.table.rows_of(body, [], self._page_count + 1, self._asked_path), True
        if selected is None and isinstance(body, dict) and self.path and "." in self.path:
            selected = body.get(self.path.rpartition(".")[2])  # a part of the first response, at an address of its own
        if isinstance(selected, dict) and self.path:
            selected = [selected]  # a list of one that a converter from XML wrote without its brackets
        return (selected if isinstance(selected, list) else []), True

    def _first_records(self, body: Any, url: str) -> tuple[list[Any], bool]:
        path = self._asked_path
        selected = select(body, path) if path else None
        likely = find_records(body, url=url) if path is None else None
        records = likely.records if likely else selected if isinstance(selected, list) else []
        try:
            table = table_of(body, records, path)
        except RequestFailed as error:  # several tables side by side
            self._failed_table, table = str(error), None
        if table is not None:
            has_list = isinstance(selected, list) or (likely is not None and likely.path == table.path)
            self.table = PagedTable(table, body, has_list=has_list)
            if not has_list:
                self.path = table.path if path is None else path
                return table.records, True
        if path is not None:
            return [selected] if selected and isinstance(selected, dict) else records, True
        if likely is None or (self._failed_table and not any(isinstance(record, dict) for record in records[:1])):
            return ([body], False) if isinstance(body, dict) else ([], True)
        self.path = likely.path
        return likely.records, True
