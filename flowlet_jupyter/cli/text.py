"""Text of others as a terminal may show it."""

from __future__ import annotations


def printable(text: str, *, keep: str = "") -> str:
    """`text` without what could hide or overwrite the rest of the screen; the characters in `keep` stay."""
    return "".join(each if each.isprintable() or each in keep else "\ufffd" for each in text)
