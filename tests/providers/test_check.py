"""The script that holds the catalogue against other projects, on small copies of what their files look like."""

from __future__ import annotations

import json

import pytest

from flowlet_jupyter.providers import parse_provider
from flowlet_jupyter.providers.check import FACTS, facts_of, read_claims, verdicts_of
from flowlet_jupyter.providers.check.__main__ import main
from flowlet_jupyter.providers.check.claims import normalized, plain_key

SHOP = {
    "title": "Shop",
    "source": "https://shop.example/docs",
    "authorization_endpoint": "https://{host}/oauth/authorize",
    "token_endpoint": "https://api.shop.example/oauth/token",
    "base_url": "https://api.shop.example/v1",
    "allowed_hosts": ["api.shop.example"],
    "parameters": [{"name": "host", "label": "Host", "kind": "host"}],
}
BANK = {
    "title": "Bank", "type": "api_key", "source": "https://bank.example/docs", "parameter": "X-Bank-Key",
    "base_url": "https://api.bank.example", "allowed_hosts": ["api.bank.example"],
}  # fmt: skip
NANGO = """\
shop-oauth:
    auth_mode: OAUTH2
    authorization_url: https://${connectionConfig.host}/oauth/authorize || https://shop.example/oauth/authorize
    token_url: https://api.shop.example/oauth/token
    proxy:
        base_url: https://api.shop.example
bank-api-key:
    auth_mode: API_KEY
    proxy:
        base_url: https://api.bank.example
        headers:
            x-bank-key: ${apiKey}
"""
GRANT = {"shop": {"oauth": 2, "authorize_url": "https://old.shop.example/authorize",
                  "access_url": "https://api.shop.example/oauth/token"},
         "ancient": {"oauth": 1, "access_url": "https://ancient.example/t"}}  # fmt: skip
BACKEND = 'URL = "https://api.shop.example/oauth/token"\nOTHER = f"https://{host}/oauth/authorize/"\n'
N8N = "properties: { headers: { 'X-Bank-Key': '={{$credentials.apiKey}}' } }, test: { baseURL: 'https://api.bank.example' }"


@pytest.fixture
def folder(tmp_path):
    files = {
        "nango/packages/providers/providers.yaml": NANGO,
        "grant/config/oauth.json": json.dumps(GRANT),
        "core/social_core/backends/shop.py": BACKEND,
        "n8n/dist/credentials/BankApi.credentials.js": N8N,
        "elsewhere/readme.md": "https://api.shop.example/oauth/token",
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return tmp_path


def verdicts(entry, claims):
    return {verdict.fact: verdict for verdict in verdicts_of(parse_provider("x", entry, "x.toml"), claims)}


def test_each_fact_says_who_agrees_and_who_differs(folder):
    found = verdicts(SHOP, read_claims([folder]))
    assert found["token_endpoint"].agree == ("Nango", "grant", "python-social-auth")
    assert found["token_endpoint"].rests_on == "agrees"
    assert found["authorization_endpoint"].agree == ("Nango", "python-social-auth")
    assert found["authorization_endpoint"].differ == {"grant": "https://old.shop.example/authorize"}
    assert "differs: grant has https://old.shop.example/authorize" in str(found["authorization_endpoint"])


def test_the_carrier_of_a_key_is_compared_by_its_name(folder):
    claims = read_claims([folder])
    assert verdicts(BANK, claims)["parameter"].agree == ("Nango", "n8n")
    other = verdicts({**BANK, "parameter": "X-Other"}, claims)["parameter"]
    assert (other.agree, other.differ) == ((), {"Nango": "x-bank-key", "n8n": "x-bank-key"})


def test_what_one_project_says_is_marked(folder):
    (folder / "n8n/dist/credentials/BankApi.credentials.js").unlink()
    assert all(verdict.rests_on == "one source" for verdict in verdicts(BANK, read_claims([folder])).values())
    assert all(verdict.rests_on == "no source" for verdict in verdicts(BANK, []).values())


OAUTH2 = {
    "auth_mode": "OAUTH2", "authorization_url": "https://shop.example/a", "token_url": "https://shop.example/t",
    "scope_separator": ",", "token_request_auth_method": "basic", "authorization_params": {"access_type": "offline"},
    "proxy": {
        "base_url": "https://api.shop.example",
        "paginate": {"type": "cursor", "cursor_path_in_response": "meta.next", "cursor_name_in_request": "after"},
        "verification": {"method": "GET", "endpoints": ["/v1/me"]},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("fact", "entry", "of_nango"),
    [
        ("scope_separator", {"compliance": {"scope_separator": ","}}, {"scope_separator": " "}),
        ("client_authentication", {"token_endpoint_auth_method": "client_secret_basic"},
         {"token_request_auth_method": "body"}),
        ("pkce", {"compliance": {"pkce": False}}, {"disable_pkce": False}),
        ("refresh_token", {"authorization_parameters": {"access_type": "offline"}}, {"authorization_params": {}}),
        ("paging", {"paging": {"style": "cursor", "cursor_path": "meta.next", "cursor_parameter": "after"}}, {"proxy": {}}),
        ("test", {"test": "https://api.shop.example/v1/me"}, {"proxy": {}}),
    ],
    ids=["scope_separator", "client_authentication", "pkce", "refresh_token", "paging", "test"],
)  # fmt: skip
def test_every_sort_of_fact_is_compared(tmp_path, fact, entry, of_nango):
    file = tmp_path / "packages" / "providers" / "providers.yaml"
    file.parent.mkdir(parents=True)
    entry = {
        **SHOP,
        "authorization_endpoint": "https://shop.example/a",
        "token_endpoint": "https://shop.example/t",
        **entry,
    }
    file.write_text(json.dumps({"shop": {**OAUTH2, "disable_pkce": True}}))
    assert verdicts(entry, read_claims([tmp_path]))[fact].agree == ("Nango",)
    file.write_text(json.dumps({"shop": {**OAUTH2, "disable_pkce": True, **of_nango}}))
    assert verdicts(entry, read_claims([tmp_path]))[fact].agree == ()


def test_a_difference_needs_a_reason_in_the_entry(folder, tmp_path, monkeypatch, capsys):
    data = tmp_path / "data" / "flowlet" / "providers"
    data.mkdir(parents=True)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    lines = [f"{name} = {json.dumps(SHOP[name])}" for name in SHOP if name != "parameters"]
    lines[2] = 'authorization_endpoint = "https://shop.example/oauth/authorize"'
    (data / "shop.toml").write_text("\n".join(lines))
    assert main([str(folder), "--only", "shop"]) == 1
    assert "NOT DECIDED" in capsys.readouterr().out
    (data / "shop.toml").write_text("\n".join([*lines, "[decided]", 'authorization_endpoint = "The other is old."']))
    written = tmp_path / "agreement.json"
    assert main([str(folder), "--only", "shop", "--write", str(written)]) == 0
    assert "decided: The other is old." in capsys.readouterr().out
    assert json.loads(written.read_text())["shop"]["token_endpoint"][1] == ["Nango", "grant", "python-social-auth"]


def test_a_client_library_agrees_by_the_names_in_it(tmp_path):
    (tmp_path / "clients" / "bank" / "bankpy").mkdir(parents=True)
    code = 'BASE = "https://api.bank.example/v2"\nheaders = {"X-Bank-Key": key}\nget(f"{BASE}/me")\nget("/accounts")\n'
    (tmp_path / "clients" / "bank" / "bankpy" / "client.py").write_text(code)
    found = verdicts(BANK, read_claims([tmp_path]))
    assert found["parameter"].agree == found["base_url"].agree == ("bankpy",)
    assert verdicts({**BANK, "parameter": "X-Other"}, read_claims([tmp_path]))["parameter"].differ == {}
    for path, agree in (("me", ("bankpy",)), ("accounts?limit=1", ("bankpy",)), ("other", ())):
        entry = {**BANK, "test": f"https://api.bank.example/v2/{path}"}
        assert verdicts(entry, read_claims([tmp_path]))["test"].agree == agree


def test_a_client_has_an_example_of_the_host_that_is_filled_in(tmp_path):
    code = (
        'authorize_url = "https://shop.example.org/oauth/authorize"\ntoken_url = "https://other.example/oauth/other"\n'
    )
    (tmp_path / "clients" / "shop" / "shoppy").mkdir(parents=True)
    (tmp_path / "clients" / "shop" / "shoppy" / "client.rb").write_text(code)
    entry = {**SHOP, "token_endpoint": "https://{host}/oauth/token"}
    found = verdicts(entry, read_claims([tmp_path]))
    assert found["authorization_endpoint"].agree == ("shoppy",)
    assert found["token_endpoint"].agree == ()


def test_every_fact_has_a_name_in_the_documentation():
    assert set(facts_of(parse_provider("shop", SHOP, "shop.toml"))) <= set(FACTS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://${connectionConfig.subdomain}.a.example/t", "https://{subdomain}.a.example/t/"),
        ("https://[subdomain].a.example/t?x=1", "https://%s.a.example/t"),
        ("https://A.example/T", "https://a.example/t"),
    ],
)
def test_addresses_are_compared_without_the_names_of_what_is_filled_in(one, other):
    assert normalized(one) == normalized(other)


def test_names_are_compared_without_how_they_are_authorized():
    assert plain_key("AirtableOAuth2Api") == plain_key("airtable") == plain_key("airtable-api-key")
    assert plain_key("SurveyMonkey") == plain_key("survey-monkey")


def test_a_provider_s_openapi_document_is_a_source(tmp_path):
    flow = {"authorizationUrl": "https://a.example/authorize", "tokenUrl": "https://a.example/token"}
    schemes = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "token": {"type": "http", "scheme": "bearer"},
               "login": {"type": "oauth2", "flows": {"authorizationCode": flow}}}  # fmt: skip
    (tmp_path / "openapi").mkdir()
    document = {"servers": [{"url": "https://api.a.example/v1"}], "components": {"securitySchemes": schemes}}
    (tmp_path / "openapi" / "bank.json").write_text(json.dumps(document))
    (tmp_path / "openapi" / "empty.json").write_text("{}")
    bank, _empty = read_claims([tmp_path])
    assert bank.carriers == {"x-key", "authorization"}
    assert bank.facts["token_endpoint"] == {"https://a.example/token"}
    assert "https://api.a.example/v1" in bank.urls


PROJECTS = {
    "x/oauth2": ("oauth2/endpoints/endpoints.go", """\
var Shop = oauth2.Endpoint{
	AuthURL:  "https://shop.example/oauth/authorize",
	TokenURL: "https://api.shop.example/oauth/token",
}
"""),
    "OAuth.io": ("oauthd/providers/shop/conf.json", json.dumps(
        {"url": "https://api.shop.example", "oauth2": {"authorize": {"url": "https://shop.example/oauth/authorize"}, "access_token": "/oauth/token"}})),
    "Panora": ("shared/src/connectors/metadata.ts", """\
    'crm': {
      'shop': {
        urls: {
          authBaseUrl: 'https://shop.example/oauth/authorize',
          apiUrl: 'https://api.shop.example/oauth/token',
        },
      },
    },
"""),
    "Sim": ("lib/auth/connectors/providers.ts", """\
  { providerId: 'shop', authorizationUrl: 'https://shop.example/oauth/authorize',
    tokenUrl: 'https://api.shop.example/oauth/token', pkce: true, authentication: 'basic' },
"""),
    "Appwrite": ("src/Appwrite/Auth/OAuth2/Shop.php", """\
    private string $endpoint = 'https://shop.example/';
    private string $api = 'https://api.shop.example/';
    return $this->endpoint . 'oauth/authorize?'; return $this->api . 'oauth/token';
"""),
    "HWIOAuthBundle": ("src/OAuth/ResourceOwner/ShopResourceOwner.php",
                       "'https://shop.example/oauth/authorize' 'access_token_url' => 'https://api.shop.example/oauth/token'"),
    "Kratos": ("selfservice/strategy/oidc/provider_shop.go",
               '"https://shop.example/oauth/authorize" "https://api.shop.example/oauth/token"'),
    "Logto": ("packages/connectors/connector-shop/src/constant.ts",
              "'https://shop.example/oauth/authorize' 'https://api.shop.example/oauth/token'"),
    "Home Assistant": ("homeassistant/components/shop/const.py",
                       'BASE = "https://shop.example"\nA = f"{BASE}/oauth/authorize"\nT = "https://api.shop.example/oauth/token"'),
}  # fmt: skip
OF_A_KEY = {
    "Titus": ("pkg/validator/validators/bank.yaml", """\
validators:
  - name: bank
    http: {method: GET, url: "https://api.bank.example/me", auth: {type: header, header_name: X-Bank-Key}}
"""),
    "Automatisch": ("packages/backend/src/apps/bank/auth/index.js",
                    "apiBaseUrl: 'https://api.bank.example', headers['X-Bank-Key'] = key"),
    "Pipedream": ("node_modules/@pipedream/bank/bank.app.mjs", "`https://api.bank.example/${path}` 'X-Bank-Key': key"),
    "nuclei-templates": ("http/token-spray/api-bank.yaml", """\
http:
  - method: GET
    path: ["https://api.bank.example/me"]
    headers: {X-Bank-Key: "{{token}}"}
"""),
    "Airbyte": ("airbyte-source-bank/source_bank/manifest.yaml", """\
streams:
  - retriever:
      requester:
        url_base: https://api.bank.example/v1
        authenticator: {type: ApiKeyAuthenticator, inject_into: {field_name: X-Bank-Key}}
    schema: {type: [object, "null"]}
"""),
    "bank-docs": ("provider-docs/x/bank-docs/docs/guide.md", "curl https://api.bank.example/me -H 'X-Bank-Key: KEY'"),
    "bankpy": ("clients/x/bankpy/client.js", "const HOST = 'api.bank.example', name = 'X-Bank-Key'; 'https://docs.example/'"),
}  # fmt: skip


def laid(folder, name, text):
    file = folder / name
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return read_claims([folder])


@pytest.mark.parametrize("project", PROJECTS)
def test_each_project_with_addresses_is_read(tmp_path, project):
    entry = {**SHOP, "authorization_endpoint": "https://shop.example/oauth/authorize", "parameters": []}
    found = verdicts(entry, laid(tmp_path, *PROJECTS[project]))
    assert found["authorization_endpoint"].agree == (project,)
    assert found["token_endpoint"].agree == (project,)


@pytest.mark.parametrize("project", OF_A_KEY)
def test_each_project_with_keys_is_read(tmp_path, project):
    entry = parse_provider("x", BANK, "x.toml")
    found = {verdict.fact: verdict for verdict in verdicts_of(entry, laid(tmp_path, *OF_A_KEY[project]))}
    assert found["parameter"].agree == (project,)


NUCLEI_RAW = """\
http:
  - raw:
      - |
        GET /me?shop={{shop}} HTTP/1.1
        Host: api.bank.example
        Authorization: Basic {{base64(token + ':')}}
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("http/token-spray/api-bank.yaml", NUCLEI_RAW),
        (
            "airbyte-source-bank/x/manifest.yaml",
            "{base: 'https://api.bank.example', a: {type: BasicHttpAuthenticator}}",
        ),
        (
            "airbyte-source-bank/source.py",
            "BASE = 'https://api.bank.example'\nTokenAuthenticator(key, auth_method='Basic')",
        ),
        ("clients/x/bankpy/client.py", "requests.get('https://api.bank.example', auth=(user, key))"),
        ("clients/x/bank.rb/client.rb", "get 'https://api.bank.example', :Authorization => 'Basic ' + encoded"),
        (
            "clients/x/bank.js/client.js",
            "fetch('https://api.bank.example', {headers: {Authorization: `Basic ${key}`}})",
        ),
    ],
)
def test_each_way_to_write_basic_is_read(tmp_path, name, text):
    entry = {**BANK, "type": "basic"}
    entry.pop("parameter")
    claims = laid(tmp_path, name, text)
    provider = parse_provider("x", entry, "x.toml")
    found = {verdict.fact: verdict for verdict in verdicts_of(provider, claims)}
    assert len(found["parameter"].agree) == len(found["scheme"].agree) == 1
    assert not found["scheme"].differ


def test_an_authenticator_of_airbyte_is_held_against_the_entry(tmp_path):
    token = "{base: 'https://api.bank.example', a: {type: ApiKeyAuthenticator, header: Authorization, api_token: 'Token {{ k }}'}}"
    claims = laid(tmp_path, "airbyte-source-bank/x/manifest.yaml", token)
    assert verdicts(BANK, claims)["parameter"].differ == {"Airbyte": "authorization"}
    assert claims[0].facts["scheme"] == {"token"}


def test_a_client_of_another_api_with_the_same_name_says_nothing(tmp_path):
    claims = laid(tmp_path, "packages/backend/src/apps/bank/index.js", "'https://api.other.example' 'X-Bank-Key'")
    assert verdicts(BANK, claims)["parameter"].agree == ()


def test_a_client_laid_under_another_entry_says_nothing(tmp_path):
    claims = laid(tmp_path, "clients/shop/shoppy/client.py", "'https://api.bank.example' 'X-Bank-Key'")
    assert verdicts(BANK, claims)["parameter"].agree == ()


def test_what_a_project_tests_itself_with_is_no_fact(tmp_path):
    laid(tmp_path, "packages/backend/src/apps/bank/index.js", "'https://api.bank.example'")
    claims = laid(tmp_path, "packages/backend/src/apps/bank/test/index.js", "'X-Bank-Key'")
    assert verdicts(BANK, claims)["parameter"].agree == ()
