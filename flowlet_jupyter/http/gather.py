"""Many requests side by side: bounded, in order, with what failed beside what went well."""

from __future__ import annotations

import contextlib
import itertools
import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, wait
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from flowlet_jupyter.credentials.redaction import excerpt, redact
from flowlet_jupyter.errors import FlowletError, InterpolationError, RequestFailed
from flowlet_jupyter.http.frames import failure_of
from flowlet_jupyter.http.outgoing import is_missing, path_text
from flowlet_jupyter.http.progress import Progress, countdown
from flowlet_jupyter.http.rate_limit import pause_of
from flowlet_jupyter.http.request_log import RequestLog, redacted_records
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.http.retries import LONGEST_WAIT_SECONDS
from flowlet_jupyter.http.workers import Work, Workers
from flowlet_jupyter.session.ipython_hooks import hooks
from flowlet_jupyter.tables.frames import frame_of, with_dates
from flowlet_jupyter.tables.packed import frame_of_parts
from flowlet_jupyter.tables.selection import WHOLE_BODY

if TYPE_CHECKING:
    import pandas as pd

    from flowlet_jupyter.http.plot import Plot

_MAX_REFUSALS = 5
_LOOK_SECONDS = 0.1  # how often the progress is looked at
_PLACE = re.compile(r"\{([^{}]*)\}")
Outcome = Response | FlowletError | None


def urls_of(template: str, rows: Any) -> list[str]:
    """`template` with `{name}` filled in from each row (mappings, or a DataFrame), each value percent-encoded whole.

    Raises `InterpolationError` naming a place that a row has no value for.
    """
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        rows = rows.to_dict("records")
    urls = []
    for number, row in enumerate(rows):

        def fill(match: re.Match[str], row: Mapping[str, Any] = row, number: int = number) -> str:
            value = row.get(match[1])
            if is_missing(value):
                raise InterpolationError(f"Row {number} has no value for {{{match[1]}}}. Nothing was sent.")
            try:
                return quote(path_text(value), safe="")
            except ValueError as error:
                raise InterpolationError(f"Row {number}, {{{match[1]}}}: {error}. Nothing was sent.") from None

        urls.append(_PLACE.sub(fill, template))
    return urls


class Gathered(Sequence[Outcome]):
    """The outcomes in the order of the URLs: a response, the error of one that failed, or None if it was not asked for yet.

    `errors` are those that failed, `complete` says whether all were asked for, `resume()` asks for the rest and the failed.
    """

    def __init__(
        self, urls: Sequence[str], workers: Workers, *, errors: Literal["collect", "raise"], show_progress: bool = True
    ) -> None:
        self.urls = list(urls)
        self._workers = workers
        self._raises = errors == "raise"
        self._show_progress = show_progress
        self._outcomes: list[Outcome] = [None] * len(self.urls)
        self._pause_until = 0.0
        self._refused: dict[int, int] = {}  # index -> how often the rate limit sent it back

    def __getitem__(self, index: Any) -> Any:
        return self._outcomes[index]

    def __len__(self) -> int:
        return len(self._outcomes)

    def _repr_html_(self) -> str:  # IPython finds these two
        return hooks().series_html(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - IPython's signature
        printer.text(hooks().series_text(self))

    def __repr__(self) -> str:
        open_ = f", {self._outcomes.count(None)} not asked for: resume() goes on" if not self.complete else ""
        return f"<gathered: {len(self.responses)} of {len(self)} went well, {len(self.errors)} failed{open_}>"

    @property
    def complete(self) -> bool:
        """Whether every URL was asked for."""
        return None not in self._outcomes

    @property
    def responses(self) -> list[Response]:
        """Those that went well, in order: an API may also answer 200 and say in it that it failed."""
        return [outcome for outcome in self._outcomes if isinstance(outcome, Response) and not _failure(outcome)]

    @property
    def errors(self) -> dict[str, FlowletError]:
        """Those that failed: URL -> error."""
        return dict(self._failures())

    def _failures(self) -> Iterator[tuple[str, FlowletError]]:
        for url, outcome in zip(self.urls, self._outcomes, strict=True):
            if isinstance(outcome, FlowletError):
                yield url, outcome
            elif outcome is not None and (failure := _failure(outcome)):
                yield url, RequestFailed(failure)

    def to_df(self, path: str | None = None, *, dates: bool = False) -> pd.DataFrame:
        """The records of all that went well as one DataFrame; the column `url` says where each comes from."""
        frame = frame_of_parts(self._rows(path))
        if frame is None:
            return frame_of(self.records(path), dates=dates)
        return with_dates(frame) if dates else frame

    def records(self, path: str | None = None) -> list[dict[str, Any]]:
        """The records of all that went well; `url` says where each comes from. Raises `RequestFailed`."""
        return list(itertools.chain.from_iterable(self._rows(path)))

    def _rows(self, path: str | None) -> Iterator[list[dict[str, Any]]]:
        """The records of each that went well; no body stays parsed that was not so before."""
        for url, outcome in zip(self.urls, self._outcomes, strict=True):
            if not isinstance(outcome, Response):
                continue
            with _as_parsed_as_before(outcome):
                if outcome.is_error or (path != WHOLE_BODY and failure_of(outcome)):
                    continue
                records = outcome.records(path)
            yield [{"url": url, **(record if isinstance(record, dict) else {"value": record})} for record in records]

    def plot(self, x: str | None = None, y: str | Sequence[str] | None = None, *, path: str | None = None) -> Plot:
        """The records of all that went well as a chart over time, as that of a response. Raises `RequestFailed`."""
        from flowlet_jupyter.http.plot import plot_of

        return plot_of(redacted_records(self.records(path), self.log.sent), x=x, y=y)

    @property
    def log(self) -> RequestLog:
        """A line for each URL that was asked for."""
        log = RequestLog()
        for number, (url, outcome) in enumerate(zip(self.urls, self._outcomes, strict=True), 1):
            if isinstance(outcome, Response):
                failure = _failure(outcome)
                error: dict[str, Any] = {"error": failure} if failure else {}
                log.add(outcome, number=number, url=url, **error)
            elif outcome is not None:
                log.lines.append({"number": number, "url": url, "error": str(outcome)})
        return log

    def resume(self) -> Gathered:
        """Ask for those that were not asked for, and once more for those that failed."""
        failed = self.errors
        self._outcomes = [
            None if url in failed else outcome for url, outcome in zip(self.urls, self._outcomes, strict=True)
        ]
        return self.run()

    def run(self) -> Gathered:
        """Ask for all that have no outcome yet; an interrupt keeps what came."""
        indices = deque(index for index, outcome in enumerate(self._outcomes) if outcome is None)
        ended = threading.Event()
        came: list[bool] = []  # of each that came, whether it failed
        working = self._workers.start(lambda: self._work(indices, ended, came), ended, at_most=len(indices))
        try:
            with Progress("Requests", unit="requests", total=len(indices), is_shown=self._show_progress) as progress:
                shown, is_done = 0, False
                while not is_done:
                    is_done = not wait(working, _LOOK_SECONDS, FIRST_EXCEPTION).not_done
                    for each in working:
                        if each.done():
                            each.result()  # raises
                    if (asked := len(came)) > shown:
                        failed = sum(came)
                        progress.add(asked - shown, f"{failed} failed" if failed else "")
                        shown = asked
                    if not is_done and (left := self._pause_until - time.monotonic()) > 0:
                        text = "The API's rate limit is used up: next request in"
                        countdown(left, text, is_over=lambda: any(map(_has_failed, working)))
        except CancelledError:
            raise RequestFailed("The session was closed while its requests were under way.") from None
        finally:
            ended.set()
            for each in working:
                each.cancel()
        return self

    def _work(self, indices: deque[int], ended: threading.Event, came: list[bool]) -> Work:
        """What one worker does until nothing is left. Raises the first error if told to."""
        while not ended.is_set():
            if (left := self._pause_until - time.monotonic()) > 0:
                yield left
                continue
            try:
                index = indices.popleft()
            except IndexError:
                return
            outcome = yield self.urls[index]
            if ended.is_set():
                return
            if self._is_to_be_sent_again(index, outcome):
                indices.appendleft(index)
                continue
            self._outcomes[index] = outcome
            came.append(not isinstance(outcome, Response) or outcome.is_error)
            if self._raises and isinstance(outcome, FlowletError):
                raise outcome
            if self._raises and isinstance(outcome, Response) and (failure := _failure(outcome)):
                raise RequestFailed(f"{self.urls[index][:200]}: {failure}")

    def _is_to_be_sent_again(self, index: int, outcome: Outcome) -> bool:
        """Whether the rate limit refused the request; what the response says of the limit holds for all that follow."""
        if not isinstance(outcome, Response):
            return False
        pause = pause_of(outcome.status_code, outcome.headers, now=time.time())
        if not outcome.is_error and pause > LONGEST_WAIT_SECONDS:
            pause = 0.0  # a success that says "none left" for so long: a refusal will say it better
        tries = 0
        if outcome.status_code == 429:
            self._refused[index] = tries = self._refused.get(index, 0) + 1
            pause = min(pause or 2.0**tries, LONGEST_WAIT_SECONDS)
        if pause:
            self._pause_until = max(self._pause_until, time.monotonic() + pause)
        return 0 < tries <= _MAX_REFUSALS


def _has_failed(working: Future[None]) -> bool:
    return working.done() and (working.cancelled() or working.exception() is not None)


def _failure(response: Response) -> str:
    """What a response that is an error says, in one line, whatever its status is; "" for one that went well."""
    if response.is_error:
        return f"{_status(response)}: {excerpt(response, 200)}"
    with _as_parsed_as_before(response):
        message = failure_of(response)
    return f"{_status(response)}, and the API says that it failed: {redact(message, response)}" if message else ""


def _status(response: Response) -> str:
    return f"{response.status_code} {redact(response.reason_phrase, response)}"


@contextlib.contextmanager
def _as_parsed_as_before(response: Response) -> Iterator[None]:
    """No body stays parsed that was not so before: there are many, and each is several times as large as its text."""
    was_parsed = response.is_parsed
    try:
        yield
    finally:
        if not was_parsed:
            response.forget_parsed()


def as_urls(targets: str | Iterable[str], rows: Any) -> list[str]:
    """The URLs of `gather`'s arguments: a template and rows, or URLs as they are."""
    if isinstance(targets, str):
        if rows is None:
            raise RequestFailed("gather() takes several URLs, or one template such as '…/users/{id}' and rows=.")
        return urls_of(targets, rows)
    return [str(target) for target in targets]
