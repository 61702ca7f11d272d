"""Several accounts at one client: `twitter` and `twitter/work` share the registration, never the tokens."""

from __future__ import annotations

import dataclasses

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import InvalidSecret, SecretNotFound
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import Vault, default_vault


@pytest.fixture
def twitter():
    return flowlet.secrets.add(
        OAuth2(name="twitter", authorization_endpoint="https://x.example/a", token_endpoint="https://x.example/t",
               client_id="id", client_secret="one")
    )  # fmt: skip


def test_an_account_shares_the_client_and_has_tokens_of_its_own(twitter):
    work = twitter.add_account("work")
    assert work.name == "twitter/work"
    record = default_vault().get("twitter/work")
    assert record.secret.client_secret.reveal() == "one"
    default_vault().put(dataclasses.replace(record, token_set=TokenSet(access_token=SecretValue("t"))))
    assert work.status().state == "connected"
    assert twitter.status().state == "no_token"


def test_a_new_client_secret_reaches_every_account_also_in_another_process(twitter):
    twitter.add_account("work")
    vault, other = default_vault(), Vault(default_vault().folder)
    assert other.get("twitter/work").secret.client_secret.reveal() == "one"
    changed = dataclasses.replace(vault.get("twitter").secret, client_secret=SecretValue("two, longer"))
    vault.put(Record(secret=changed))
    for reader in (vault, other):
        assert reader.get("twitter/work").secret.client_secret.reveal() == "two, longer"


def test_the_owner_is_deleted_last(twitter):
    work = twitter.add_account("work")
    with pytest.raises(InvalidSecret, match="before its accounts: twitter/work"):
        twitter.delete()
    work.delete()
    twitter.delete()
    assert default_vault().names() == []


def test_an_account_without_its_owner_says_so(twitter):
    twitter.add_account("work")
    vault = default_vault()
    (vault.folder / "twitter.jwe").unlink()
    for reader in (vault, Vault(vault.folder)):
        with pytest.raises(SecretNotFound, match="another account of 'twitter', which is gone"):
            reader.get("twitter/work")


@pytest.mark.parametrize("account", ["", "work\n", "x" * 200])
def test_a_bad_account_name_is_refused(twitter, account):
    if account == "work\n":
        assert twitter.add_account(account).name == "twitter/work"
        return
    with pytest.raises(InvalidSecret):
        twitter.add_account(account)


def test_an_account_has_no_accounts(twitter):
    with pytest.raises(InvalidSecret, match="no client of its own"):
        twitter.add_account("work").add_account("other")
