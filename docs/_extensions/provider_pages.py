"""What is made from the catalogue's entries: a page for each of the most used, and the facts that the guides include."""

from __future__ import annotations

import re
from pathlib import Path

from flowlet_jupyter.providers import Provider, fields_for, provider_named, trial_url

MOST_USED = (
    "github", "google", "microsoft", "twitter", "spotify", "slack", "notion", "dropbox", "linkedin", "salesforce", "hubspot",
    "gitlab", "jira", "discord", "strava",
)  # fmt: skip

GUIDES = Path(__file__).parents[1] / "guides" / "providers"
_INCLUDED = re.compile(r"^```\{include\} \.\./\.\./generated/facts/([\w-]+)\.txt$", re.MULTILINE)

_REDIRECT_RULES = {
    "": "The form shows the redirect URI of your Jupyter server. Copy it as it stands: the provider compares every character.",
    "https": (
        "This provider takes `https://` redirect URIs only. The form shows the one of your Jupyter server. On your own machine, "
        "start Jupyter with a certificate, or use a JupyterHub or another server with TLS."
    ),
    "not-localhost": (
        "This provider does not take the name `localhost`. Write `127.0.0.1`, as the form does. The port must be the same too."
    ),
    "any-loopback-port": (
        "Register the redirect URI that the form shows. On your own machine this provider compares no port, so the same "
        "registration holds when Jupyter starts on another port."
    ),
    "opaque": "This provider gives the redirect URI a name of its own. The form says what to enter.",
}


def page(provider: Provider) -> str:
    """The how-to of one provider, in Markdown."""
    key, fields = provider.key, provider.fields
    given = samples(provider)
    filled = fields_for(provider, given)
    lines = [f"# {provider.title}", "", f"Connect a secret to {provider.title}, and send a first request."]
    if key in (guides := guides_by_entry()):
        lines += [
            "",
            f"[The guide](../../guides/providers/{guides[key]}.md) says more: pages, token lifetimes, limits, errors.",
        ]
    if provider.ends:
        lines += ["", f":::{{warning}}\nThe provider takes this API away on {provider.ends}.\n:::"]
    lines += ["", "## 1. Create an app", ""]
    register = provider.registration_page
    lines.append(
        f"Open [the provider's page for apps]({register}) and create one."
        if register
        else f"Create an app at the provider. [Its own page]({provider.source}) says where."
    )
    lines += ["", "## 2. Register the redirect URI", "", _REDIRECT_RULES[provider.redirect_rule], ""]
    lines.append(
        "Without a Jupyter server (VS Code, a terminal) it is `http://127.0.0.1:8753/flowlet/callback`. "
        "See [network](../../network.md) for a server behind a proxy and for a JupyterHub."
    )
    lines += ["", "## 3. Store the secret", "", "In a notebook:", ""]
    lines += [
        _NOT_RUN,
        "```python",
        "%load_ext flowlet_jupyter",
        f"%flowlet_secret {key} --new --provider {key}",
        "```",
        "",
    ]
    lines.append("Paste the client ID and the client secret, and press **Save and request access token**. In a shell:")
    options = "".join(f" --set {name}={value}" for name, value in given.items())
    lines += [
        "",
        "```bash",
        f"jupyter flowlet add {key} --provider {key}{options}",
        f"jupyter flowlet authorize {key}",
        "```",
        "",
    ]
    if provider.parameters:
        lines += ["The provider also needs:", ""]
        lines += [f"- **{each.label}**" + (f": {each.hint}" if each.hint else "") for each in provider.parameters]
        lines.append("")
    lines += ["The catalogue fills in the rest:", "", "| Field | Value |", "|---|---|"]
    lines += [f"| {label} | {text} |" for label, text in _facts(provider) if text]
    lines += ["", "## 4. Send the first request", "", _NOT_RUN, "```python", first_request(provider, given), "```", ""]
    lines.append("The access token is added below the client. When it has expired, the next request refreshes it.")
    if fields.get("base_url"):
        lines += [
            "",
            f"The base URL is `{filled['base_url']}`. A path is enough: `%flowlet_request /… --secret {key}`.",
        ]
    if provider.notes:
        lines += ["", "## Good to know", "", provider.notes]
    lines += [
        "",
        f"Source of these facts: <{provider.source}>" + (f", checked {provider.checked}." if provider.checked else "."),
        "",
    ]
    return "\n".join(lines)


_NOT_RUN = "<!-- not run: needs an account at the provider -->"


def samples(provider: Provider) -> dict[str, str]:
    """What stands for the values of its parameters."""
    return {
        each.name: each.default or ("example.org" if each.kind == "host" else "example") for each in provider.parameters
    }


def first_request(provider: Provider, given: dict[str, str]) -> str:
    """The line that asks who one is, or else for the base URL."""
    url = trial_url(provider, given)
    method = "" if url else str(provider.fields.get("identity_method", "GET")) + " "
    filled = fields_for(provider, given)
    target = url or filled.get("identity_url") or filled["base_url"]
    return f"me = %flowlet_request {method if method != 'GET ' else ''}{target} --secret {provider.key}\nme"


def _facts(provider: Provider) -> list[tuple[str, str]]:
    fields = provider.fields
    code = "`{}`".format
    return [
        ("Scopes", code(fields["scope"]) if fields.get("scope") else "none by default"),
        ("Allowed hosts", ", ".join(map(code, fields["allowed_hosts"]))),
        (
            "Authorization endpoint",
            code(fields["authorization_endpoint"]) if "authorization_endpoint" in fields else "",
        ),
        ("Token endpoint", code(fields["token_endpoint"]) if "token_endpoint" in fields else ""),
        ("Client authentication", code(fields.get("token_endpoint_auth_method", "client_secret_basic"))),
        ("Device code", "yes" if "device_authorization_endpoint" in fields else ""),
        ("What gives a refresh token", provider.refresh_token_from),
        ("Pages", code(provider.paging["style"]) if provider.paging else ""),
    ]


def guides_by_entry() -> dict[str, str]:
    """The name of the guide that includes the facts of an entry, by the entry's key."""
    texts = {path.stem: path.read_text("utf-8") for path in sorted(GUIDES.glob("*.md"))}
    return {key: name for name, text in texts.items() for key in _INCLUDED.findall(text)}


def facts(provider: Provider) -> str:
    """The facts of an entry that a guide includes: what it fills in, so that the guide cannot say otherwise."""
    defaults = {each.name: each.default for each in provider.parameters if each.default}

    def code(text: str) -> str:
        return "`" + re.sub(r"\{(\w+)\}", lambda name: defaults.get(name[1], name[0]), text) + "`"

    asked = [each.label for each in provider.parameters]
    rows = [
        ("Entry", f"`{provider.key}`: {provider.title}"),
        ("Asks for", ", ".join([*asked, *_values(provider)])),
        ("Scope", code(provider.fields["scope"]) if provider.fields.get("scope") else ""),
        ("Hosts", ", ".join(map(code, provider.fields["allowed_hosts"]))),
        ("Paths begin at", code(provider.fields["base_url"]) if provider.fields.get("base_url") else ""),
        ("Refresh token", provider.refresh_token_from),
        ("Pages", code(provider.paging["style"]) if provider.paging else ""),
    ]
    lines = [f"| {label} | {text} |" for label, text in rows if text]
    return "\n".join([lines[0], "|---|---|", *lines[1:], ""])


def _values(provider: Provider) -> list[str]:
    """What the user enters, in words."""
    if provider.type != "oauth2":
        return {"basic": ["user name", "password"], "headers": list(provider.header_names)}.get(
            provider.type, ["the key"]
        )
    fields = provider.fields
    own = [] if fields.get("client_id") else ["client ID"]
    secret = [] if fields.get("token_endpoint_auth_method") == "none" else ["client secret"]
    return [*own, *secret, *(["user name", "password"] if fields.get("grant_type") == "password" else [])]


def _index(providers: list[Provider]) -> str:
    links = [f"{provider.key}" for provider in providers]
    return "\n".join(
        [
            "# Entries of the catalogue",
            "",
            (
                "The facts of the providers that are asked for most, made from the catalogue's entries. Their "
                "[guides](../../guides/providers/index.md) say more. All entries are in [providers](../../providers.md). For an "
                "API that is not there, paste its address into the form and press **Discover**."
            ),
            "",
            "```{toctree}",
            ":maxdepth: 1",
            "",
            *links,
            "```",
            "",
        ]
    )


def providers() -> list[Provider]:
    """The entries that get a page. Raises `LookupError` for a key that the catalogue has not."""
    found = {key: provider_named(key) for key in MOST_USED}
    missing = [key for key, provider in found.items() if provider is None]
    if missing:
        raise LookupError(f"no entry in the catalogue: {', '.join(missing)}")
    return sorted((provider for provider in found.values() if provider), key=lambda provider: provider.title.lower())


def pages() -> dict[str, str]:
    """The pages by path."""
    chosen = providers()
    return {
        "providers/index.md": _index(chosen),
        **{f"providers/{provider.key}.md": page(provider) for provider in chosen},
        **{f"facts/{key}.txt": facts(_entry(key)) for key in guides_by_entry()},
    }


def _entry(key: str) -> Provider:
    provider = provider_named(key)
    if provider is None:
        raise LookupError(f"a guide names the entry {key}, which the catalogue has not")
    return provider
