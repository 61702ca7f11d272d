"""The names of the ways in which APIs page, for the options of the magic and the helper; pagination/ does what they say."""

from __future__ import annotations

from typing import Literal

Style = Literal["auto", "link", "next", "cursor", "page", "offset"]
STYLES: tuple[Style, ...] = ("auto", "link", "next", "cursor", "page", "offset")
