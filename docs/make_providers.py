"""Write docs/providers.md and the catalogue's index from the catalogue, by `python docs/make_providers.py`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE
from flowlet_jupyter.providers import INDEX, Provider, index_text, load_providers

HERE = Path(__file__).parent
_RULES = {
    "": "",
    "https": "https only",
    "not-localhost": "127.0.0.1, not localhost",
    "any-loopback-port": "any loopback port",
    "opaque": "a name that the provider gives, not a URL",
}
_INTRODUCTION = """\
{count} entries, {oauth2} of them OAuth2 and {keys} that take a key, generated from
`flowlet_jupyter/providers/catalogue/*.toml` by `python docs/make_providers.py`. Every entry is checked against one schema
and makes a valid secret (`tests/providers/test_catalogue.py`); every switch of a peculiarity has a test with the odd
answer that it exists for (`tests/oauth/test_grants.py`). Run against the provider: {verified}.

**Agrees with** names the projects whose source has the same addresses (OAuth2) or the same header or query parameter (key),
found by `python -m flowlet_jupyter.providers.check FOLDER …`, which reads copies of Nango, django-allauth,
python-social-auth, Auth.js, Socialite Providers, goth, grant, n8n and Airbyte from a disk and can be run again at any time.
**Rests on one source** names the facts in which fewer than two projects agree: the link of the entry is then what to
trust. **Says something else** names projects that differ; an entry follows the provider's own page where it was checked
({checked} entries carry the month), else what most projects have."""


def agreement(provider: Provider) -> list[str]:
    """The cells that say what the entry was held against."""
    return [provider.compared, ", ".join(provider.one_source), provider.differs, _dates(provider)]


def oauth2_row(provider: Provider) -> str:
    """One line of the table of OAuth2 providers."""
    fields = provider.fields
    grant = fields.get("grant_type", AUTHORIZATION_CODE).rpartition(":")[2]
    cells = [
        f"`{provider.key}`",
        f"[{provider.title}]({provider.source})",
        grant + (", device" if "device_authorization_endpoint" in fields else ""),
        fields.get("token_endpoint_auth_method", "client_secret_basic"),
        ", ".join(parameter.name for parameter in provider.parameters),
        provider.refresh_token_from,
        _RULES[provider.redirect_rule],
        ", ".join(fields.get("compliance", {})),
        provider.paging.get("style", ""),
        *agreement(provider),
    ]
    return _line(cells)


def key_row(provider: Provider) -> str:
    """One line of the table of providers that take a key."""
    cells = [
        f"`{provider.key}`",
        f"[{provider.title}]({provider.source})",
        carrier(provider),
        ", ".join(parameter.name for parameter in provider.parameters),
        ", ".join(provider.fields["allowed_hosts"]),
        *agreement(provider),
    ]
    return _line(cells)


def carrier(provider: Provider) -> str:
    """Where the key stands in a request."""
    fields = provider.fields
    if provider.type == "headers":
        return ", ".join(provider.header_names)
    if provider.type == "basic":
        return "Authorization: Basic"
    if provider.type == "password":
        return "Authorization: Bearer"
    name = fields.get("parameter", "X-API-Key")
    if fields.get("location") == "basic":
        return f"Authorization: Basic with `{name}`"
    return f"?{name}=" if fields.get("location") == "query" else f"{name}: {fields.get('prefix', '')}".rstrip(": ")


def _dates(provider: Provider) -> str:
    found = [f"checked {provider.checked}"] if provider.checked else []
    return ", ".join(found + ([f"ends {provider.ends}"] if provider.ends else []))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _table(head: tuple[str, ...], rows: Iterable[str]) -> list[str]:
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *rows, ""]


def page() -> str:
    """The whole page."""
    providers = load_providers().values()
    oauth2 = [provider for provider in providers if provider.type == "oauth2"]
    keys = [provider for provider in providers if provider.type != "oauth2"]
    held = ("Agrees with", "Rests on one source", "Says something else", "Dates")
    counts = {
        "count": len(providers), "oauth2": len(oauth2), "keys": len(keys),
        "verified": sum(provider.verified for provider in providers),
        "checked": sum(bool(provider.checked) for provider in providers),
    }  # fmt: skip
    return "\n".join(
        [
            "# Providers",
            "",
            _INTRODUCTION.format(**counts),
            "",
            "An organisation adds entries in `share/jupyter/flowlet/providers/*.toml` (any Jupyter data path).",
            "",
            "## OAuth2",
            "",
            *_table(
                ("Key", "Provider and source", "Grants", "Client authentication", "Asks for",
                 "What gives a refresh token", "Redirect URI", "Peculiarities", "Paging", *held),
                map(oauth2_row, oauth2),
            ),
            "## Keys",
            "",
            *_table(("Key", "Provider and source", "Where the key stands", "Asks for", "Hosts", *held), map(key_row, keys)),
        ]
    )  # fmt: skip


if __name__ == "__main__":
    INDEX.write_text(index_text(), "utf-8")
    (HERE / "providers.md").write_text(page(), "utf-8")
