from __future__ import annotations

import threading

import pytest
from servers.catalogue_api import CatalogueApi


@pytest.fixture
def api():
    """A real API that pages in every style; see tests/servers/catalogue_api.py."""
    with CatalogueApi() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
