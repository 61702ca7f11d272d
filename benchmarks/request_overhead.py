"""What a named secret costs on a request, against bare httpx and what people use instead."""

from __future__ import annotations

import importlib.util
import time

import httpx

import flowlet_jupyter as flowlet
from benchmarks.measure import Call, Report, medians
from benchmarks.server import running_api
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.notebook.request_line.grammar import parse
from flowlet_jupyter.notebook.request_line.interpolation import prepare
from flowlet_jupyter.vault import default_vault

ROUNDS = 2000
TOKEN = "t" * 60


def store_secret(url: str, name: str = "api") -> None:
    secret = OAuth2(name=name, authorization_endpoint=url, token_endpoint=url, client_id="id")
    token = TokenSet(access_token=SecretValue(TOKEN), obtained_at=time.time(), expires_at=time.time() + 7200)
    default_vault().put(Record(secret=secret, token_set=token))


def peers(url: str) -> dict[str, Call]:
    """The libraries that are installed, each with the same token."""
    found: dict[str, Call] = {}
    token = {"access_token": TOKEN, "token_type": "Bearer", "expires_at": time.time() + 7200}
    if importlib.util.find_spec("requests"):
        import requests

        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        found["requests.Session, static header"] = lambda: session.get(url)
    if importlib.util.find_spec("requests_oauthlib"):
        from requests_oauthlib import OAuth2Session

        oauthlib = OAuth2Session(token=token)
        found["requests-oauthlib"] = lambda: oauthlib.get(url)
    return found


def request(report: Report) -> None:
    with running_api() as base:
        url = f"{base}/me"
        store_secret(base)
        bare = httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"})
        sides: dict[str, Call] = {
            "httpx.Client, static header": lambda: bare.get(url),
            "flowlet.get(secret=...)": lambda: flowlet.get(url, secret="api"),
            "flowlet.get without a secret": lambda: flowlet.get(url),
            **peers(url),
        }
        found = medians(sides, ROUNDS, warm_up=50)
        report.compare("One GET of a small body", found, scale=1e6, unit="us")
        report.found("request", found["flowlet.get(secret=...)"] / found["httpx.Client, static header"])
    line = "POST /users/{{uid}}/tweets max_results==100 -s api note='a text' tags:='[1, 2]' X-Trace:abc --df data"
    sides = {"parsed and filled": lambda: prepare(parse(line), lambda source: {"uid": "a/b"}[source], lambda _: b"")}
    report.compare("A line of the magic", medians(sides, 1000), scale=1e6, unit="us")
