"""What an administrator or a user sets for all notebooks: read from the environment here, and nowhere else.

A Jupyter server takes the same settings as traits (`c.Flowlet.vault = …`), which it hands on to its kernels through the
environment; see server/extension.py. The table in docs/settings.md is made from `SETTINGS`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir

from flowlet_jupyter.errors import FlowletError

LOOPBACK_ADDRESS = "127.0.0.1"
DEFAULT_LOOPBACK_PORT = 8753
DEFAULT_PLC_DIRECTORY = "https://plc.directory"
DEFAULT_HANDLE_RESOLVER = "https://public.api.bsky.app"


@dataclass(frozen=True)
class Setting:
    """One setting: the variable that holds it, the trait of the server (None if it is a value that no file may hold)."""

    variable: str
    trait: str | None
    default: str
    meaning: str


SETTINGS = (
    Setting("FLOWLET_VAULT", "vault", "`flowlet/vault` in Jupyter's data folder", "the folder that holds the secrets"),
    Setting("FLOWLET_MASTER_KEY", None, "from the keyring", "the vault's master key itself"),
    Setting("FLOWLET_MASTER_KEY_FILE", "master_key_file", "none", "the file that holds the master key"),
    Setting(
        "FLOWLET_LOOPBACK_PORT",
        "loopback_port",
        str(DEFAULT_LOOPBACK_PORT),
        "the port of the redirect URI without a Jupyter server; `free` takes any that is free",
    ),
    Setting(
        "FLOWLET_TRANSPORT",
        "transport",
        "aiohttp where it is installed",
        "`httpx`: async and parallel requests go over httpx's own transport, as in every pytest run",
    ),
    Setting(
        "FLOWLET_CLIENT_ID_URL",
        "client_id_url",
        "none",
        "the address of a client metadata document that you host: the client ID wherever a provider takes one",
    ),
    Setting("FLOWLET_PLC_DIRECTORY", None, DEFAULT_PLC_DIRECTORY, "where atproto's `did:plc` are looked up"),
    Setting(
        "FLOWLET_HANDLE_RESOLVER",
        None,
        DEFAULT_HANDLE_RESOLVER,
        "who is asked for an atproto `@handle` that its own host does not answer for",
    ),
    Setting("FLOWLET_LOG", "usage_log", "`on`", "`off` keeps no log of what the secrets were used for"),
)


@dataclass(frozen=True)
class Settings:
    """The settings of one session, as they were when it was made."""

    vault: Path
    usage_log: bool = True

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """The settings in `environment` (this process's by default)."""
        values = os.environ if environment is None else environment
        folder = values.get("FLOWLET_VAULT")
        path = Path(folder).expanduser() if folder else Path(jupyter_data_dir()) / "flowlet" / "vault"
        return cls(vault=path.absolute(), usage_log=is_usage_log_allowed(values))


def is_usage_log_allowed(environment: Mapping[str, str] | None = None) -> bool:
    """Whether uses may be logged at all: not with `FLOWLET_LOG=off`."""
    values = os.environ if environment is None else environment
    return values.get("FLOWLET_LOG", "").strip().lower() != "off"


def is_aiohttp_allowed(environment: Mapping[str, str] | None = None) -> bool:
    """Whether async requests may go over aiohttp: not with `FLOWLET_TRANSPORT=httpx`."""
    values = os.environ if environment is None else environment
    return values.get("FLOWLET_TRANSPORT", "").strip().lower() != "httpx"


def loopback_port(environment: Mapping[str, str] | None = None) -> int:
    """The port of the redirect URI, which must be registered: `FLOWLET_LOOPBACK_PORT`, else 8753. Raises `FlowletError`.

    `free` gives 0, a free one each time, for providers that take any port on loopback (RFC 8252, 7.3).
    """
    values = os.environ if environment is None else environment
    text = values.get("FLOWLET_LOOPBACK_PORT", str(DEFAULT_LOOPBACK_PORT))
    if text == "free":
        return 0
    # isdigit() alone takes digits of other scripts, and int() refuses very long ones
    if not (text.isascii() and text.isdigit() and len(text) <= 5) or not 0 < int(text) < 65536:
        raise FlowletError(f"FLOWLET_LOOPBACK_PORT is neither a port nor 'free': {text[:20]}")
    return int(text)


def loopback_redirect_uri() -> str:
    """What to register for a kernel without a Jupyter server; without a port where any will do. Raises `FlowletError`."""
    port = loopback_port()
    return f"http://{LOOPBACK_ADDRESS}{f':{port}' if port else ''}/flowlet/callback"


def client_id_url() -> str:
    """The address of the client metadata document that somebody hosts, empty if nobody does."""
    return os.environ.get("FLOWLET_CLIENT_ID_URL", "").strip()


def plc_directory() -> str:
    """Where `did:plc` are looked up."""
    return os.environ.get("FLOWLET_PLC_DIRECTORY", "").strip().rstrip("/") or DEFAULT_PLC_DIRECTORY


def handle_resolver() -> str:
    """Who is asked for an atproto handle that its own host does not answer for."""
    return os.environ.get("FLOWLET_HANDLE_RESOLVER", "").strip().rstrip("/") or DEFAULT_HANDLE_RESOLVER


def table() -> str:
    """The table in docs/settings.md."""
    rows = ["| Environment variable | On the Jupyter server | Default | What it says |", "|---|---|---|---|"]
    for each in SETTINGS:
        trait = f"`c.Flowlet.{each.trait}`" if each.trait else "–"
        rows.append(f"| `{each.variable}` | {trait} | {each.default} | {each.meaning} |")
    return "\n".join(rows)
