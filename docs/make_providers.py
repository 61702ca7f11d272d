"""Write docs/providers.md from the catalogue, by `python docs/make_providers.py`."""

from __future__ import annotations

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
{count} entries, generated from `flowlet_jupyter/providers/catalogue/*.toml` by `python docs/make_providers.py`. Every entry
is checked against one schema and makes a valid secret (`tests/providers/test_catalogue.py`); every switch of a peculiarity
has a test with the odd answer that it exists for (`tests/oauth/test_grants.py`). **Verified** says what an entry was held
against: the provider itself, or the source of independent projects (August 2026 and earlier) whose authorization and token
endpoints are the same to the letter. Where neither was done, trust the provider's page rather than the entry, and report
what differs."""


def row(provider: Provider) -> str:
    """One line of the table."""
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
        _verified(provider),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _verified(provider: Provider) -> str:
    if provider.verified:
        return "run against the provider"
    if provider.compared:
        return f"not run; same endpoints in {provider.compared}"
    return "not run, not compared: from general knowledge"


def page() -> str:
    """The whole page."""
    providers = load_providers()
    head = ("Key", "Provider and source", "Grants", "Client authentication", "Asks for", "What gives a refresh token",
            "Redirect URI", "Peculiarities", "Paging", "Verified")  # fmt: skip
    return "\n".join(
        [
            "# Providers",
            "",
            _INTRODUCTION.format(count=len(providers)),
            "",
            "An organisation adds entries in `share/jupyter/flowlet/providers/*.toml` (any Jupyter data path).",
            "",
            "| " + " | ".join(head) + " |",
            "|" + "---|" * len(head),
            *map(row, providers.values()),
            "",
        ]
    )


if __name__ == "__main__":
    INDEX.write_text(index_text(), "utf-8")
    (HERE / "providers.md").write_text(page(), "utf-8")
