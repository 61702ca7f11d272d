"""The way out of the building: the proxies and certificates that the environment names, for API and provider alike.

httpx's own reading of NO_PROXY fails on `[::1]`, on networks and on some texts with `://`, and then every request fails.
So the proxies come from where httpx takes them (`urllib.request.getproxies`), and who is past them is decided here.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import httpx

from flowlet_jupyter.errors import MissingExtra, NetworkSetupError
from flowlet_jupyter.model.hosts import is_loopback
from flowlet_jupyter.settings.header_deadline import header_deadline, with_header_deadline

# in this order: httpx's own, then those of requests and curl, which images of organisations set
CA_FILE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
CA_FOLDER_VARIABLE = "SSL_CERT_DIR"
_T = TypeVar("_T", httpx.HTTPTransport, httpx.AsyncHTTPTransport)


@dataclass(frozen=True)
class ProxyBypass:
    """One entry of NO_PROXY: which hosts are asked directly."""

    scheme: str = ""
    host: str = ""  # lower case, in ASCII; empty for every host
    port: int | None = None
    below_only: bool = False  # `.example.org`: the names below it, not itself
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None

    def matches(self, scheme: str, host: str, port: int | None) -> bool:
        """Whether a URL of these parts goes past the proxy."""
        if self.scheme and self.scheme != scheme:
            return False
        if self.port is not None and self.port != (port or {"http": 80, "https": 443}.get(scheme)):
            return False
        if self.network is not None:
            try:
                address = ipaddress.ip_address(host)
            except ValueError:
                return False
            return address.version == self.network.version and address in self.network
        if not self.host:
            return True
        return host.endswith(f".{self.host}") or (host == self.host and not self.below_only)


def parse_bypass(entry: str) -> ProxyBypass | None:
    """An entry of NO_PROXY as curl, httpx and Kubernetes write them; None if it says nothing that can be understood."""
    text = entry.strip().lower()
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text
    scheme = "" if scheme == "all" else scheme
    rest = rest.split("/", 1)[0] if separator and not _network(rest) else rest
    if network := _network(rest.removeprefix("[").removesuffix("]")):
        return ProxyBypass(scheme, network=network)
    host, port = rest, None
    if rest.startswith("[") or rest.count(":") == 1:
        try:
            parts = urlsplit(f"//{rest}")
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        if network := _network(host):
            return ProxyBypass(scheme, port=port, network=network)
    below_only = host.startswith((".", "*."))
    host = host.lstrip("*").strip(".")
    if not host and not (separator and scheme):
        return None
    try:
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        return None
    return ProxyBypass(scheme, host, port, below_only)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)  # an address is a network of one
    except ValueError:
        return None


@dataclass(frozen=True)
class ProxySettings:
    """The proxies of the environment: scheme (`http`, `https`, `all`) -> proxy URL, and who goes past them."""

    proxies: Mapping[str, str]
    bypasses: tuple[ProxyBypass, ...] = ()

    def proxy_for(self, url: httpx.URL) -> str | None:
        """The proxy that a request to `url` goes through; None if it goes directly.

        What goes to this machine by http never goes to a proxy, whatever the environment says: it would be read there.
        """
        host = url.raw_host.decode("ascii").rstrip(".")
        if not self.proxies or (url.scheme == "http" and _is_this_machine(host)):
            return None
        if any(bypass.matches(url.scheme, host, url.port) for bypass in self.bypasses):
            return None
        return self.proxies.get(url.scheme) or self.proxies.get("all")


def do_others_ask_a_proxy(url: httpx.URL) -> bool:
    """Whether requests, httpx and the like would hand `url`, which is of this machine, to a proxy of the environment.

    By http it is then read there, with what is on the request.
    """
    host = url.raw_host.decode("ascii").rstrip(".")
    if url.scheme != "http" or not _is_this_machine(host):
        return False
    by_scheme = urllib.request.getproxies()
    return bool(by_scheme.get("http") or by_scheme.get("all")) and not urllib.request.proxy_bypass(host)


def _is_this_machine(host: str) -> bool:
    if host.endswith(".localhost") or is_loopback(host):  # RFC 6761, 6.3
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_unspecified or (mapped is not None and mapped.is_loopback)


def proxy_settings() -> ProxySettings:
    """What HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say, or the system's settings on Windows and macOS."""
    by_scheme = urllib.request.getproxies()
    proxies = {
        scheme: by_scheme[scheme] if "://" in by_scheme[scheme] else f"http://{by_scheme[scheme]}"
        for scheme in ("http", "https", "all")
        if by_scheme.get(scheme)
    }
    entries = [entry.strip() for entry in by_scheme.get("no", "").split(",")]
    if "*" in entries:
        return ProxySettings({})
    bypasses = tuple(bypass for entry in entries if entry and (bypass := parse_bypass(entry)) is not None)
    return ProxySettings(proxies, bypasses)


def tls_context(certificate: tuple[str, str | None] | None = None) -> ssl.SSLContext:
    """Who is trusted: the file or folder that the environment names, else the operating system's store.

    `certificate` is the client's own: its file, and its key's. Raises `NetworkSetupError` for a file that is missing or
    holds no certificate, `OSError` or `ssl.SSLError` for the client's own.
    """
    context = _context_of_environment() or _context_of_system()
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


def insecure_tls_context() -> ssl.SSLContext:
    """A context that checks nothing; no secret is ever sent under it but to this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _context_of_environment() -> ssl.SSLContext | None:
    for variable in (*CA_FILE_VARIABLES, CA_FOLDER_VARIABLE):
        value = os.environ.get(variable)
        if not value:
            continue
        path = Path(value)
        try:
            if path.is_dir():
                return ssl.create_default_context(capath=value)
            return ssl.create_default_context(cafile=value)
        except FileNotFoundError:
            reason = "does not exist"
        except ssl.SSLError:
            reason = "holds no certificate in PEM"
        except OSError as error:
            reason = f"cannot be read ({error.strerror})"
        raise NetworkSetupError(
            f"{variable} names {value}, which {reason}. Correct or remove the variable, and start the kernel (and "
            "Jupyter) again."
        )
    return None


def _context_of_system() -> ssl.SSLContext:
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if os.name == "posix" and os.uname().sysname == "Linux" and not _linux_has_a_store():
        # a minimal container without ca-certificates: those that httpx brings
        return httpx.create_ssl_context(trust_env=False)
    return context


def _linux_has_a_store() -> bool:
    paths = ssl.get_default_verify_paths()
    folder = Path(paths.capath) if paths.capath else None
    usual = ("/etc/ssl/cert.pem", "/etc/pki/tls/cert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
             "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/ca-bundle.pem")  # fmt: skip
    return bool(
        paths.cafile
        or (folder is not None and folder.is_dir() and any(folder.iterdir()))
        or any(Path(name).is_file() for name in usual)
    )


def certificate_advice(error: BaseException) -> str:
    """What to do about a certificate that was refused; empty if that is not what went wrong."""
    text = str(error)
    lowered = text.lower()
    if "certificate" not in lowered or ("verify failed" not in lowered and "not trusted" not in lowered):
        return ""
    if "expired" in lowered or "not yet valid" in lowered:
        return "The server's certificate is not valid at this time. Check this machine's clock; else its owner must renew it."
    if "hostname mismatch" in lowered or "not valid for" in lowered or "ip address mismatch" in lowered:
        return "The server's certificate is for another host. Check the address."
    return (
        "The server's certificate comes from an issuer that this machine does not know. If your organisation issued it "
        "(or its proxy looks into TLS), name its authority before the kernel and Jupyter start: "
        "SSL_CERT_FILE=/path/to/ca.pem, or add it to the operating system's store."
    )


class _Routes(Generic[_T]):
    """Transports of one client: the direct one and one for each proxy, made when they are first needed."""

    def __init__(self, make: Callable[[str | None], _T]) -> None:
        self._settings = proxy_settings()
        self._make: Callable[[str | None], _T] = make
        self._made: dict[str | None, _T] = {}

    def of(self, url: httpx.URL) -> _T:
        proxy = self._settings.proxy_for(url)
        if proxy not in self._made:
            self._made.setdefault(proxy, _opened(self._make, proxy))
        return self._made[proxy]

    @property
    def opened(self) -> list[_T]:
        return list(self._made.values())


def _opened(make: Callable[[str | None], _T], proxy: str | None) -> _T:
    if proxy is None:
        return make(None)
    scheme = proxy.partition("://")[0]  # nothing else of it in a message: it may hold a password
    try:
        return make(proxy)
    except ImportError:
        raise MissingExtra(
            f"The environment names a {scheme} proxy (HTTPS_PROXY, HTTP_PROXY or ALL_PROXY), which needs an extra of "
            'httpx: pip install "httpx[socks]"'
        ) from None
    except (ValueError, httpx.InvalidURL, UnicodeError):
        pass
    raise NetworkSetupError(
        f"The proxy that the environment names ({scheme}://…) cannot be used. Write HTTPS_PROXY, HTTP_PROXY or ALL_PROXY "
        "as http://host:port, https://host:port or socks5://host:port, and start the kernel again."
    )


class NetworkTransport(httpx.BaseTransport):
    """Sends directly or through the proxy of the environment, as the URL of each request asks for."""

    def __init__(self, verify: ssl.SSLContext) -> None:
        self._routes: _Routes[httpx.HTTPTransport] = _Routes(
            lambda proxy: with_header_deadline(httpx.HTTPTransport(verify=verify, proxy=proxy))
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send. Raises `httpx.TransportError`, `NetworkSetupError`, `MissingExtra`."""
        transport = self._routes.of(request.url)
        try:
            with header_deadline(request.extensions):
                return transport.handle_request(request)
        except httpx.ConnectError as error:
            advice = certificate_advice(error)
            if not advice:
                raise
            failure = httpx.ConnectError(f"{error}. {advice}")
        raise failure

    def close(self) -> None:
        """Close the connections."""
        for transport in self._routes.opened:
            transport.close()


class AsyncNetworkTransport(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`."""

    def __init__(self, verify: ssl.SSLContext) -> None:
        self._routes: _Routes[httpx.AsyncHTTPTransport] = _Routes(
            lambda proxy: with_header_deadline(httpx.AsyncHTTPTransport(verify=verify, proxy=proxy))
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send. Raises as `NetworkTransport.handle_request` does."""
        transport = self._routes.of(request.url)
        try:
            with header_deadline(request.extensions):
                return await transport.handle_async_request(request)
        except httpx.ConnectError as error:
            advice = certificate_advice(error)
            if not advice:
                raise
            failure = httpx.ConnectError(f"{error}. {advice}")
        raise failure

    async def aclose(self) -> None:
        """Close the connections."""
        for transport in self._routes.opened:
            await transport.aclose()
