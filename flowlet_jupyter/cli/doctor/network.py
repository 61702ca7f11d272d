"""Proxies, certificates; and, when asked, whether the providers are reached and the clock agrees with theirs."""

from __future__ import annotations

import importlib.util
import os
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from flowlet_jupyter.cli.doctor.finding import Finding
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.oauth.endpoint import send
from flowlet_jupyter.oauth.token_error import CLOCK_TOLERANCE_SECONDS, clock_ahead
from flowlet_jupyter.settings.network import CA_FILE_VARIABLES, CA_FOLDER_VARIABLE, tls_context
from flowlet_jupyter.settings.proxies import proxy_settings

REACH_SECONDS = 20.0  # for all endpoints together, which are asked side by side
_MOST_ENDPOINTS = 50
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


def findings() -> Iterator[Finding]:
    """What the environment says of proxies and certificates."""
    yield from _of_proxies()
    named = next((name for name in (*CA_FILE_VARIABLES, CA_FOLDER_VARIABLE) if os.environ.get(name)), None)
    source = f"{named}={os.environ[named]}" if named else "the operating system's store"
    try:
        tls_context()
    except (FlowletError, OSError) as error:
        yield Finding("certificates", "bad", f"{source} cannot be used", str(error))
    else:
        yield Finding("certificates", "ok", source)


def _of_proxies() -> Iterator[Finding]:
    settings = proxy_settings()
    if not settings.proxies:
        yield Finding("proxies", "ok", "none; everything is asked directly")
        return
    for scheme, proxy in settings.proxies.items():
        parts = urlsplit(proxy)
        subject = f"proxy for {'every scheme' if scheme == 'all' else scheme}"
        try:
            shown = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"  # without its password
        except ValueError:
            shown = f"{parts.scheme}://…"
        if parts.scheme not in _PROXY_SCHEMES or not parts.hostname or shown.endswith("…"):
            advice = "Write it as http://host:port, https://host:port or socks5://host:port."
            yield Finding(subject, "bad", f"{shown} cannot be used", advice)
        elif parts.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
            yield Finding(subject, "bad", f"{shown} needs a package", 'Run: pip install "httpx[socks]"')
        else:
            yield Finding(subject, "ok", shown)
    count = len(settings.bypasses)
    yield Finding(
        "proxies", "ok", f"http to this machine goes to none; NO_PROXY names {count or 'no'} others to ask directly"
    )


def reached(records: Sequence[Record]) -> Iterator[Finding]:
    """Each endpoint of the secrets, asked by HEAD without any credential, and what its clock says of ours."""
    asked = list(dict.fromkeys(url for record in records for url in _endpoints_of(record)))
    if not asked:
        yield Finding("providers", "ok", "no secret has an endpoint to ask")
        return
    findings: queue.SimpleQueue[tuple[str, Finding, float | None]] = queue.SimpleQueue()
    for url in asked[:_MOST_ENDPOINTS]:
        # daemons, so that one which does not end keeps nobody waiting
        threading.Thread(target=lambda url=url: findings.put((url, *_asked(url))), daemon=True).start()
    left = set(asked[:_MOST_ENDPOINTS])
    ahead: list[float] = []
    end = time.monotonic() + REACH_SECONDS
    while left and (seconds := end - time.monotonic()) > 0:
        try:
            url, finding, difference = findings.get(timeout=seconds)
        except queue.Empty:
            break
        left.discard(url)
        ahead += [] if difference is None else [difference]
        yield finding
    for url in sorted(left):
        yield Finding(
            _host_of(url), "bad", f"did not answer in {REACH_SECONDS:.0f} s", "Check the network, and try again."
        )
    for url in asked[_MOST_ENDPOINTS:]:
        yield Finding(_host_of(url), "warn", f"not asked: more than {_MOST_ENDPOINTS} endpoints")
    yield _of_clock(ahead)


def _endpoints_of(record: Record) -> Iterator[str]:
    secret = record.secret
    if isinstance(secret, OAuth2):
        yield from (url for url in (secret.token_endpoint, secret.authorization_endpoint) if url)
    if secret.base_url:
        yield secret.base_url


def _asked(url: str) -> tuple[Finding, float | None]:
    try:
        response = send("HEAD", url, failed=f"{_host_of(url)}")
    except FlowletError as error:
        return Finding(_host_of(url), "bad", "not reached", str(error)), None
    return Finding(_host_of(url), "ok", f"reached (HTTP {response.status})"), clock_ahead(response.headers)


def _of_clock(ahead: list[float]) -> Finding:
    if not ahead:
        return Finding("clock", "warn", "no provider said what time it is", "Check it by yourself.")
    middle = sorted(ahead)[len(ahead) // 2]  # one wrong server outvotes nobody
    if abs(middle) < CLOCK_TOLERANCE_SECONDS:
        return Finding("clock", "ok", f"agrees with the providers' within {CLOCK_TOLERANCE_SECONDS:.0f} s")
    text = f"is {abs(middle):.0f} s {'ahead of' if middle > 0 else 'behind'} the providers'"
    return Finding("clock", "bad", text, "Set it right: tokens and signed requests are refused.")


def _host_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"
