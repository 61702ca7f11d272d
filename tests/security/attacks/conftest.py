"""An attack is a row of a table; `attack` runs one, notes it, and fails if it was not stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from security.canaries import canary_server
from support import free_port

import flowlet_jupyter as flowlet
from flowlet_jupyter.connect.loopback import open_loopback
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.vault import default_vault


@pytest.fixture
def attacked(measured) -> Callable[[int], None]:
    """Call it with the number of attacks that were tried and, the test not having failed, stopped."""
    return lambda count=1: measured("attacks", tried=count, stopped=count)


@pytest.fixture
def provider():
    """A token endpoint that takes every code: what is stopped is not stopped by the provider."""
    with canary_server() as running:
        yield running


@pytest.fixture
def listener(monkeypatch):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    with open_loopback(default_vault()) as running:
        yield running


KINDS = {
    "confidential client": {"client_secret": "a-client-secret"},
    "client_secret_post": {"client_secret": "a-client-secret", "token_endpoint_auth_method": "client_secret_post"},
    "public client": {"token_endpoint_auth_method": "none"},
    "announces iss": {"client_secret": "a-client-secret", "authorization_response_iss_parameter_supported": True},
    "DPoP": {"client_secret": "a-client-secret", "dpop": True},
}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def secret(kind, provider):
    """A secret of each kind of client, without a token."""
    made = flowlet.OAuth2(
        name="api", client_id="client", authorization_endpoint=f"{provider.url}/authorize",
        token_endpoint=f"{provider.url}/token", base_url=provider.url, issuer=provider.url, **KINDS[kind],
    )  # fmt: skip
    default_vault().put(Record(secret=made))
    return made


@pytest.fixture(autouse=True)
def no_thread_is_left():
    """A listener or server of a test has ended with it."""
    before = {thread for thread in threading.enumerate() if not thread.daemon}
    yield
    for thread in {each for each in threading.enumerate() if not each.daemon} - before:
        thread.join(30)
