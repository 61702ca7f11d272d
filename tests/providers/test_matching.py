"""Settings from elsewhere take what the catalogue knows of their provider."""

from __future__ import annotations

import pytest

from flowlet_jupyter.model.oauth2 import CLIENT_CREDENTIALS
from flowlet_jupyter.model.schema import from_mapping
from flowlet_jupyter.providers import load_providers
from flowlet_jupyter.providers.matching import completed

GOOGLE = "https://oauth2.googleapis.com/token"


def test_the_entry_of_the_token_endpoint_fills_in_the_rest():
    found = completed({"token_endpoint": GOOGLE, "client_id": "i", "scope": "drive", "issuer": ""})
    assert found["provider"] == "google"
    assert found["authorization_parameters"] == {"access_type": "offline", "prompt": "consent"}
    assert found["allowed_hosts"] == ("*.googleapis.com",)
    assert found["base_url"] == "https://www.googleapis.com"
    assert (found["scope"], found["issuer"]) == ("drive", "https://accounts.google.com")
    from_mapping("oauth2", {**found, "name": "x", "client_secret": "s"})


def test_a_parameter_is_read_from_the_endpoint():
    found = completed({"token_endpoint": "https://shop-1.myshopify.com/admin/oauth/access_token", "client_id": "i"})
    assert found["provider"] == "shopify"
    assert all("shop-1" in host for host in found["allowed_hosts"] if "myshopify" in host)
    found = completed({"token_endpoint": "https://login.microsoftonline.com/contoso/oauth2/v2.0/token"})
    assert (found["provider"], "contoso" in found["authorization_endpoint"]) == ("microsoft", True)


@pytest.mark.parametrize(
    "endpoint",
    ["https://a.example/oauth/token", "https://evil.example/?https://oauth2.googleapis.com/token", "", None, 5],
)
def test_a_path_that_many_have_is_nobodys(endpoint):
    fields = {"token_endpoint": endpoint, "client_id": "i"}
    assert completed(fields) == fields


def test_what_names_its_provider_stays():
    fields = {"token_endpoint": GOOGLE, "provider": "mine"}
    assert completed(fields) == fields


def test_another_grant_takes_no_scope_of_a_person():
    found = completed({"token_endpoint": GOOGLE, "client_id": "i", "grant_type": CLIENT_CREDENTIALS})
    assert found["allowed_hosts"] == ("*.googleapis.com",)
    assert not {"scope", "authorization_parameters", "identity_url"} & set(found)


@pytest.mark.slow
def test_every_entry_is_found_by_its_own_endpoint():
    by_endpoint = {}
    for provider in load_providers().values():
        if not provider.parameters and "token_endpoint" in provider.fields:
            by_endpoint.setdefault(provider.fields["token_endpoint"], []).append(provider)
    for endpoint, providers in by_endpoint.items():
        found = completed({"token_endpoint": endpoint})
        if len(providers) == 1:
            assert found["provider"] == providers[0].key
        elif "provider" in found:  # the provider itself, beside single APIs of it
            assert found["provider"] in {provider.key for provider in providers}
        else:  # two APIs of one provider: nobody can know which
            assert all(provider.fields[name] == value for name, value in found.items() for provider in providers)
