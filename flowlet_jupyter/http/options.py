"""The options of the helper's functions, with their types, in one place for sync and async."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypedDict, TypeVar, get_type_hints

import httpx

from flowlet_jupyter.errors import InvalidOption
from flowlet_jupyter.model.suggestion import did_you_mean
from flowlet_jupyter.session import Session

_F = TypeVar("_F", bound=Callable[..., Any])
Cache = bool | float | str
Params = Mapping[str, Any] | Sequence[tuple[str, Any]] | httpx.QueryParams | str | None


class HttpOptions(TypedDict, total=False):
    """Options of every function that sends: those of `httpx.Client.request`, and the session."""

    headers: Mapping[str, str] | Sequence[tuple[str, str]] | httpx.Headers | None
    cookies: Any
    auth: Any
    timeout: float | tuple[float | None, float | None, float | None, float | None] | httpx.Timeout | None
    follow_redirects: bool
    extensions: Mapping[str, Any] | None
    session: Session | None


class BodyOptions(HttpOptions, total=False):
    """And a body."""

    data: Mapping[str, Any] | None
    content: str | bytes | Iterable[bytes] | AsyncIterable[bytes] | None
    files: Any


class AsyncSeriesOptions(BodyOptions, total=False):
    """Options of a series of requests that are not its own."""

    retry_any: bool


class SeriesOptions(AsyncSeriesOptions, total=False):
    """The same, with what only the sync functions have."""

    cache: Cache
    insecure: bool


class GatherOptions(SeriesOptions, total=False):
    """Options of `gather` that are not its own."""

    params: Params
    json: Any


class DownloadOptions(HttpOptions, total=False):
    """Options of `download`."""

    params: Params
    retry: int


class FetchOptions(SeriesOptions, total=False):
    """Options of `fetch_df` that are not its own."""

    method: str
    params: Mapping[str, Any] | None
    json: Any
    retry: int
    max_pages: int | None
    max_items: int | None
    concurrency: int
    progress: bool


class AsyncRequestOptions(AsyncSeriesOptions, total=False):
    """Options of `arequest` and the async verbs."""

    secret: str | None
    params: Params
    json: Any
    retry: int


class RequestOptions(AsyncRequestOptions, total=False):
    """Options of `request` and the verbs."""

    cache: Cache
    insecure: bool


def shows(options: Any) -> Callable[[_F], _F]:
    """Let `flowlet.get?` and the completion of a running kernel see the options that type checkers see."""

    def decorate(function: _F) -> _F:
        signature = inspect.signature(function)
        own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
        function.__signature__ = signature.replace(parameters=[*own, *_parameters(options)])  # type: ignore[attr-defined]  # of every function
        return function

    return decorate


def refuse_unknown(function: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Raise `InvalidOption` for one of `options` that `function`, which the user called, does not have.

    Else it would come to a function further inside, whose name the user never wrote.
    """
    known = inspect.signature(function).parameters
    for name in options.keys() - known.keys():
        advice = did_you_mean(name, known, otherwise=f"See: flowlet.{function.__name__}?")
        raise InvalidOption(f"{function.__name__}() has no option '{name[:50]}'. {advice} Nothing was sent.")


@functools.cache  # the verbs share theirs, and each first request waits for this
def _parameters(options: Any) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)
        for name, hint in get_type_hints(options).items()
    ]
