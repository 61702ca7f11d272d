"""A stored secret whose provider takes away what it uses is named in time."""

from __future__ import annotations

import datetime

import pytest

from flowlet_jupyter.cli import main
from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.schema import from_mapping
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.oauth.token_response import token_set_from
from flowlet_jupyter.providers import ending_of, fields_for, provider_index, provider_named
from flowlet_jupyter.providers.stored_endings import what_ends
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
    sentences = ending_of(shown, provider_index(), datetime.date(2027, 3, 1))
    assert ("2027-04-30" in sentences) is is_meant


def test_a_secret_of_no_provider_has_no_ending():
    assert ending_of({"type": "external", "allowed_hosts": ["a.example"]}, provider_index(), TODAY) == ""
    assert ending_of({"type": "oauth2"}, provider_index(), TODAY) == ""


SECRET = {
    "client_id": "i",
    "client_secret": "s",
    "token_endpoint": "https://as.example/t",
    "authorization_endpoint": "https://as.example/a",
}
NOW = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC).timestamp()


@pytest.mark.parametrize(
    ("day", "sentences"),
    [
        ("2026-12-20", ["The client secret ends on 2026-12-20: make a new one at the provider, and give it here."]),
        ("2026-11-01", ["The client secret ended on 2026-11-01: make a new one at the provider, and give it here."]),
        ("2027-06-01", []),
        (None, []),
    ],
)
def test_a_client_secret_that_ends_soon_is_told(day, sentences):
    record = Record(secret=from_mapping("oauth2", {"name": "x", **SECRET, "client_secret_expires_on": day}))
    assert what_ends(record, [], now=NOW) == sentences


@pytest.mark.parametrize("day", ["2027-13-01", "20270101", "soon"])
def test_a_day_that_is_none_is_refused(day):
    with pytest.raises(InvalidSecret, match="such as 2027-02-16"):
        from_mapping("oauth2", {"name": "x", **SECRET, "client_secret_expires_on": day})


@pytest.mark.parametrize(
    ("members", "seconds"),
    [
        ({"refresh_token_expires_in": 86400}, 86400),
        ({"x_refresh_token_expires_in": "86400"}, 86400),
        ({"refresh_expires_in": 1800}, 1800),
        ({"refresh_expires_in": 0}, None),
        ({"refresh_token_expires_at": "2026-11-26T12:00:00Z"}, 86400),
        ({"refreshTokenExpiresAt": (NOW + 60) * 1000}, 60),
        ({"refresh_token_expires_in": "never"}, None),
        ({}, None),
    ],
)
def test_when_a_refresh_token_ends_is_read_in_the_spellings_that_providers_have(members, seconds):
    secret = from_mapping("oauth2", {"name": "x", **SECRET})
    token_set = token_set_from(secret, {"access_token": "a", "refresh_token": "r", **members}, "It", NOW)
    assert token_set.grant_ends_at == (None if seconds is None else NOW + seconds)
    sentences = what_ends(Record(secret=secret, token_set=token_set), [], now=NOW)
    assert [sentence.startswith("The refresh token ends on 2026-11-2") for sentence in sentences] == [True] * (
        seconds is not None
    )


def test_a_grant_that_lasts_is_not_mentioned():
    secret = from_mapping("oauth2", {"name": "x", **SECRET})
    members = {"access_token": "a", "refresh_token": "r", "refresh_token_expires_in": 90 * 86400}
    token_set = token_set_from(secret, members, "It", NOW)
    assert what_ends(Record(secret=secret, token_set=token_set), [], now=NOW) == []


def test_the_list_says_what_ends(capsys):
    fields = {"client_id": "i", "client_secret": "s", "token_endpoint": "https://api.fitbit.com/oauth2/token"}
    more = {"authorization_endpoint": "https://www.fitbit.com/oauth2/authorize", "allowed_hosts": ["api.fitbit.com"],
            "client_secret_expires_on": "2026-01-31"}  # fmt: skip
    default_vault().put(Record(secret=from_mapping("oauth2", {"name": "watch", **fields, **more})))
    default_vault().put(Record(secret=from_mapping("oauth2", {"name": "other", **SECRET})))
    main(["list"])
    shown = capsys.readouterr().out
    assert "watch: Fitbit ended this on 2026-09-30" in shown
    assert "watch: The client secret ended on 2026-01-31" in shown
    assert "other: " not in shown


def test_the_doctor_says_it(capsys):
    # a provider that is gone stays gone, on whatever day the test runs
    fields = {"client_id": "i", "client_secret": "s", "token_endpoint": "https://api.fitbit.com/oauth2/token"}
    more = {"authorization_endpoint": "https://www.fitbit.com/oauth2/authorize", "allowed_hosts": ["api.fitbit.com"]}
    default_vault().put(Record(secret=from_mapping("oauth2", {"name": "watch", **fields, **more})))
    main(["doctor"])
    assert "Fitbit ended this on 2026-09-30" in capsys.readouterr().out
