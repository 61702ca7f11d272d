"""JMESPath selections of a parsed body."""

from __future__ import annotations

from typing import Any

from flowlet_jupyter.errors import RequestFailed


def select(body: Any, path: str) -> Any:
    """What the JMESPath expression `path` selects of `body`. Raises `RequestFailed` if it is none."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(path, body)
    except JMESPathError as error:
        raise RequestFailed(f"The selection {path!r} does not work: {str(error).splitlines()[0]}") from None
