"""What httpcore logs of a response at DEBUG: its headers as they came, or what is not HTTP in it.

An API may repeat there what it was sent.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar

# of the task or thread that is sending; a logger's filter is told nothing else about the request
_IS_SENDING_VALUES: ContextVar[bool] = ContextVar("is_sending_values", default=False)
_LOGGERS = tuple(map(logging.getLogger, ("httpcore.http11", "httpcore.http2")))


class _WithoutResponseHeaders(logging.Filter):
    """Drops the one record that has the headers, and leaves of a failure its kind."""

    def filter(self, record: logging.LogRecord) -> bool:
        event, is_failure, error = str(record.msg).partition(".failed exception=")
        if is_failure:  # while the body is read as well, when nobody knows for which request
            record.msg = f"{event}{is_failure}{error.partition('(')[0]}"
        return not (_IS_SENDING_VALUES.get() and "receive_response_headers.complete" in str(record.msg))


_FILTER = _WithoutResponseHeaders()


@contextlib.contextmanager
def without_response_headers() -> Iterator[None]:
    """For the block, which sends a value, no record of httpcore's has the headers of the response."""
    for logger in _LOGGERS:
        logger.addFilter(_FILTER)  # which it takes once, and which a new configuration of logging may have taken away
    token = _IS_SENDING_VALUES.set(True)
    try:
        yield
    finally:
        _IS_SENDING_VALUES.reset(token)
