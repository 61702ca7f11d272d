"""Text of others as a terminal may show it."""

from __future__ import annotations

from flowlet_jupyter.errors import printable

__all__ = ["printable"]
