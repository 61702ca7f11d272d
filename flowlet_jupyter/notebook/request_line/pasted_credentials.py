"""Credentials in a pasted request: found by name or by shape. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(
    r"(.*(apikey|accesskey|authkey|secretkey|privatekey|subscriptionkey|licensekey|appkey|applicationkey|secret|token"
    r"|password|passwd|authorization|cookie|signature|sessionid|assertion)|pwd|sig|xauth|auth|appid|xkey|passphrase)"
)
_NO_NAME = re.compile(r".*(page|next|continuation|sync|cursor|paging|start|skip|scroll)token|.*setcookie")
_SHAPE = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|[sr]k_(live|test)_\w+|sk-[\w-]{16,}|gh[pousr]_\w{16,}|github_pat_\w{16,}"
    r"|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{8,}|AIza[\w-]{30,}|AKIA[0-9A-Z]{16}|SG\.[\w-]{16,}\.[\w-]{16,}|ya29\.[\w.-]{16,}"
    r"|shpat_\w{16,}|dop_v1_\w{16,}|npm_\w{20,}|hf_\w{20,}"
)


@dataclass(frozen=True)
class PastedCredential:
    """A credential that was left out of a request: where it stood, never its value."""

    kind: str
    name: str
    location: str  # header, query, userinfo, form, JSON, command
    host: str = ""

    def note(self) -> str:
        """What the cell says of it."""
        host = f" for {self.host}" if self.host else ""
        return (
            f"The {self.kind} {self.name} ({self.location}) was left out: its value does not belong in a notebook. "
            f"Store it as a secret{host} (%flowlet_secret --new) and name that: --secret NAME. "
            "It still stands in this cell: delete it there."
        )


def is_credential(name: str, value: str) -> bool:
    """Whether a header, parameter or field of this name and value is a credential."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if _SHAPE.search(value):
        return True
    if plain == "key":
        return len(value) >= 16
    return bool(_NAME.fullmatch(plain)) and not _NO_NAME.fullmatch(plain)
