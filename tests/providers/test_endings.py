"""A stored secret whose provider takes away what it uses is named in time."""

from __future__ import annotations

import datetime

import pytest

from flowlet_jupyter.cli import main
from flowlet_jupyter.model.schema import from_mapping
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.providers import ending_of, fields_for, provider_index, provider_named
from flowlet_jupyter.vault import default_vault

TODAY = datetime.date(2026, 11, 25)
OLD_HUBSPOT = {"type": "oauth2", "token_endpoint": "https://api.hubapi.com/oauth/v1/token"}


def test_a_secret_of_before_is_told_although_the_entry_has_moved_on():
    assert "HubSpot ends this on 2027-02-16" in ending_of(OLD_HUBSPOT, provider_index(), TODAY)
    entry = provider_named("hubspot")
    assert ending_of({"type": "oauth2", **fields_for(entry, {})}, provider_index(), TODAY) == ""


def test_what_ends_later_than_in_four_months_is_not_mentioned():
    assert ending_of(OLD_HUBSPOT, provider_index(), datetime.date(2026, 6, 1)) == ""


def test_a_provider_that_is_gone_is_said_to_be():
    fitbit = {"type": "oauth2", "token_endpoint": "https://api.fitbit.com/oauth2/token"}
    assert "Fitbit ended this on 2026-09-30" in ending_of(fitbit, provider_index(), TODAY)


@pytest.mark.parametrize(("kind", "is_meant"), [("basic", True), ("oauth2", False)])
def test_a_key_is_matched_by_its_host(kind, is_meant):
    shown = {
        "type": kind,
        "allowed_hosts": ["birds.zendesk.com"],
        "token_endpoint": "https://birds.zendesk.com/oauth/tokens",
    }
    said = ending_of(shown, provider_index(), datetime.date(2027, 3, 1))
    assert ("2027-04-30" in said) is is_meant


def test_a_secret_of_no_provider_has_no_ending():
    assert ending_of({"type": "external", "allowed_hosts": ["a.example"]}, provider_index(), TODAY) == ""
    assert ending_of({"type": "oauth2"}, provider_index(), TODAY) == ""


def test_the_doctor_says_it(capsys):
    # a provider that is gone stays gone, on whatever day the test runs
    fields = {"client_id": "i", "client_secret": "s", "token_endpoint": "https://api.fitbit.com/oauth2/token"}
    more = {"authorization_endpoint": "https://www.fitbit.com/oauth2/authorize", "allowed_hosts": ["api.fitbit.com"]}
    default_vault().put(Record(secret=from_mapping("oauth2", {"name": "watch", **fields, **more})))
    main(["doctor"])
    assert "Fitbit ended this on 2026-09-30" in capsys.readouterr().out
