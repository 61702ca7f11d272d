"""The records that were read of an API's pages: what is shown of them, and the tables they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.http.page_bodies import pandas_of, polars_frame_of
from flowlet_jupyter.http.page_content import PageContent
from flowlet_jupyter.http.pagination import PageRequest
from flowlet_jupyter.http.request_log import RequestLog, redacted_records
from flowlet_jupyter.session.ipython_hooks import hooks
from flowlet_jupyter.tables.frames import warn_caller
from flowlet_jupyter.tables.selection import select

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from flowlet_jupyter.http.plot import Plot


class PageSeries:
    """The pages read so far.

    `records` are those of all pages, as the API gave them (the rows of a table that is no list of records). `complete` is
    True where something says that these are all, False where something says that there are more, None where nothing
    says; `reason` says why. `path` is the JMESPath of the records in a page.
    """

    def __init__(self, first: PageRequest, path: str | None) -> None:
        self._next: PageRequest | None = first  # behind the last page that was accepted
        self._overflow: list[Any] = []  # what the last page held beyond `max_items`
        self._content = PageContent(path)
        self.log = RequestLog()
        self.records: list[Any] = []
        self.page_count = 0
        self.total_pages: int | None = None
        self.complete: bool | None = False
        self.reason = "nothing was read yet"

    def __repr__(self) -> str:
        reason = "" if self.complete else f": {self.reason}{'; resume() goes on' if self.can_resume else ''}"
        return f"<pages: {self.count_in_words(', ')}, {self.state}{reason}>"

    def _repr_html_(self) -> str:  # IPython finds these two
        return hooks().series_html(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - IPython's signature
        printer.text(hooks().series_text(self))

    @property
    def state(self) -> str:
        """`complete` in words."""
        if self.complete:
            return "complete"
        return "not complete" if self.complete is False or self.can_resume else "perhaps not complete"

    @property
    def path(self) -> str | None:
        """The JMESPath of the records in a page; None until the first was read."""
        return self._content.path

    @property
    def can_resume(self) -> bool:
        """Whether `resume()` has something to read."""
        return self._next is not None or bool(self._overflow)

    def count_in_words(self, joined_by: str = " with ") -> str:
        """`3 pages with 30 records`."""
        pages = f"{self.page_count:,} {'page' if self.page_count == 1 else 'pages'}"
        return f"{pages}{joined_by}{len(self.records):,} {'record' if len(self.records) == 1 else 'records'}"

    def to_df(self, *, dates: bool = False) -> pd.DataFrame:
        """The records read so far as a pandas DataFrame; `df.attrs` says whether they are complete.

        Raises `RequestFailed` where the pages make no one table.
        """
        frame: pd.DataFrame = pandas_of(self.rows(), self._content.header, dates=dates)
        if self._content.table is not None:
            frame.attrs["shape"] = self._content.table.shape
        frame.attrs |= {
            "complete": self.complete,
            "reason": self.reason,
            "pages": self.page_count,
            "path": self.path or "",
        }
        return frame

    def to_polars(self, *, dates: bool = False) -> pl.DataFrame:
        """The records read so far as a polars DataFrame. Raises `RequestFailed` as `to_df` does."""
        frame: pl.DataFrame = polars_frame_of(self.rows(), self._content.header, dates=dates)
        if self._content.table is not None:
            warn_caller(f"The pages were read as a table of this form: {self._content.table.shape}.")
        return frame

    def plot(self, x: str | None = None, y: str | Sequence[str] | None = None) -> Plot:
        """The records read so far as a chart over time, as that of a response. Raises `RequestFailed`."""
        from flowlet_jupyter.http.plot import plot_of

        return plot_of(redacted_records(self.rows(), self.log.sent), x=x, y=y)

    @property
    def shape(self) -> str:
        """The form of the pages, where it is no list of records; else ""."""
        return self._content.table.shape if self._content.table is not None else ""

    def rows(self) -> list[Any]:
        """What a DataFrame is made of: the records, or the rows of a table of another form. Raises `RequestFailed`."""
        return self._content.rows(self.records, held=len(self.records) + len(self._overflow))

    def select(self, path: str) -> Any:
        """What a JMESPath expression selects of the list of records read so far."""
        return select(self.records, path)
