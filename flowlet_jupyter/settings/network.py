"""The way out of the building: the proxies and certificates that the environment names, for API and provider alike."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import httpx

from flowlet_jupyter.errors import MissingExtra, NetworkSetupError
from flowlet_jupyter.settings.header_deadline import header_deadline, with_header_deadline
from flowlet_jupyter.settings.proxies import proxy_settings

# in this order: httpx's own, then those of requests and curl, which images of organisations set
CA_FILE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
CA_FOLDER_VARIABLE = "SSL_CERT_DIR"
_T = TypeVar("_T", httpx.HTTPTransport, httpx.AsyncHTTPTransport)


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
