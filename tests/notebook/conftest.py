from __future__ import annotations

import pytest
from kernels import started


@pytest.fixture
def kernel(jupyter_folders):
    """A real kernel with the extension loaded."""
    with started() as made:
        assert made.run("%load_ext flowlet_jupyter\nimport flowlet_jupyter as flowlet")["status"] == "ok"
        yield made
