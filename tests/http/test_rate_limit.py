"""Rate limits in the headers of each API that names them in its own way; names and forms as catalogues and APIs have them."""

from __future__ import annotations

import datetime

import httpx
import pytest

from flowlet_jupyter.http.rate_limit import RateLimit, pause_of, rate_limit_of

NOW = 1_800_000_000.0
IN_A_MINUTE = datetime.datetime.fromtimestamp(NOW + 60, datetime.UTC)
EPOCH = str(int(NOW + 60))

# API: headers, and what they say
SPELLINGS = {
    "Affinity": ({"X-RateLimit-Limit-User": "900", "X-RateLimit-Limit-User-Remaining": "0", "X-RateLimit-Limit-User-Reset": "60",
                  "X-RateLimit-Limit-Org-Remaining": "900", "X-RateLimit-Limit-Org-Reset": "9999"}, RateLimit(0, 900, NOW + 60)),
    "Aircall": ({"X-AircallApi-Limit": "60", "X-AircallApi-Remaining": "0", "X-AircallApi-Reset": EPOCH}, RateLimit(0, 60, NOW + 60)),
    "Anthropic": ({"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49",
                   "anthropic-ratelimit-requests-reset": IN_A_MINUTE.isoformat().replace("+00:00", "Z"),
                   "anthropic-ratelimit-input-tokens-remaining": "20000"}, RateLimit(49, 50, NOW + 60)),
    "Atlassian": ({"X-RateLimit-Limit": "350", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": IN_A_MINUTE.strftime("%Y-%m-%dT%H:%MZ")},
                  RateLimit(0, 350, NOW + 60)),
    "BigCommerce": ({"X-Rate-Limit-Requests-Left": "0", "X-Rate-Limit-Requests-Quota": "150", "X-Rate-Limit-Time-Reset-Ms": "60000",
                     "X-Rate-Limit-Time-Window-Ms": "30000"}, RateLimit(0, 150, NOW + 60)),
    "CloudTalk": ({"X-CloudTalkAPI-Remaining": "0", "X-CloudTalkAPI-ResetTime": EPOCH}, RateLimit(0, None, NOW + 60)),
    "Contentful": ({"X-Contentful-RateLimit-Second-Remaining": "0", "X-Contentful-RateLimit-Second-Limit": "55",
                    "X-Contentful-RateLimit-Reset": "60"}, RateLimit(0, 55, NOW + 60)),
    "Discogs": ({"X-Discogs-Ratelimit": "60", "X-Discogs-Ratelimit-Remaining": "12", "X-Discogs-Ratelimit-Used": "48"}, RateLimit(12, 60)),
    "Discord": ({"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "60.0"}, RateLimit(0, 5, NOW + 60)),
    "Exact Online": ({"X-RateLimit-Minutely-Limit": "60", "X-RateLimit-Minutely-Remaining": "0",
                      "X-RateLimit-Minutely-Reset": str(int(NOW + 60) * 1000), "X-RateLimit-Remaining": "4000"}, RateLimit(0, 60, NOW + 60)),
    "GitHub": ({"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": EPOCH, "x-ratelimit-used": "5000",
                "x-ratelimit-resource": "core"}, RateLimit(0, 5000, NOW + 60)),
    "HubSpot": ({"X-HubSpot-RateLimit-Daily": "250000", "X-HubSpot-RateLimit-Daily-Remaining": "249000",
                 "X-HubSpot-RateLimit-Interval-Milliseconds": "10000", "X-HubSpot-RateLimit-Remaining": "98",
                 "X-HubSpot-RateLimit-Max": "100"}, RateLimit(98)),
    "IETF, earlier draft": ({"RateLimit": "limit=100, remaining=0, reset=60"}, RateLimit(0, 100, NOW + 60)),
    "IETF, later draft": ({"RateLimit": '"burst";r=5;t=1, "day";r=0;t=60', "RateLimit-Policy": '"burst";q=10;w=1'}, RateLimit(0, None, NOW + 60)),
    "Linear": ({"X-RateLimit-Requests-Limit": "1500", "X-RateLimit-Requests-Remaining": "0",
                "X-RateLimit-Requests-Reset": str(int(NOW + 60) * 1000), "X-RateLimit-Complexity-Remaining": "9"}, RateLimit(0, 1500, NOW + 60)),
    "Okta": ({"X-Rate-Limit-Limit": "600", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": EPOCH}, RateLimit(0, 600, NOW + 60)),
    "OpenAI": ({"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m0s",
                "x-ratelimit-remaining-tokens": "149984", "x-ratelimit-reset-tokens": "6ms"}, RateLimit(0, 60, NOW + 60)),
    "Reddit": ({"x-ratelimit-used": "3", "x-ratelimit-remaining": "97.0", "x-ratelimit-reset": "60"}, RateLimit(97, None, NOW + 60)),
    "Salesforce": ({"Sforce-Limit-Info": "api-usage=18/5000"}, RateLimit(4982, 5000)),
    "Shopify": ({"X-Shopify-Shop-Api-Call-Limit": "40/40"}, RateLimit(0, 40)),
    "Strava": ({"X-RateLimit-Limit": "200,2000", "X-RateLimit-Usage": "150,1990"}, RateLimit(10, 2000)),
    "The Odds API": ({"x-requests-remaining": "499", "x-requests-used": "1"}, RateLimit(499)),
    "Toggl": ({"X-Toggl-Quota-Remaining": "0", "X-Toggl-Quota-Resets-In": "60"}, RateLimit(0, None, NOW + 60)),
    "Twelve Data": ({"api-credits-left": "7", "api-credits-used": "1"}, RateLimit(7)),
    "Twitch": ({"Ratelimit-Limit": "800", "Ratelimit-Remaining": "0", "Ratelimit-Reset": EPOCH}, RateLimit(0, 800, NOW + 60)),
    "Typefully": ({"X-RateLimit-User-Remaining": "0", "X-RateLimit-User-Reset": EPOCH, "X-RateLimit-SocialSet-Remaining": "9",
                   "X-RateLimit-SocialSet-Reset": "1"}, RateLimit(0, None, NOW + 60)),
    "Xero": ({"X-MinLimit-Remaining": "59", "X-DayLimit-Remaining": "4999", "X-AppMinLimit-Remaining": "9999"}, RateLimit(59)),
    "in microseconds": ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{EPOCH}000000"}, RateLimit(0, None, NOW + 60)),
    "without a limit": ({"X-RateLimit-Limit": "0", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "60"}, None),
    "of something else": ({"Content-Length": "3", "X-Rate-Limit-Type": "user", "X-Request-Limit-Bytes": "x"}, None),
}  # fmt: skip


@pytest.mark.parametrize("api", SPELLINGS)
def test_a_rate_limit_is_read_in_the_spelling_of_each_api(api):
    headers, expected = SPELLINGS[api]
    assert rate_limit_of(httpx.Headers(headers), now=NOW) == expected
    if expected and not expected.remaining and expected.resets_at:
        assert pause_of(200, httpx.Headers(headers), now=NOW) == pytest.approx(60)


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "60"},
        {"Retry-After": "60 seconds"},
        {"Retry-After": "PT1M"},
        {"Retry-After": IN_A_MINUTE.isoformat()},
        {"Retry-After": IN_A_MINUTE.strftime("%Y-%m-%d %H:%M:%S UTC")},
        {"X-Retry-After": "60"},
        {"X-RateLimit-RetryAfter": EPOCH},  # CrowdStrike
        {"X-RateLimit-Retry-After": "60"},  # Addepar, Help Scout
        {"X-Rate-Limit-Retry-After-Seconds": "60"},
        {"X-RateLimit-Reset": EPOCH},  # Calendly
        {"RateLimit-Reset": "60"},  # Pennylane
        {"X-RateLimit-Minutely-Reset": str(int(NOW + 60) * 1000), "X-RateLimit-Reset": str(int(NOW + 9999))},  # Exact Online
        {"X-AircallApi-Reset": EPOCH},
        {"X-CloudTalkAPI-ResetTime": EPOCH},
        {"X-Toggl-Quota-Resets-In": "60"},
        {"X-RateLimit-Requests-Reset": EPOCH},
        {"X-RateLimit-User-Reset": EPOCH, "X-RateLimit-SocialSet-Reset": str(int(NOW + 99))},
        {"X-Business-Use-Case-Usage": '{"1": [{"call_count": 100, "estimated_time_to_regain_access": 1}]}'},
    ],
)  # fmt: skip
def test_after_a_429_it_is_waited_as_long_as_the_api_says(headers):
    assert pause_of(429, httpx.Headers(headers), now=NOW) == pytest.approx(60)
