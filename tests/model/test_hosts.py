from __future__ import annotations

import httpx
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import FlowletError, HostNotAllowed, InvalidSecret
from flowlet_jupyter.model.hosts import check_destination, default_rule, is_loopback, parse_host_rule


def allowed(url: str, *entries: str) -> bool:
    """Whether a request to `url`, as httpx would connect it, passes."""
    try:
        parsed = httpx.URL(url)
        check_destination(
            "s",
            [parse_host_rule(entry) for entry in entries],
            scheme=parsed.scheme,
            host=parsed.raw_host.decode("ascii"),
            port=parsed.port,
        )
    except (HostNotAllowed, httpx.InvalidURL):
        return False
    return True


@pytest.mark.parametrize(
    "url",
    [
        "https://api.twitter.com/2/users/me",
        "https://API.Twitter.com/",
        "https://api.twitter.com:443/",
        "https://user@api.twitter.com/",
    ],
)
def test_the_named_host_is_allowed(url):
    assert allowed(url, "api.twitter.com")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.twitter.com@evil.example/",
        "https://api.twitter.com.evil.example/",
        "https://evilapi.twitter.com/",
        "https://twitter.com/",
        "https://api.twitter.com:8443/",
        "http://api.twitter.com/",
        "http://api.twitter.com:443/",
        "https://api.twitter.com./",
        "https://api.twitter.com\\@evil.example/",
        "https://api%2etwitter.com/",
        "https:///api.twitter.com/",
        "ftp://api.twitter.com/",
        "https://аpi.twitter.com/",
        "https://ａpi.twitter.com/",
        "https://api.twitter.com%00.evil.example/",
        "//api.twitter.com/",
    ],
)
def test_a_look_alike_is_refused(url):
    assert not allowed(url, "api.twitter.com")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example.org/", True),
        ("https://a.b.example.org/", True),
        ("https://example.org/", False),
        ("https://evilexample.org/", False),
        ("https://a.example.org:444/", False),
    ],
)
def test_a_wildcard_means_names_below(url, expected):
    assert allowed(url, "*.example.org") is expected


def test_http_goes_to_this_machine_only():
    assert allowed("http://127.0.0.1:8754/", "127.0.0.1:8754")
    assert allowed("http://localhost/", "localhost")
    assert allowed("http://[::1]:80/", "[::1]")
    assert not allowed("http://10.0.0.1/", "10.0.0.1:80")
    assert not allowed("http://example.org/", "example.org")


@pytest.mark.parametrize("url", ["http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://[::ffff:127.0.0.1]/"])
def test_odd_spellings_of_an_address_are_not_the_address(url):
    assert not allowed(url, "127.0.0.1")


@pytest.mark.parametrize(
    "entry",
    ["", "https://api.twitter.com", "api.twitter.com/2", "*", "*.com", "*.127.0.0.1", "a b", "a@b", "api:0", "api:70000",
     "api:x", "-a.example", "ünicode.example", "[::1", "a..b", "*.*.example.org"],
)  # fmt: skip
def test_what_is_no_host_is_refused_with_an_example(entry):
    with pytest.raises(InvalidSecret) as caught:
        parse_host_rule(entry)
    assert caught.value.field == "allowed_hosts"


@pytest.mark.parametrize(
    ("scheme", "host", "port", "message"),
    [
        ("https", "evil.example", None, "Secret 'twitter' may not be sent to evil.example. It is allowed for"),
        ("https", "api.twitter.com", 8443, "Secret 'twitter' may not be sent to api.twitter.com:8443. It is allowed for"),
        ("https", "api.twitter.com", 80, "Secret 'twitter' may not be sent to api.twitter.com:80. It is allowed for"),
        ("http", "::1", 80, "Secret 'twitter' may not be sent to [::1]. It is allowed for"),
        ("https", "::1", 8001, "Secret 'twitter' may not be sent to [::1]:8001. It is allowed for"),
        ("ftp", "api.twitter.com", None, "Secret 'twitter' is only sent over https; this URL is not one."),
        ("https", "", None, "Secret 'twitter' is only sent over https; this URL is not one."),
        ("http", "b.a.example", 444,
         "Secret 'twitter' is not sent over http://, where anybody on the way could read it. Use https://b.a.example."),
    ],
)  # fmt: skip
def test_the_refusal_names_secret_host_and_fix(scheme, host, port, message):
    rules = [parse_host_rule(entry) for entry in ("api.twitter.com", "[::1]:8000", "*.a.example:444")]
    with pytest.raises(HostNotAllowed) as caught:
        check_destination("twitter", rules, scheme=scheme, host=host, port=port)
    assert str(caught.value).startswith(message)
    assert str(caught.value).removeprefix(message) in {
        "", " api.twitter.com, [::1]:8000, *.a.example:444; to allow another host, edit the secret: %flowlet_secret twitter",
    }  # fmt: skip


def test_default_rule_keeps_a_port_that_is_not_the_schemes():
    assert default_rule("https://api.twitter.com/2/oauth2/token") == "api.twitter.com"
    assert default_rule("https://a.example:443/t") == "a.example"
    assert default_rule("http://127.0.0.1:8754/t") == "127.0.0.1:8754"
    assert default_rule("http://[::1]:8754/t") == "[::1]:8754"
    assert default_rule("/only/a/path") == ""


HOSTS = st.sampled_from(["api.example.org", "example.org", "evil.test", "127.0.0.1", "localhost", "[::1]"])
ODD = st.text(st.sampled_from("aA.:@/\\#?%2e[]-_ \t\n0x\u3002\uff0e\u00e9"), max_size=8)


@settings(max_examples=examples(2000))
@given(
    scheme=st.sampled_from(["https", "http", "HTTPS", "ftp", ""]),
    before=ODD,
    host=HOSTS,
    after=ODD,
    port=st.sampled_from(["", ":443", ":80", ":8443", ":0443", ":"]),
)
def test_a_url_that_passes_is_connected_to_an_allowed_host(scheme, before, host, after, port):
    """The rule agrees with the connection, however the URL is written."""
    url = f"{scheme}://{before}{host}{after}{port}/x"
    if allowed(url, "api.example.org"):
        parsed = httpx.URL(url)
        request = httpx.Request("GET", parsed)
        assert request.url.scheme == "https"
        assert request.url.raw_host == b"api.example.org"
        assert request.url.port in {None, 443}


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_a_clear_refusal(text):
    try:
        rule = parse_host_rule(text)
    except InvalidSecret:
        return
    assert parse_host_rule(str(rule)) == rule


def test_loopback_names():
    assert is_loopback("localhost")
    assert is_loopback("127.9.9.9")
    assert is_loopback("::1")
    assert not is_loopback("localhost.example.org")
    assert not is_loopback("0.0.0.0")


@pytest.mark.parametrize("rule", ["*.0.0.1", "*.1", "*.example.0x1", "*.127.0.0.1"])
def test_a_wildcard_over_addresses_is_refused(rule):
    with pytest.raises(InvalidSecret):
        parse_host_rule(rule)


@pytest.mark.parametrize("url", ["https://xn--a.example/", "https://xn--zz.example/", f"https://{'a' * 70}.example/"])
def test_a_name_that_is_none_is_an_error_of_ours(url):
    with pytest.raises(FlowletError):
        flowlet.get(url, timeout=2)
