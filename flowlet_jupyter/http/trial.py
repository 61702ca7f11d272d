"""One harmless request with a secret, for "Test" and a form's last step: whether the API takes it, and as whose."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, replace
from http.client import responses
from urllib.parse import urljoin, urlsplit

import httpx

from flowlet_jupyter.errors import HostNotAllowed, RequestFailed, UsageError, printable
from flowlet_jupyter.http.account_name import account_in
from flowlet_jupyter.http.identity import keep_identity
from flowlet_jupyter.http.rate_limit import pause_of
from flowlet_jupyter.http.single_request import request_once
from flowlet_jupyter.model.challenge import challenge_of
from flowlet_jupyter.model.hosts import check_destination
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.redaction import HIDDEN, SentValues
from flowlet_jupyter.model.secret import Record, base_url_of, configuration, host_rules
from flowlet_jupyter.oauth.bounded_request import BoundedResponse
from flowlet_jupyter.providers.matching import harmless_request
from flowlet_jupyter.session.shielded import shielded
from flowlet_jupyter.tables.charset import decode
from flowlet_jupyter.tables.error_bodies import error_in
from flowlet_jupyter.tables.error_messages import message_of
from flowlet_jupyter.vault import Vault

_TIMEOUT_SECONDS = 15.0
_MAX_BYTES = 64_000  # of the body; a longer one is a list, and names nobody
_MAX_CHARACTERS = 300
_MAX_PATH = 80
_PLAIN = re.compile(r"[A-Za-z0-9/:.?&=%_~,@+-]+")  # what a line magic takes without quotes
_PAGE = re.compile(rb"\s*(?:\xef\xbb\xbf)?<(?:!doctype html|html)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How an API responded to the request.

    `outcome` is "works", "refused" if it did not take the credentials, or "unclear" if the response says nothing of them.
    """

    method: str
    host: str
    path: str  # without the query
    status: int
    reason: str
    outcome: str
    identity: str = ""  # the user whom the response names
    error_text: str = ""  # the API's own; without the values that were sent
    next_step: str = ""

    def __str__(self) -> str:
        location = f"{self.host}{self.path}"
        if self.outcome == "works":
            message = f"Connected as {self.identity}." if self.identity else "It works:"
            return f"{message} {self.status} from {location}"
        error_text = f": {self.error_text.rstrip('.')}" if self.error_text else ""
        return f"{self.status} {self.reason} from {location}{error_text}. {self.next_step}".strip()


@shielded("test request")
def try_secret(vault: Vault, name: str, *, url: str = "") -> Trial:
    """Send one GET with the secret `name`: to `url`, its catalogue entry's, its identity URL, base URL or first host.

    Redirects are not followed. Of the response the status is read and the beginning of the body, for the user whom it names
    and the text of an error. Raises `UsageError` if the secret names nothing to ask, `AuthRequired`, `HostNotAllowed`,
    `RequestFailed` and what else a request with the secret raises.
    """
    record = vault.get(name)
    asked = harmless_request(configuration(record.secret))
    url = url or asked.url or _harmless_url(record)
    try:
        response = request_once(
            vault,
            name,
            "GET",
            url,
            accept="application/json, */*;q=0.5",
            seconds=_TIMEOUT_SECONDS,
            keep_bytes=_MAX_BYTES,
        )
    except httpx.HTTPError as error:
        problem = type(error).__name__
    else:
        trial = _trial_of(response, url, record, asked.identity_name if url == asked.url else "")
        if trial.identity:
            keep_identity(vault, name, trial.identity)
        return trial
    # outside, so that the request, which holds the credentials, is in no chain of exceptions
    raise RequestFailed(f"The request to {urlsplit(url).netloc} failed: {problem}. The secret '{name}' is as it was.")


def _trial_of(response: BoundedResponse, url: str, record: Record, identity_name: str) -> Trial:
    sent, status = response.sent_values, response.status
    parts = urlsplit(url)
    path = printable(sent.redact(parts.path))
    trial = Trial(
        method="GET", host=parts.netloc, path=path if len(path) <= _MAX_PATH else f"{path[:_MAX_PATH]}…", status=status,
        reason=responses.get(status, ""), outcome="unclear",
    )  # fmt: skip
    # first the values, then what stands in the rest: a value that is cut in two would be recognised no more
    content, media_type = sent.redact_bytes(response.content), response.headers.get("content-type", "")
    if not 200 <= status < 300:
        return replace(trial, error_text=_in_one_line(message_of(content, media_type), sent), outcome=_outcome_of(status),
                       next_step=_next_step(response, url, record))  # fmt: skip
    try:
        body = json.loads(decode(content).text)
    except (ValueError, RecursionError):
        body = None
    if problem := error_in(body):
        return replace(trial, error_text=_in_one_line(problem, sent), outcome="refused",
                       next_step=f"The API answered {status} and says that it failed. {_look_again(record)}")  # fmt: skip
    if "html" in media_type or _PAGE.match(content):
        return replace(trial, error_text=_in_one_line(message_of(content, "text/html"), sent),
                       next_step="A web page, which says nothing of the secret: give it a base URL whose response needs it.")  # fmt: skip
    secret, token_set = record.secret, record.token_set
    if isinstance(secret, OAuth2) and url == secret.identity_url:
        identity_name = secret.identity_name or identity_name
    identity = sent.redact(account_in(body, url=url, path=identity_name))
    if HIDDEN in identity:
        identity = ""
    return replace(trial, outcome="works", identity=identity or ((token_set and token_set.identity) or ""))


def _in_one_line(text: str, sent: SentValues) -> str:
    """A text of the API's in one line, of bounded length, and without what could steer a terminal."""
    text = printable(" ".join(sent.redact(text).split()))
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…"


def _outcome_of(status: int) -> str:
    return "refused" if status in {401, 403} else "unclear"


def _look_again(record: Record) -> str:
    if isinstance(record.secret, OAuth2):
        return "Request an access token again; if it is refused as well, look at the scope and the account."
    return "Look whether the value was copied whole and has not ended, and give it again."


def _next_step(response: BoundedResponse, url: str, record: Record) -> str:
    """What the status means for the secret, and what to do."""
    status = response.status
    if status == 401:
        return f"The API does not take this secret. {_look_again(record)}"
    if status == 403:
        return _lacking(response) or f"The API does not allow this secret what was asked for. {_look_again(record)}"
    if status == 429:
        wait = pause_of(status, response.headers, now=time.time())
        step = f"Too many requests: try again {f'in {wait:.0f} s' if wait else 'later'}"
    elif status in {404, 410}:
        step = "Nothing is there, or it is not shown to this secret: look at the base URL"
    elif 300 <= status < 400:
        step = f"The API sends on to {_target(response, url)}, which may be a page to log in: look at the base URL"
    elif status >= 500:
        step = "The API failed on its own side: try again later"
    else:
        step = "The API wants another request than this one: try one of your own"
    return f"{step}; the secret may be right all the same."


def _lacking(response: BoundedResponse) -> str:
    scopes = challenge_of(response.headers).scope or response.headers.get("x-accepted-oauth-scopes", "").strip()
    return f"The secret lacks a scope: {printable(response.sent_values.redact(scopes)[:200])}." if scopes else ""


def _target(response: BoundedResponse, url: str) -> str:
    try:
        host = urlsplit(urljoin(url, response.headers.get("location", ""))).hostname
    except ValueError:
        host = None
    return printable(response.sent_values.redact(host or ""))[:100] or "another address"


def example_url(record: Record) -> str | None:
    """The harmless request's URL as a cell would name it, relative to the base URL; None if the secret may not go there.

    A host alone is no example: its front page shows nothing.
    """
    url = harmless_request(configuration(record.secret)).url or _known_url(record)
    try:
        parts = urlsplit(url)
        check_destination(record.secret.name, host_rules(record.secret),
                          scheme=parts.scheme, host=parts.hostname or "", port=parts.port)  # fmt: skip
    except (HostNotAllowed, ValueError):
        return None
    base = (base_url_of(record) or "").rstrip("/")
    if base and (url == base or url.startswith(f"{base}/")):
        url = url.removeprefix(base) or "/"
    return url if _PLAIN.fullmatch(url) else None


def _known_url(record: Record) -> str:
    secret = record.secret
    if isinstance(secret, OAuth2) and secret.identity_url and secret.identity_method == "GET":
        return secret.identity_url
    return base_url_of(record) or ""


def _harmless_url(record: Record) -> str:
    if url := _known_url(record):
        return url
    secret = record.secret
    host = next((host for host in secret.allowed_hosts if not host.startswith("*.")), None)
    if host is None:
        raise UsageError(f"Secret '{secret.name}' names no host to ask. Give it a base URL.")
    return f"https://{host}/"
