"""Many requests side by side: bounded, in order, with what failed beside what went well."""

from __future__ import annotations

import itertools
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from flowlet_jupyter.credentials.redaction import excerpt, redact
from flowlet_jupyter.errors import FlowletError, InterpolationError, RequestFailed
from flowlet_jupyter.http.outgoing import is_missing, path_text
from flowlet_jupyter.http.progress import Progress, countdown
from flowlet_jupyter.http.rate_limit import pause_of
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.http.retries import LONGEST_WAIT_SECONDS
from flowlet_jupyter.tables.frames import frame_of, with_dates
from flowlet_jupyter.tables.packed import frame_of_parts

if TYPE_CHECKING:
    import pandas as pd

_MAX_REFUSALS = 5
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
        self,
        urls: Sequence[str],
        send: Callable[[str], Response],
        *,
        concurrency: int,
        errors: Literal["collect", "raise"],
    ) -> None:
        self.urls = list(urls)
        self._send = send
        self._concurrency = concurrency
        self._raises = errors == "raise"
        self._outcomes: list[Outcome] = [None] * len(self.urls)
        self._pause_until = 0.0
        self._refused: dict[int, int] = {}  # index -> how often the rate limit sent it back

    def __getitem__(self, index: Any) -> Any:
        return self._outcomes[index]

    def __len__(self) -> int:
        return len(self._outcomes)

    def __repr__(self) -> str:
        open_ = f", {self._outcomes.count(None)} not asked for: resume() goes on" if not self.complete else ""
        return f"<gathered: {len(self.responses)} of {len(self)} went well, {len(self.errors)} failed{open_}>"

    @property
    def complete(self) -> bool:
        """Whether every URL was asked for."""
        return None not in self._outcomes

    @property
    def responses(self) -> list[Response]:
        """Those that went well, in order."""
        return [outcome for outcome in self._outcomes if isinstance(outcome, Response) and not outcome.is_error]

    @property
    def errors(self) -> dict[str, FlowletError]:
        """Those that failed: URL -> error."""
        return dict(self._failures())

    def _failures(self) -> Iterator[tuple[str, FlowletError]]:
        for url, outcome in zip(self.urls, self._outcomes, strict=True):
            if isinstance(outcome, FlowletError):
                yield url, outcome
            elif outcome is not None and outcome.is_error:
                yield url, RequestFailed(_quoted(outcome))

    def to_df(self, path: str | None = None, *, dates: bool = False) -> pd.DataFrame:
        """The records of all that went well as one DataFrame; the column `url` says where each comes from."""
        frame = frame_of_parts(self._rows(path))
        if frame is None:
            return frame_of(list(itertools.chain.from_iterable(self._rows(path))), dates=dates)
        return with_dates(frame) if dates else frame

    def _rows(self, path: str | None) -> Iterator[list[dict[str, Any]]]:
        """The records of each that went well; no body stays parsed that was not so before."""
        for url, outcome in zip(self.urls, self._outcomes, strict=True):
            if not isinstance(outcome, Response) or outcome.is_error:
                continue
            was_parsed = outcome.is_parsed
            records = outcome.records(path)
            if not was_parsed:
                outcome.forget_parsed()
            yield [{"url": url, **(record if isinstance(record, dict) else {"value": record})} for record in records]

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
        running: dict[Future[Response], int] = {}
        failed = 0
        pool = ThreadPoolExecutor(self._concurrency, thread_name_prefix="flowlet: gather")
        try:
            with Progress("Requests", unit="requests", total=len(indices)) as progress:
                while indices or running:
                    while indices and len(running) < self._concurrency:
                        index = indices.popleft()
                        running[pool.submit(self._send, self.urls[index])] = index
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        index = running.pop(future)
                        outcome = self._take(index, future)
                        if outcome is None:
                            indices.appendleft(index)
                            continue
                        failed += not isinstance(outcome, Response) or outcome.is_error
                        progress.add(1, f"{failed} failed" if failed else "")
                    self._wait_for_the_limit()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return self

    def _take(self, index: int, future: Future[Response]) -> Outcome:
        """Keep the outcome; None if the rate limit refused the request and it is to be sent again. Raises if told to."""
        try:
            response = future.result()
        except FlowletError as error:
            self._outcomes[index] = error
            if self._raises:
                raise
            return error
        pause = pause_of(response.status_code, response.headers, now=time.time())
        if response.status_code == 429:
            self._refused[index] = tries = self._refused.get(index, 0) + 1
            pause = min(pause or 2.0**tries, LONGEST_WAIT_SECONDS)
            if tries <= _MAX_REFUSALS:
                self._pause_until = max(self._pause_until, time.monotonic() + pause)
                return None
        self._pause_until = max(self._pause_until, time.monotonic() + pause)
        self._outcomes[index] = response
        if self._raises and response.is_error:
            raise RequestFailed(f"{self.urls[index][:200]}: {_quoted(response)}")
        return response

    def _wait_for_the_limit(self) -> None:
        left = self._pause_until - time.monotonic()
        if left > 0:
            countdown(left, "The API's rate limit is used up: next request in")


def _quoted(response: Response) -> str:
    """What an error response says, in one line."""
    return f"{response.status_code} {redact(response.reason_phrase, response)}: {excerpt(response, 200)}"


def as_urls(targets: str | Iterable[str], rows: Any) -> list[str]:
    """The URLs of `gather`'s arguments: a template and rows, or URLs as they are."""
    if isinstance(targets, str):
        if rows is None:
            raise RequestFailed("gather() takes several URLs, or one template such as '…/users/{id}' and rows=.")
        return urls_of(targets, rows)
    return [str(target) for target in targets]
