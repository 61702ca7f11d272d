"""What somebody meant who wrote a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable

_MOST_LISTED = 10


def closest(text: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `text` is most likely a slip of, whatever its case; None if none is near."""
    import difflib  # imported where something was mistyped

    by_folded = {name.casefold(): name for name in known}
    matches = difflib.get_close_matches(text.casefold(), by_folded, n=1)
    return by_folded[matches[0]] if matches else None


def did_you_mean(text: str, known: Iterable[str], *, otherwise: str | None = None) -> str:
    """A sentence to put behind "There is no …": the closest of `known`, else `otherwise`, by default the first of them."""
    names = list(known)
    if (match := closest(text, names)) is not None:
        return f"Did you mean '{match}'?"
    if otherwise is not None:
        return otherwise
    more = ", …" if len(names) > _MOST_LISTED else ""
    return f"There are: {', '.join(names[:_MOST_LISTED])}{more}."
