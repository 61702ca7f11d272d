"""The redirect URI under attack: whatever a response lacks or has too much of, nothing is exchanged and nothing stored."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from flowlet_jupyter.vault import default_vault


@dataclass
class Response:
    """What the attacker's victim sends to the redirect URI; to begin with, the right one."""

    parameters: list[tuple[str, str]]
    cookies: dict[str, str]
    path: str = ""
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, value: str | None) -> None:
        self.parameters = [pair for pair in self.parameters if pair[0] != name]
        if value is not None:
            self.parameters.append((name, value))

    def value(self, name: str) -> str:
        return dict(self.parameters)[name]


def change(name: str, make: Callable[[str], str | None]) -> Callable[[Response], None]:
    return lambda response: response.put(name, make(response.value(name)))


def add(*pairs: tuple[str, str], first: bool = False) -> Callable[[Response], None]:
    def attack(response: Response) -> None:
        response.parameters = [*pairs, *response.parameters] if first else [*response.parameters, *pairs]

    return attack


def cookies(make: Callable[[dict[str, str]], dict[str, str]]) -> Callable[[Response], None]:
    def attack(response: Response) -> None:
        response.cookies = make(response.cookies)

    return attack


def each_cookie(make: Callable[[str], str]) -> Callable[[Response], None]:
    return cookies(lambda given: {name: make(value) for name, value in given.items()})


def at(path: str) -> Callable[[Response], None]:
    def attack(response: Response) -> None:
        response.path = path

    return attack


def by(method: str) -> Callable[[Response], None]:
    def attack(response: Response) -> None:
        response.method = method

    return attack


OTHER = "A" * 43
TLS = ssl.create_default_context()  # made once: each would cost more than the attack
ATTACKS: dict[str, Callable[[Response], None]] = {
    # CSRF, login CSRF: the state of nobody, of somebody else, or none
    "no state": change("state", lambda _: None),
    "an empty state": change("state", lambda _: ""),
    "an unknown state": change("state", lambda _: OTHER),
    "a shortened state": change("state", lambda state: state[:-1]),
    "a longer state": change("state", lambda state: state + "A"),
    "a state in capitals": change("state", str.upper),
    "a state with a line break": change("state", lambda state: f"{state}\r\nSet-Cookie: a=b"),
    "a state with NUL": change("state", lambda state: f"{state[:9]}\0{state[9:]}"),
    "a state that is a path": change("state", lambda state: f"../pending/{state}"),
    "a state of 100 kB": change("state", lambda _: "A" * 20_000),
    "a state that is no UTF-8": change("state", lambda _: "\udcff"),
    "state twice, own first": add(("state", OTHER)),
    "state twice, foreign first": add(("state", OTHER), first=True),
    "state as an array": lambda response: (add(("state[]", response.value("state")))(response), response.put("state", None))[0],
    # another browser
    "no cookie": cookies(lambda _: {}),
    "an empty cookie": each_cookie(lambda _: ""),
    "a guessed cookie": each_cookie(lambda _: OTHER),
    "a shortened cookie": each_cookie(lambda value: value[:-1]),
    "a longer cookie": each_cookie(lambda value: value + "A"),
    "a cookie in capitals": each_cookie(str.upper),
    "the cookie under another name": cookies(lambda given: {f"{name}0": value for name, value in given.items()}),
    "the state as the cookie": lambda response: each_cookie(lambda _: response.value("state"))(response),
    # code injection
    "no code": change("code", lambda _: None),
    "an empty code": change("code", lambda _: ""),
    "two codes": add(("code", "attackers-code")),
    "two codes, the attacker's first": add(("code", "attackers-code"), first=True),
    "a code and an error": add(("error", "access_denied")),
    "an error only": lambda response: (response.put("code", None), response.put("error", "access_denied"))[0],
    # mix-up (RFC 9207, RFC 9700)
    "another issuer": change("iss", lambda _: "https://evil.example"),
    "an issuer of another scheme": change("iss", lambda issuer: issuer.replace("http://", "https://")),
    "an issuer with a slash more": change("iss", lambda issuer: f"{issuer}/"),
    "an issuer that begins alike": change("iss", lambda issuer: f"{issuer}.evil.example"),
    "an issuer behind a user": change("iss", lambda issuer: issuer.replace("://", "://evil.example@")),
    "an issuer of another port": change("iss", lambda issuer: issuer[:-1]),
    "an empty issuer": change("iss", lambda _: ""),
    "issuer twice": add(("iss", "https://evil.example")),
    "another provider's redirect URI": at("/0123456789abcdef"),
    # other ways in
    "by POST": by("POST"),
    "by PUT": by("PUT"),
    "by DELETE": by("DELETE"),
    "by HEAD": by("HEAD"),
    "a path below": at("/../callback/x"),
    "a rebound name": lambda response: response.headers.update({"Host": "evil.example"}),
}  # fmt: skip


def start(listener, browser: httpx.Client) -> Response:
    """A flow as its owner starts it, and the response that the provider would send the browser back with."""
    location = browser.get(listener.authorize_url("api")).headers["location"]
    query = parse_qs(urlsplit(location).query)
    issuer = location.partition("/authorize")[0]
    right = [("code", "the-code"), ("state", query["state"][0]), ("iss", issuer)]
    return Response(right, {cookie.name: cookie.value for cookie in browser.cookies.jar})


def send(listener, response: Response) -> httpx.Response:
    url = f"{listener.redirect_uri}{response.path}?{urlencode(response.parameters, errors='surrogateescape')}"
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in response.cookies.items()), **response.headers}
    return httpx.request(response.method, url, headers=headers, verify=TLS)


def is_connected() -> bool:
    return default_vault().get("api").token_set is not None


def test_responses_that_are_not_the_right_one(secret, provider, listener, attacked):
    for name, attack in ATTACKS.items():
        with httpx.Client(verify=TLS) as browser:
            response = start(listener, browser)
            attack(response)
            page = send(listener, response)
            assert page.status_code >= 400, name
            assert not is_connected(), name
            assert "code" not in provider.values, f"{name}: a code was sent to the provider"
            assert "attackers-code" not in page.text, name
    with httpx.Client(verify=TLS) as browser:  # the control: the owner's own response works
        assert send(listener, start(listener, browser)).status_code == 200
    assert is_connected()
    attacked(len(ATTACKS))


def test_a_response_that_is_repeated(secret, provider, listener, attacked):
    with httpx.Client(verify=TLS) as browser:
        response = start(listener, browser)
        assert send(listener, response).status_code == 200
        provider.values.clear()
        for parameters in (response.parameters, [("code", "another"), *response.parameters[1:]]):
            response.parameters = parameters
            assert send(listener, response).status_code == 400
    assert "code" not in provider.values
    attacked(2)


def test_the_response_of_another_flow_in_this_browser(secret, provider, listener, attacked):
    with httpx.Client(verify=TLS) as one, httpx.Client(verify=TLS) as two:
        first, second = start(listener, one), start(listener, two)
        for state, cookies_of in ((first, second), (second, first)):
            mixed = Response(state.parameters, cookies_of.cookies)
            assert send(listener, mixed).status_code == 400
        assert not is_connected()
        assert send(listener, first).status_code == 200  # neither was used up
        assert send(listener, second).status_code == 200
    attacked(2)
