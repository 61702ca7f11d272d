"""`jupyter flowlet add --discover`: an address is enough, where the provider makes a client ID by itself."""

from __future__ import annotations

import pytest
from interop import SERVERS, connect, running
from servers.atproto import DID, atproto
from support import free_port

import flowlet_jupyter as flowlet
from flowlet_jupyter.cli import main
from flowlet_jupyter.vault import default_vault


@pytest.mark.provider
@pytest.mark.slow
@pytest.mark.parametrize("name", ["mcp_sdk", "oidc"])
def test_from_an_address_to_a_request_without_a_developer_portal(capsys, monkeypatch, name):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    server = SERVERS[name]
    with running(server) as base:
        added = [
            "add",
            "birds",
            "--discover",
            f"{base}{server.address}",
            "--register",
            "--set",
            f"scope={server.scope}",
        ]
        assert main([*added, "--set", f"base_url={base}"]) == 0, capsys.readouterr()
        printed = capsys.readouterr().out
        assert "This secret will talk to: 127.0.0.1:" in printed
        assert "Registered as the client" in printed
        connect("birds")
        assert server.call(base, "birds").status_code == 200
        assert main(added) == 1
    assert "already" in capsys.readouterr().err


def test_registering_needs_an_address(capsys):
    assert main(["add", "birds", "--register", "--set", "client_id=x"]) == 1
    assert "--discover" in capsys.readouterr().err


def test_the_entry_of_bluesky_asks_for_a_handle_only(capsys, monkeypatch):
    with atproto() as pds:
        monkeypatch.setenv("FLOWLET_PLC_DIRECTORY", pds.url)
        monkeypatch.setenv("FLOWLET_HANDLE_RESOLVER", pds.url)
        assert main(["add", "bluesky"]) == 1
        assert "Handle is missing" in capsys.readouterr().err
        assert main(["add", "bluesky", "--set", "handle=ann.test"]) == 0, capsys.readouterr()
        secret = default_vault().get("bluesky").secret
    assert (secret.subject, secret.base_url, secret.token_endpoint) == (DID, pds.url, f"{pds.url}/token")
    assert "No registration is needed" in capsys.readouterr().out


@pytest.mark.provider
@pytest.mark.slow
def test_a_provider_that_registers_nobody(capsys):
    with running(SERVERS["oauth2_mock_server"]) as base:
        assert main(["add", "birds", "--discover", base, "--register"]) == 1
    assert "does not register clients by itself" in capsys.readouterr().err
    assert not flowlet.secrets
