"""The verbs of the helper: `get`, `post`, ... and their async twins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Unpack
from urllib.parse import urlsplit

import httpx

from flowlet_jupyter.errors import InvalidOption, RequestFailed
from flowlet_jupyter.http import caching, har
from flowlet_jupyter.http.client import ClientPool
from flowlet_jupyter.http.options import AsyncRequestOptions, Cache, RequestOptions, shows
from flowlet_jupyter.http.outgoing import json_bytes, pairs_of, text_of
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.http.retries import retry_of
from flowlet_jupyter.model.hosts import is_loopback
from flowlet_jupyter.model.secret import base_url_of
from flowlet_jupyter.session import Session, default_session
from flowlet_jupyter.settings.browser import is_in_browser

_SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*://")  # RFC 3986, 3.1; a query may hold a URL


def absolute(url: str, secret: str | None, *, session: Session | None = None) -> str:
    """`url`, or the secret's base URL with the path `url` behind it."""
    if _SCHEME.match(url):
        return url
    vault = (session or default_session()).vault
    base_url = base_url_of(vault.get(secret)) if secret is not None else None
    if base_url is None:
        of = f"secret '{secret}' has no base URL" if secret else "no secret is named"
        raise RequestFailed(f"The URL '{url[:200]}' is only a path, and {of}. Write it with https:// and its host.")
    return f"{base_url.rstrip('/')}/{url.lstrip('/')}"


@shows(RequestOptions)
def request(method: str, url: str, **options: Unpack[RequestOptions]) -> Response:
    """Send a request with the credentials of the secret named `secret`, or with none.

    `retry`: how often to try again after 429, 502, 503, 504 or a broken connection, waiting as the API asks; POST and
    PATCH only with `retry_any`. `cache`: how old a cached response may be ("1h", seconds; True is an hour). `insecure`:
    do not check the server's certificate, which no secret is sent to. `session`: another one than the default. The other
    options are those of `httpx.Client.request`: params (added to the URL's query), headers, json, data, content, files,
    timeout (seconds), follow_redirects.
    Raises `FlowletError`: `HostNotAllowed`, `AuthRequired`, `TokenEndpointError`, `RequestFailed` and others.
    """
    arguments: dict[str, Any] = dict(options)
    session, secret = arguments.pop("session", None) or default_session(), arguments.pop("secret", None)
    insecure = bool(arguments.pop("insecure", False))
    if insecure:
        _refuse_insecure(absolute(url, secret, session=session), secret)
    write_values(arguments)
    extend(arguments, cache=arguments.pop("cache", False))
    try:
        address = with_params(absolute(url, secret, session=session), arguments)
        response = _ours(session.part(ClientPool).get(secret, insecure=insecure).ask(method, address, **arguments))
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        failure = failed(method, url, error)
    else:
        har.record(response, session=session)
        return response
    raise failure


@shows(AsyncRequestOptions)
async def arequest(method: str, url: str, **options: Unpack[AsyncRequestOptions]) -> Response:
    """The async twin of `request`; without `cache` and `insecure`."""
    arguments: dict[str, Any] = dict(options)
    session, secret = arguments.pop("session", None) or default_session(), arguments.pop("secret", None)
    for name in ("cache", "insecure"):
        if arguments.pop(name, False):
            raise RequestFailed(f"The option {name} works with {method.lower()}(), not with a{method.lower()}().")
    write_values(arguments)
    extend(arguments)
    try:
        address = with_params(absolute(url, secret, session=session), arguments)
        response = _ours(await session.part(ClientPool).get_async(secret).ask(method, address, **arguments))
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        failure = failed(method, url, error)
    else:
        har.record(response, session=session)
        return response
    raise failure


def extend(options: dict[str, Any], *, cache: Cache = False) -> None:
    """Put what our transports are to do into the request's extensions: the options `retry`, `retry_any` and `cache`."""
    retry, retry_any = options.pop("retry", 0), options.pop("retry_any", False)
    extensions = dict(options.pop("extensions", None) or {})
    if retry:
        extensions["retry"] = retry_of(retry, any_method=retry_any)
    if cache:
        extensions[caching.EXTENSION] = caching.age_of("1h" if cache is True else str(cache))
    if extensions:
        options["extensions"] = extensions


def with_params(url: str, options: dict[str, Any]) -> str:
    """`url` with the option `params` put into its query: httpx would put them in the place of a query that is there."""
    params = options.pop("params", None)
    if not params:
        return url
    if isinstance(params, str | bytes | httpx.QueryParams):
        return str(httpx.URL(url).copy_merge_params(params))
    try:
        query = httpx.QueryParams(tuple(pairs_of(params)))
    except ValueError as error:
        raise RequestFailed(f"The parameter {error}. Nothing was sent.") from None
    if query and "?" not in url and "#" not in url:
        return f"{url}?{query}"  # the same, and the URL is parsed once instead of three times: a tenth of a fast page
    return str(httpx.URL(url).copy_merge_params(query))


def write_values(options: dict[str, Any]) -> None:
    """Write the options json, headers and data as they are sent: dates, Decimals, numpy's and pandas' values among them.

    Raises `RequestFailed`, which names what cannot be sent.
    """
    option = "json"
    try:
        if (body := options.pop("json", None)) is not None:
            headers = httpx.Headers(_texts(options.get("headers")))
            headers.setdefault("Content-Type", "application/json")
            options |= {"content": json_bytes(body), "headers": headers}
        option = "headers"
        if options.get("headers") is not None:
            options["headers"] = _texts(options["headers"])
        option = "data"
        if isinstance(options.get("data"), Mapping):
            fields: dict[str, Any] = {}
            for name, text in pairs_of(options["data"]):
                fields.setdefault(name, []).append(text)
            options["data"] = fields
    except (ValueError, RecursionError) as error:
        raise RequestFailed(f"The option {option}: {error}. Nothing was sent.") from None


def _texts(headers: Any) -> Any:
    """Headers with their values as text; those that are None are left out."""
    if headers is None or isinstance(headers, httpx.Headers):
        return headers
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return [(name, value if isinstance(value, bytes) else text_of(value)) for name, value in pairs if value is not None]


def _refuse_insecure(address: str, secret: str | None) -> None:
    if secret is not None and not is_loopback(urlsplit(address).hostname or ""):
        raise InvalidOption(
            f"Secret '{secret}' is not sent where nobody checks who answers. If the server has a certificate of your "
            "organisation, name its authority: SSL_CERT_FILE=/path/to/ca.pem before the kernel starts."
        )


def _ours(response: httpx.Response) -> Response:
    assert isinstance(response, Response)  # noqa: S101 - our transports answer with nothing else
    return response


def failed(method: str, url: str, error: Exception) -> RequestFailed:
    """An error of httpx as ours, with what to do."""
    where = f"{method.upper()} {url.split('?', maxsplit=1)[0][:200]}"
    if isinstance(error, httpx.TimeoutException):
        return RequestFailed(f"{where}: no response in time ({type(error).__name__}). Give it longer with timeout=.")
    if isinstance(
        error, httpx.InvalidURL | httpx.UnsupportedProtocol | UnicodeError
    ):  # idna's errors are UnicodeErrors
        return RequestFailed(f"{where}: this is not a URL that can be requested ({error}).")
    advice = "Check the host and the network."
    if is_in_browser():
        advice += " In a browser an API answers only pages that it names (CORS); many name none."
    return RequestFailed(f"{where}: {error} ({type(error).__name__}). {advice}")


@shows(RequestOptions)
def get(url: str, **options: Unpack[RequestOptions]) -> Response:
    """Send a GET request; see `flowlet.request`."""
    return request("GET", url, **options)


@shows(RequestOptions)
def post(url: str, **options: Unpack[RequestOptions]) -> Response:
    """Send a POST request; see `flowlet.request`."""
    return request("POST", url, **options)


@shows(RequestOptions)
def put(url: str, **options: Unpack[RequestOptions]) -> Response:
    """Send a PUT request; see `flowlet.request`."""
    return request("PUT", url, **options)


@shows(RequestOptions)
def patch(url: str, **options: Unpack[RequestOptions]) -> Response:
    """Send a PATCH request; see `flowlet.request`."""
    return request("PATCH", url, **options)


@shows(RequestOptions)
def delete(url: str, **options: Unpack[RequestOptions]) -> Response:
    """Send a DELETE request; see `flowlet.request`."""
    return request("DELETE", url, **options)


@shows(RequestOptions)
def head(url: str, **options: Unpack[RequestOptions]) -> Response:
    """Send a HEAD request; see `flowlet.request`."""
    return request("HEAD", url, **options)


@shows(AsyncRequestOptions)
async def aget(url: str, **options: Unpack[AsyncRequestOptions]) -> Response:
    """Send a GET request; see `flowlet.arequest`."""
    return await arequest("GET", url, **options)


@shows(AsyncRequestOptions)
async def apost(url: str, **options: Unpack[AsyncRequestOptions]) -> Response:
    """Send a POST request; see `flowlet.arequest`."""
    return await arequest("POST", url, **options)


@shows(AsyncRequestOptions)
async def aput(url: str, **options: Unpack[AsyncRequestOptions]) -> Response:
    """Send a PUT request; see `flowlet.arequest`."""
    return await arequest("PUT", url, **options)


@shows(AsyncRequestOptions)
async def apatch(url: str, **options: Unpack[AsyncRequestOptions]) -> Response:
    """Send a PATCH request; see `flowlet.arequest`."""
    return await arequest("PATCH", url, **options)


@shows(AsyncRequestOptions)
async def adelete(url: str, **options: Unpack[AsyncRequestOptions]) -> Response:
    """Send a DELETE request; see `flowlet.arequest`."""
    return await arequest("DELETE", url, **options)


@shows(AsyncRequestOptions)
async def ahead(url: str, **options: Unpack[AsyncRequestOptions]) -> Response:
    """Send a HEAD request; see `flowlet.arequest`."""
    return await arequest("HEAD", url, **options)
