"""The name of the file that a secret is in, and of the one that is locked for it."""

from __future__ import annotations

from urllib.parse import unquote

_ENDING = ".jwe"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
# Windows keeps these names, with any ending, for devices
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)


def file_name_of(name: str) -> str:
    """The file of the secret `name`: percent-quoted, so that capitals stay apart where the disk folds case."""
    return _quoted(name) + _ENDING


def lock_file_name_of(name: str) -> str:
    """The file beside it that whoever changes the secret holds locked."""
    return _quoted(name) + ".lock"


def name_of_file(file_name: str) -> str | None:
    """The name of the secret in a file; None for a file of another kind."""
    return unquote(file_name.removesuffix(_ENDING)) if file_name.endswith(_ENDING) else None


def _quoted(name: str) -> str:
    quoted = "".join(
        character if character in _PLAIN else "".join(f"%{byte:02x}" for byte in character.encode())
        for character in name
    )
    if quoted in _DEVICES:
        quoted = f"%{ord(quoted[0]):02x}{quoted[1:]}"
    return quoted
