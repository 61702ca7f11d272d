"""What is read of projects that state endpoints, and of clients that speak OAuth2 with one provider."""

from __future__ import annotations

import json

import pytest

from flowlet_jupyter.providers import parse_provider
from flowlet_jupyter.providers.check import read_claims, verdicts_of

ENTRY = {
    "title": "Shop",
    "source": "https://shop.example/docs",
    "authorization_endpoint": "https://login.shop.example/oauth/authorize",
    "token_endpoint": "https://api.shop.example/oauth/token",
    "token_endpoint_auth_method": "client_secret_post",
    "allowed_hosts": ["api.shop.example"],
}
OWN_HOST = {
    **ENTRY,
    "authorization_endpoint": "https://{host}/realms/{realm}/authorize",
    "token_endpoint": "https://{host}/realms/{realm}/oauth_token.do",
    "parameters": [{"name": "host", "label": "Host", "kind": "host"}, {"name": "realm", "label": "Realm"}],
}
PROVIDERS = """\
<Providers>
  <Provider Name="Shop">
    <Environment>
      <Configuration AuthorizationEndpoint="{CreateAbsoluteUri(settings.Issuer, 'oauth/authorize')}"
                     TokenEndpoint="{settings.Region switch { null => 'https://api.shop.example/oauth/token' }}">
        <CodeChallengeMethod Value="S256" />
        <TokenEndpointAuthMethod Value="client_secret_post" />
      </Configuration>
    </Environment>
  </Provider>
  <Provider Name="Discovered"><Environment Issuer="https://discovered.example/" /></Provider>
</Providers>
"""
TEMPLATES = """\
export const systems = {
  shop: {
    oauth: {
      authUrl: "https://login.shop.example/oauth/authorize",
      tokenUrl: "https://api.shop.example/oauth/token",
    },
  },
  bank: {
    apiUrl: "https://bank.example",
  },
}
"""


def agreement(folder, name, text, entry=ENTRY):
    """Who agrees, by fact, when a file of this name has this text."""
    file = folder / name
    file.parent.mkdir(parents=True)
    file.write_text(text)
    found = verdicts_of(parse_provider("shop", entry, "shop.toml"), read_claims([folder]))
    return {verdict.fact: verdict.agree for verdict in found if verdict.agree}


@pytest.mark.parametrize(
    ("name", "text", "project"),
    [
        ("windmill/backend/oauth_connect.json",
         json.dumps({"shop": {"auth_url": ENTRY["authorization_endpoint"], "token_url": ENTRY["token_endpoint"]},
                     "own": {"scopes": []}}), "Windmill"),
        ("superglue/templates.ts", TEMPLATES, "superglue"),
        ("x/airbyte/oauth/flows/ShopOAuthFlow.kt",
         f'const val A = "{ENTRY["authorization_endpoint"]}"\nconst val T = "{ENTRY["token_endpoint"]}"\n', "Airbyte"),
    ],
    ids=["windmill", "superglue", "airbyte"],
)  # fmt: skip
def test_the_pair_of_endpoints_is_read(tmp_path, name, text, project):
    found = agreement(tmp_path, name, text)
    assert found["authorization_endpoint"] == found["token_endpoint"] == (project,)


def test_openiddict_writes_some_addresses_as_expressions(tmp_path):
    found = agreement(tmp_path, "o/OpenIddictClientWebIntegrationProviders.xml", PROVIDERS)
    facts = ("authorization_endpoint", "token_endpoint", "client_authentication", "pkce")
    assert {fact: found[fact] for fact in facts} == dict.fromkeys(facts, ("OpenIddict",))


@pytest.mark.parametrize(
    ("text", "agrees"),
    [
        ("'https://login.shop.example/oauth/authorize' + 'https://api.shop.example/oauth/token'", True),
        ("HOSTS = 'https://login.shop.example', 'https://api.shop.example'\ngo('/oauth/authorize', 'oauth/token')", True),
        ("'https://api.shop.example'; '/oauth/token'; '/oauth/authorize'", False),  # another host for the first
        ("'https://login.shop.example' 'https://api.shop.example' '/oauth2/authorize' '/v1/oauth/token/revoke'", False),
    ],
    ids=["whole", "apart", "other host", "other path"],
)  # fmt: skip
def test_a_client_may_have_host_and_path_apart(tmp_path, text, agrees):
    found = agreement(tmp_path, "oauth-clients/shop/shopify.js/client.js", text)
    assert ("authorization_endpoint" in found) == agrees


@pytest.mark.parametrize(
    "text",
    [
        'f"https://{host}/realms/{realm}/authorize", f"{base}/realms/{realm}/oauth_token.do"',
        "'https://shop.example/realms/main/authorize'",
        "`${this.base}/realms/${realm}/authorize`",
        'String.format("%s/realms/%s/authorize", base, realm)',
        "'https://shop.example/realms/main/authorize/else'",
        "function f() { if (x) { return '/realms/{realm-name}/authorize' } }",
    ],
)
def test_where_the_host_is_filled_in_the_path_says_it(tmp_path, text):
    found = agreement(tmp_path, "oauth-clients/shop/shop-sdk/client.ts", text, OWN_HOST)
    assert ("authorization_endpoint" in found) == ("else" not in text)


def test_a_client_speaks_of_its_own_provider_only(tmp_path):
    assert not agreement(tmp_path, "oauth-clients/bank/bank-sdk/a.py", "'/realms/{realm}/authorize'", OWN_HOST)
