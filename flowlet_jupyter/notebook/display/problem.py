"""Of an error response: what the API says, what it means, and the next cell to run. Pure."""

from __future__ import annotations

import dataclasses
import re
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.credentials.redaction import is_sensitive, redact
from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.frames import error_of, partial_of
from flowlet_jupyter.http.rate_limit import rate_limit_of, retry_after_of
from flowlet_jupyter.http.response import redacted
from flowlet_jupyter.model.challenge import Challenge, challenge_of
from flowlet_jupyter.notebook.display.summary import status_line
from flowlet_jupyter.tables.error_messages import message_of

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response

_MAX_CHARACTERS = 500
_LACKS_SCOPE = re.compile("scope", re.IGNORECASE)  # insufficient_scope, missing_scope, ACCESS_TOKEN_SCOPE_INSUFFICIENT


@dataclass(frozen=True)
class Problem:
    """Each is "" where nothing is known; `next_cell` is a line to run."""

    error_text: str = ""
    meaning: str = ""
    next_cell: str = ""


def problem_of(response: Response) -> Problem | None:
    """What is wrong; None for a success whose body says neither that it failed nor that it is only a part."""
    if response.is_error:
        meaning, next_cell = _MEANINGS.get(response.status_code, _other)(response)
        return Problem(_error_text(response), meaning, next_cell)
    if not response.is_parsed and len(response.content) >= _LOOKED_THROUGH:
        return None  # a long body is not parsed for a look at it
    if error_text := error_of(response):
        return Problem(
            error_text[:_MAX_CHARACTERS], f"The API answered {response.status_code} and says that it failed."
        )
    if part := partial_of(response):
        return Problem(part[:_MAX_CHARACTERS], f"The API answered {response.status_code} with a part only.")
    return None


_LOOKED_THROUGH = 100_000  # bytes


def explanation(response: Response) -> list[str]:
    """The same as sentences; nothing for a success."""
    problem = problem_of(response)
    if problem is None:
        return []
    next_cell = f"Next: {problem.next_cell}" if problem.next_cell else ""
    return [text for text in (problem.error_text, " ".join(filter(None, [problem.meaning, next_cell]))) if text]


def as_error(response: Response, consequence: str = "") -> str:
    """The status and what the API said of it, redacted, as one line; `consequence` says what did not happen."""
    shown = redacted(response)
    return " ".join(filter(None, [f"{status_line(shown)}.", consequence, *explanation(shown)]))


# what the API says


def _error_text(response: Response) -> str:
    return message_of(response.content, response.headers.get("content-type", ""), response.charset_encoding)


# what it means, and what to run


def request_line(response: Response, *options: str, method: str | None = None) -> str:
    """The line that sends the request again with more `options`; "" where a line cannot hold it (a body, a credential)."""
    if not response.has_request:
        return ""
    request = response.request
    url = str(request.url)
    sends_body = bool(request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers)
    holds_credential = redact(url, response) != url or any(is_sensitive(name) for name in request.url.params)
    if sends_body or "{{" in url or holds_credential:
        return ""
    method = method or request.method
    tokens = ["%flowlet_request", *([] if method == "GET" else [method]), shlex.quote(url)]
    if response.secret_name and "--no-secret" not in options:
        tokens += ["--secret", shlex.quote(response.secret_name)]
    return " ".join([*tokens, *options])


def _look_at_secret(response: Response) -> str:
    return f"%flowlet_secret {response.secret_name}" if response.secret_name else ""


def _unauthorized(response: Response) -> tuple[str, str]:
    challenge = challenge_of(response.headers)
    if challenge.error == "insufficient_scope":
        return _forbidden(response)
    if response.secret_name and challenge.error == "insufficient_user_authentication":
        return _step_up(challenge), _connect_line(response, challenge)
    if response.secret_name is None:
        return "The API wants credentials: name a secret, --secret NAME.", request_line(response, "--secret", "NAME")
    meaning = (
        f"The API does not accept the credentials of secret '{response.secret_name}'. Look at it, and connect again."
    )
    return meaning, _look_at_secret(response)


def _step_up(challenge: Challenge) -> str:
    """RFC 9470: the token is good, the login behind it is too old or of the wrong kind."""
    conditions = []
    if challenge.max_age:
        conditions.append(f"no older than {challenge.max_age} s")
    if challenge.acr_values:
        conditions.append(f"of the kind {challenge.acr_values[:200]}")
    asked = f": one {' and '.join(conditions)}" if conditions else ""
    return f"The API wants another login for this{asked}. Connect again, and log in at the provider as it asks."


def _connect_line(response: Response, challenge: Challenge) -> str:
    """The line that asks for what the API named, beside what the secret asks for already."""
    named = (("--scope", challenge.scope), ("--acr-values", challenge.acr_values), ("--max-age", challenge.max_age))
    options = [word for option, text in named if text for word in (option, shlex.quote(text))]
    return " ".join(["%flowlet_secret", shlex.quote(response.secret_name or ""), "--connect", *options])


def _forbidden(response: Response) -> tuple[str, str]:
    challenge = challenge_of(response.headers)
    scopes = challenge.scope or _scopes_in_body(response)
    if scopes and response.secret_name:
        meaning = f"These credentials lack a scope: {scopes[:200]}. Connect again with it; the others stay asked for."
        return meaning, _connect_line(response, dataclasses.replace(challenge, scope=scopes))
    if challenge.error == "insufficient_user_authentication" and response.secret_name:
        return _step_up(challenge), _connect_line(response, challenge)
    # GitHub: any one of these
    if scopes := scopes or response.headers.get("x-accepted-oauth-scopes", "").strip():
        return (
            f"These credentials lack a scope: {scopes[:200]}. Add it to the secret and connect again.",
            _look_at_secret(response),
        )
    if response.secret_name and (
        challenge.error == "insufficient_scope" or _LACKS_SCOPE.search(_code_in_body(response))
    ):
        return (
            "These credentials lack a scope, and the API does not say which. Its documentation may; add it to the secret.",
            _look_at_secret(response),
        )
    if response.secret_name is None:
        return "Nobody may do this without credentials: name a secret.", request_line(response, "--secret", "NAME")
    return "These credentials are not allowed this: perhaps a scope is missing.", _look_at_secret(response)


def _scopes_in_body(response: Response) -> str:
    """The scopes that a JSON error says are missing, where the API has no challenge; empty if it names none."""
    error = _error_in_body(response)
    if not _LACKS_SCOPE.search(_code_in_body(response)):
        return ""
    for name in ("scope", "required_scopes", "required_scope", "requiredScopes", "scopes", "needed", "missing_scopes"):
        value = error.get(name)
        text = " ".join(map(str, value)) if isinstance(value, list) else value
        if isinstance(text, str) and text.strip():
            return " ".join(text.replace(",", " ").split())
    return ""


def _error_in_body(response: Response) -> dict[str, Any]:
    try:
        body = response.json()
    except RequestFailed:
        return {}
    inner = body.get("error") if isinstance(body, dict) else None
    return inner if isinstance(inner, dict) else body if isinstance(body, dict) else {}


def _code_in_body(response: Response) -> str:
    error = _error_in_body(response)
    code = error.get("error") or error.get("code")
    return code if isinstance(code, str) else ""


def _limited(response: Response) -> tuple[str, str]:
    now = time.time()
    limit = rate_limit_of(response.headers, now=now)
    wait = retry_after_of(response.headers, now=now)
    if wait is None and limit is not None and limit.resets_at is not None:
        wait = max(limit.resets_at - now, 0.0)
    when = f" The API asks to wait {wait:.0f} s." if wait is not None else ""
    return f"Too many requests.{when} --retry 3 waits as long as the API asks.", request_line(response, "--retry", "3")


def _unavailable(response: Response) -> tuple[str, str]:
    return "The API is out of order or overloaded for now. --retry 3 tries again.", request_line(
        response, "--retry", "3"
    )


def _not_found(response: Response) -> tuple[str, str]:
    return (
        "There is nothing at this path, or it is not shown to these credentials. Compare the path with the API's documentation.",
        request_line(response, "--dry-run"),
    )


def _gone(_response: Response) -> tuple[str, str]:
    return "What was at this path is there no more; the API's documentation may name what took its place.", ""


def _not_accepted(response: Response) -> tuple[str, str]:
    meaning = (
        "The API understood the request and refuses what it asks for: a parameter or a field is missing or wrong. "
        "What was sent stands under Request."
    )
    return meaning, request_line(response, "--dry-run")


def _not_allowed(response: Response) -> tuple[str, str]:
    allowed = [method.strip().upper() for method in response.headers.get("allow", "").split(",") if method.strip()]
    if not allowed:
        return "This path does not take this method.", ""
    next_cell = request_line(response, method="GET") if "GET" in allowed else ""
    return f"This path takes other methods: {', '.join(allowed)[:100]}.", next_cell


def _media_type(response: Response) -> tuple[str, str]:
    direction = "give" if response.status_code == 406 else "take"
    header = "Accept" if response.status_code == 406 else "Content-Type"
    return f"The API does not {direction} this media type; the header {header} says which one is meant.", ""


def _conflict(_response: Response) -> tuple[str, str]:
    return "This is there already, or it was changed meanwhile. Read it again before it is changed.", ""


def _too_large(_response: Response) -> tuple[str, str]:
    return "The body is larger than the API takes; send less at once.", ""


def _failed(response: Response) -> tuple[str, str]:
    meaning = (
        "The API failed on its own side. The same request may succeed later; if it does not, tell whoever runs the API."
    )
    return meaning, request_line(response, "--retry", "3")


def _other(response: Response) -> tuple[str, str]:
    if response.status_code >= 500:
        return _failed(response)
    return "The API refuses this request.", ""


_MEANINGS: dict[int, Callable[[Response], tuple[str, str]]] = {
    400: _not_accepted, 401: _unauthorized, 403: _forbidden, 404: _not_found, 405: _not_allowed, 406: _media_type,
    409: _conflict, 410: _gone, 412: _conflict, 413: _too_large, 415: _media_type, 422: _not_accepted, 429: _limited,
    500: _failed, 502: _unavailable, 503: _unavailable, 504: _unavailable,
}  # fmt: skip
EXPLAINED_STATUSES = tuple(_MEANINGS)
