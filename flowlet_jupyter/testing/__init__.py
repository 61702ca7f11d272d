"""For tests of notebooks and programs that use named secrets; see docs/testing.md. The pytest fixtures are in plugin.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowlet_jupyter.testing.tokens import put_secret

__all__ = ["put_secret"]


def __getattr__(name: str) -> Any:
    """Loaded when it is asked for: pytest imports this package in every run, to find the fixtures."""
    if name == "put_secret":
        from flowlet_jupyter.testing.tokens import put_secret

        return put_secret
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
