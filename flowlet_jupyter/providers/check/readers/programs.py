"""Projects that keep what they know of providers in programs: addresses and names, found by regular expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flowlet_jupyter.providers.check.claims import Claim, normalized, plain_key

URL = re.compile(r"https?://[^\s\"'`<>\\|]+")
_OAUTH2 = re.compile(
    r"(?i)(access_?)?token_?(url|uri|endpoint)|accessTokenUrl|getAccessTokenEndpoint|\btoken: ?[`\"'{]"
)
_PKCE = re.compile(
    r"(?i)pkce_enabled_default = True|BaseOAuth2PKCE|[\"']pkce[\"']|usesPKCE = true|UsePkce = true|code_?verifier"
)
_SEPARATOR = re.compile(
    r"(?i)scope_?(?:separator|delimiter)[\"']?\s*[:=]\s*[\"']([ ,])[\"']"  # a setting
    r"|scopes?\??\.join\([\"']([ ,])[\"']|Join\([\"']([ ,])[\"'], scopes"  # how the program joins
    r"|[\"']?\bscopes?[\"']?\s*[:=]\s*[\"'][\w.:/-]+([ ,])[\w.:/-]+"  # two scopes in one text
    r"|name: 'scope',\s*type: '\w+',\s*default: '[\w.:/-]+([ ,])[\w.:/-]+"
)
_REFRESH = {
    "scope offline_access": re.compile(r"[\"' ,]offline_access\b"),
    "scope offline.access": re.compile(r"[\"' ,]offline\.access\b"),
    "access_type=offline": re.compile(r"(?<!token_)access_?type\W{1,8}offline\b", re.IGNORECASE),
    "token_access_type=offline": re.compile(r"token_access_type\W{1,8}offline\b"),
    "duration=permanent": re.compile(r"duration\W{1,8}permanent\b"),
}
# `base + "/oauth/token"`, `$this->endpoint . 'authorize'`, `${base}/oauth/token`, f"{BASE}/authorize"
_REST = re.compile(
    r"[.+,(=:]\s*[f`]?[\"'`](/?[\w./-]*(?:auth|token|login|connect)[\w./-]*)(?:\?[^\"'`]*)?[\"'`]"
    r"|\}(/[\w./-]*(?:auth|token|login|connect)[\w./-]*)(?:\?[^\"'`]*)?[\"'`]"
)
_MAX_REST, _MAX_BASE, _MAX_JOINED = 60, 5, 5_000
# `"/v1/me"`, `f"{BASE}/v1/me?x="`: what a client puts behind the address of its API
_PATH = re.compile(r"[\"'`}](/?[A-Za-z_][\w@.-]*(?:/[\w@.-]+)*)/?(?=[\"'`?])")
_MAX_PATHS = 200_000
_CLIENT_SUFFIXES = (
    ".py",
    ".js",
    ".mjs",
    ".cjs",
    ".ts",
    ".go",
    ".R",
    ".r",
    ".rb",
    ".php",
    ".java",
    ".rs",
    ".cs",
    ".h",
    ".cpp",
)
_NAMED = re.compile(r"[\"'`?&]([A-Za-z][\w@.-]{0,60})(?=[\"'`=: ])")
_WORD = re.compile(r"[A-Za-z_@][\w@-]{1,60}")
_BASIC = re.compile(  # of requests, httpx, Go, axios, and two HTTP libraries of R
    r"(?i)\bHTTPBasicAuth\b|\bBasicAuth\(|\bSetBasicAuth\(|\bbasic_auth\b|\bauth ?= ?\(|\bauth: ?\{\s*username"
    r"|\buserpwd ?=|\bhttr::authenticate\("
)
_UNQUOTED = re.compile(r"(?i)\bauthorization ?(?:=>|[:=]) ?[\"'`]")  # a member of an object in JavaScript or Ruby
_REVOCATION = re.compile(r"(?i)(?:revoke_?token_?url|revocation_?(?:url|endpoint))\w*\W{1,6}[\"'](https://[^\"']+)")


@dataclass(frozen=True, kw_only=True)
class Program:
    """One project whose providers are files of a program."""

    name: str
    files: tuple[str, ...]
    key_is_folder: bool = False
    # the client authentication: what the file then has, and what the project does without it
    authentication: tuple[str, str, str] = ("", "", "")
    knows_keys: bool = False  # sends keys, under a header or parameter that the file names
    prefix: str = ""  # of the file's name, beside the key
    suffix: str = ""
    is_client: bool = False  # reads the API, so that the names of its paging are in it


def _basic_if(pattern: str) -> tuple[str, str, str]:
    return (pattern, "client_secret_basic", "client_secret_post")


def _post_if(pattern: str) -> tuple[str, str, str]:
    return (pattern, "client_secret_post", "client_secret_basic")


PROGRAMS = (
    Program(name="django-allauth", files=("**/allauth/socialaccount/providers/*/[pv]*.py",), key_is_folder=True,
            authentication=_basic_if("basic_auth = True")),
    Program(name="python-social-auth", files=("**/social_core/backends/*.py",),
            authentication=_basic_if("[Bb]asic |HTTPBasicAuth")),
    Program(name="Auth.js", files=("**/packages/core/src/providers/*.ts",), authentication=_post_if("client_secret_post")),
    Program(name="goth", files=("**/*goth*/providers/*/*.go",), key_is_folder=True),
    Program(name="Socialite Providers", files=("**/SocialiteProviders*/src/*/Provider.php",), key_is_folder=True,
            authentication=_basic_if("Basic |'auth' => ")),
    Program(name="AspNet.Security.OAuth", files=("**/src/AspNet.Security.OAuth.*/*.cs",), key_is_folder=True,
            authentication=_basic_if('"Basic"')),
    Program(name="ScribeJava", files=("**/com/github/scribejava/apis/*.java",),
            authentication=_post_if("RequestBodyAuthenticationScheme")),
    Program(name="Hybridauth", files=("**/*hybridauth/src/Provider/*.php",), authentication=_basic_if("Basic ")),
    Program(name="Arctic", files=("**/arctic/src/providers/*.js",), authentication=_basic_if("[Bb]asic|OAuth2Client")),
    Program(name="Better Auth", files=("**/src/social-providers/*.ts",), authentication=_basic_if('authentication: "basic"')),
    Program(name="Nuxt Auth Utils", files=("**/*nuxt-auth-utils/src/runtime/server/lib/oauth/*.ts",),
            authentication=_basic_if("Basic ")),
    Program(name="Assent", files=("**/lib/assent/strategies/*.ex",), authentication=("auth_method: :client_secret_basic", "client_secret_basic", "")),
    Program(name="Supabase Auth", files=("**/internal/api/provider/*.go",)),
    Program(name="Casdoor", files=("**/*casdoor/idp/*.go",)),
    Program(name="n8n", files=("**/dist/credentials/*.credentials.js", "**/nodes-base/credentials/*.credentials.ts"), knows_keys=True),
    Program(name="n8n", files=("**/dist/nodes/*/GenericFunctions.js", "**/dist/nodes/*/*/GenericFunctions.js"), key_is_folder=True, is_client=True),
    Program(name="TruffleHog", files=("**/pkg/detectors/*/*.go", "**/pkg/detectors/*/v*/*.go"), key_is_folder=True, knows_keys=True),
    Program(name="Estuary", files=("**/source-*/source_*/*.py", "**/source-*/oauth2.go"), is_client=True),
    Program(name="dlt", files=("**/*verified-sources/sources/*/*.py", "**/*verified-sources/sources/*/*/*.py"), key_is_folder=True, is_client=True),
    Program(name="LangChain", files=("**/langchain_community/*/*.py",), is_client=True),
    Program(name="geopy", files=("**/geopy/geocoders/*.py",), is_client=True),
    Program(name="geocoder", files=("**/geocoder/*.py",), is_client=True),
    Program(name="pandas-datareader", files=("**/pandas_datareader/*.py",), is_client=True),
    Program(name="Flask-Dance", files=("**/flask_dance/contrib/*.py",)),
    Program(name="httpx-oauth", files=("**/httpx_oauth/clients/*.py",)),
    Program(name="fastapi-sso", files=("**/fastapi_sso/sso/*.py",)),
    Program(name="HWIOAuthBundle", files=("**/src/OAuth/ResourceOwner/*ResourceOwner.php",), suffix="ResourceOwner",
            authentication=_basic_if("'use_authorization_to_get_token' => true")),
    Program(name="Appwrite", files=("**/Appwrite/Auth/OAuth2/*.php",), authentication=_basic_if("Basic ")),
    Program(name="Kratos", files=("**/selfservice/strategy/oidc/provider_*.go",), prefix="provider_"),
    Program(name="Nhost", files=("**/hasura-auth/go/providers/*.go",)),
    Program(name="x/oauth2", files=("**/*oauth2/[a-z]*/[a-z]*.go",), key_is_folder=True),
    Program(name="Airbyte", files=("**/airbyte/oauth/flows/*OAuthFlow.kt",), suffix="OAuthFlow"),
    Program(name="Airbyte", files=("**/airbyte-integrations/connectors/source-*/manifest.yaml",), key_is_folder=True, is_client=True),
)  # fmt: skip


def program_reader(program: Program) -> Callable[[Path], Iterator[Claim]]:
    """What reads one file of `program`."""

    def read(file: Path) -> Iterator[Claim]:
        text = file.read_text("utf-8", "replace")
        if file.name.endswith("_test.go") or (
            not program.is_client and not URL.search(text) and not _PKCE.search(text)
        ):
            return
        facts = {**(_key_facts(text) if program.knows_keys else {}), **_oauth2_facts(text, program)}
        yield Claim(
            program.name,
            plain_key(_key(file, program)),
            oauth2_urls(text),
            {name: frozenset(values) for name, values in facts.items() if values},
            words_of(text) if program.is_client else frozenset(),
            named_in(text) if program.is_client else frozenset(),
        )

    return read


def client(folder: Path) -> Iterator[Claim]:
    """A client library of one provider, unpacked in a folder of its name, under the key of the entry: `clients/fred/fredapi`."""
    if folder.is_dir():
        files = (file for file in sorted(folder.rglob("*")) if file.suffix in _CLIENT_SUFFIXES and file.is_file())
        text = "\n".join(file.read_text("utf-8", "replace") for file in files)
        yield Claim(
            folder.name,
            plain_key(folder.parent.name),
            oauth2_urls(text) | paths_behind(text),
            words=words_of(text),
            named=named_in(text),
            is_chosen=True,
        )


def oauth2_urls(text: str) -> frozenset[str]:
    """Every address in a program, and those of its authorization that it puts together from a base and the rest."""
    urls = {normalized(url) for url in URL.findall(text)}
    rests = {rest.lstrip("/") for found in _REST.findall(text) for rest in found if rest and len(rest) < _MAX_REST}
    bases = {url for url in urls if url.count("/") <= _MAX_BASE}
    if len(bases) * len(rests) > _MAX_JOINED:  # a whole API, whose addresses are written out
        return frozenset(urls)
    return frozenset(urls | {f"{base}/{rest}".rstrip("/").lower() for base in bases for rest in rests})


def paths_behind(text: str) -> frozenset[str]:
    """The addresses that a client makes of the address of its API, version included or not, and a path in quotes."""
    bases = {url for url in map(normalized, URL.findall(text)) if url.count("/") <= _MAX_BASE}
    paths = {path.strip("/").lower() for path in _PATH.findall(text)}
    if len(bases) * len(paths) > _MAX_PATHS:
        bases = {url for url in bases if "api" in url}
    return frozenset(f"{base}/{path}" for base in bases for path in paths if len(bases) * len(paths) <= _MAX_PATHS)


def named_in(text: str) -> frozenset[str]:
    """The names that stand in quotes or in a query, in lower case, and the header that a user name and password make."""
    names = {name.lower() for name in _NAMED.findall(text)}
    names |= {"authorization", "basic"} if _BASIC.search(text) else set()
    return frozenset(names | ({"authorization"} if _UNQUOTED.search(text) else set()))


def words_of(text: str) -> frozenset[str]:
    """The names in a program, in lower case."""
    return frozenset(word.lower() for word in _WORD.findall(text))


def keyhacks(file: Path) -> Iterator[Claim]:
    """A list of one request a kind of key, each under a heading."""
    for section in file.read_text("utf-8").split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        urls = frozenset(normalized(url) for url in URL.findall(text))
        query = re.findall(r"[?&]([\w-]*(?:key|token)[\w-]*)=", text, re.IGNORECASE)
        headers = re.findall(r"-H ['\"]([\w-]+): ?(?:(\w+) )?", text)
        names = {name.lower() for name in query} | {name.lower() for name, _ in headers} - {"content-type", "accept"}
        schemes = {scheme.lower() for name, scheme in headers if name.lower() == "authorization" and scheme}
        if re.search(r" (-u|--user) ", text):
            names, schemes = names | {"authorization"}, schemes | {"basic"}
        title = re.sub(r"\[([^\]]*)\].*", r"\1", title)
        if urls and names:
            facts = {"parameter": frozenset(names), **({"scheme": frozenset(schemes)} if schemes else {})}
            yield Claim(
                "keyhacks", plain_key(re.sub(r"(?i) (access|api|token|key|and|secret|user).*", "", title)), urls, facts
            )


def _key(file: Path, program: Program) -> str:
    if program.name == "Estuary":
        connector = next(part for part in reversed(file.parts[:-1]) if part.startswith("source-"))
        return connector.removeprefix("source-").removesuffix("-native")
    if not program.key_is_folder:
        return file.name.split(".")[0].removeprefix(program.prefix).removesuffix(program.suffix)
    folder = file.parent
    while re.fullmatch(r"v\d+|helpers", folder.name):
        folder = folder.parent
    return folder.name.removeprefix("AspNet.Security.OAuth.").removeprefix("source-")


def _oauth2_facts(text: str, program: Program) -> dict[str, set[str]]:
    facts: dict[str, set[str]] = {
        "pkce": {"yes"} if _PKCE.search(text) else set(),
        "scope_separator": {{" ": "space", ",": "comma"}["".join(found)] for found in _SEPARATOR.findall(text)},
        "refresh_token": {name for name, pattern in _REFRESH.items() if pattern.search(text)},
        "revocation_endpoint": {normalized(url) for url in _REVOCATION.findall(text)},
    }
    pattern, then, otherwise = program.authentication
    if pattern and _OAUTH2.search(text):
        facts["client_authentication"] = {then if re.search(pattern, text) else otherwise} - {""}
    if found := re.search(r"'authentication',\s*type: '\w+',\s*default: '(header|body)'", text):
        facts["client_authentication"] = {"client_secret_basic" if found[1] == "header" else "client_secret_post"}
    return facts


def _key_facts(text: str) -> dict[str, set[str]]:
    """n8n's `'api-key': '={{$credentials.apiKey}}'`, and the `Header.Add("X-Key", …)` of a program in Go."""
    pairs = re.findall(r"['\"]?([\w-]+)['\"]?\s*:\s*[`'\"]=(\w*)[^`'\"]*\{\{\s*\$credentials", text)
    sent = re.findall(r"Header\.(?:Add|Set)\(\"([\w-]+)\", (?:fmt\.Sprintf\()?\"?(\w*)", text)
    names = {"authorization" if name in {"username", "password"} else name.lower() for name, _ in pairs}
    names |= {name.lower() for name in (*(name for name, _ in sent), *re.findall(r"[?&]([\w-]+)=(?:%s|\"\s*\+)", text))}
    schemes = {scheme.lower() for name, scheme in (*pairs, *sent) if name.lower() == "authorization" and scheme}
    if "SetBasicAuth(" in text or {"username", "password"} <= {name for name, _ in pairs}:
        names, schemes = names | {"authorization"}, schemes | {"basic"}
    return {
        "parameter": names - {"baseurl", "url", "domain", "accept", "content-type", "user-agent"},
        "scheme": schemes & {"bearer", "basic", "token"},
    }
