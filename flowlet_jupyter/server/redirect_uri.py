"""The redirect URI of this server, as the browser reaches it."""

from __future__ import annotations

from jupyter_server.utils import url_path_join
from tornado.httputil import HTTPServerRequest


def redirect_uri(request: HTTPServerRequest, base_url: str) -> str:
    """`<origin><base_url>flowlet/callback`, the origin being the one of `request`.

    Behind a proxy the server must trust its headers (`ServerApp.trust_xheaders`) to see https.
    """
    return f"{request.protocol}://{request.host}{url_path_join(base_url, 'flowlet', 'callback')}"
