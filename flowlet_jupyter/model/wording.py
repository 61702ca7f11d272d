"""How messages say numbers."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 secret`, `2,000 secrets`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
