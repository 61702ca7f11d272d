"""`flowlet://` for fsspec, and so for pandas, polars, dask and pyarrow. fsspec finds this module by its entry point."""

from __future__ import annotations

from typing import Any

from fsspec.implementations.memory import MemoryFile
from fsspec.spec import AbstractFileSystem

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.api import get
from flowlet_jupyter.session import Session


class FlowletFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no hints
    """`pd.read_json("flowlet://api.example.com/v1/items.json", storage_options={"secret": "acme"})`.

    The options hold the secret's name (and `session`, if it is not the default one's) and no value. The request goes
    through our transport, so that every hop of a redirect obeys the host rule, which the `Authorization` of pandas' own
    `storage_options` does not. Reading only.
    """

    protocol = "flowlet"
    cachable = False  # a response of an API is as old as its request

    def __init__(self, secret: str | None = None, session: Session | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._secret, self._session = secret, session

    def _open(self, path: str, mode: str = "rb", **_options: Any) -> MemoryFile:
        if mode != "rb":
            raise RequestFailed("flowlet:// is for reading only.")
        address = self._strip_protocol(path)
        # on this machine an API may well have no TLS; the host rule refuses http:// anywhere else
        scheme = "http" if address.startswith(("127.0.0.1:", "localhost:")) else "https"
        response = get(f"{scheme}://{address}", secret=self._secret, session=self._session)
        if response.is_error:
            raise RequestFailed(
                f"The API answered {response.status_code} {response.reason_phrase} for {address[:200]}."
            )
        return MemoryFile(None, path, response.content)

    def info(self, path: str, **_options: Any) -> dict[str, Any]:
        """What fsspec asks for before it opens a file; the size is not known before."""
        return {"name": self._strip_protocol(path), "type": "file", "size": None}
