"""Credentials in the text of a request: known by name or by shape, and what the cell says of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flowlet_jupyter.credentials.redaction import is_credential_name
from flowlet_jupyter.model.value import SecretValue

_SHAPE = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|[sr]k_(live|test)_\w+|sk-[\w-]{16,}|gh[pousr]_\w{16,}|github_pat_\w{16,}"
    r"|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{8,}|AIza[\w-]{30,}|AKIA[0-9A-Z]{16}|SG\.[\w-]{16,}\.[\w-]{16,}|ya29\.[\w.-]{16,}"
    r"|shpat_\w{16,}|dop_v1_\w{16,}|npm_\w{20,}|hf_\w{20,}"
)
# what documentation writes in a credential's place
_PLACEHOLDER = re.compile(r"(\w+ )?([<{\[(].*[>}\])]|\$\w+|.*\byour[-_ ]?.*|x{3,}|\.{3,}|…|\*{3,})", re.IGNORECASE)

Location = Literal["header", "query", "user", "form", "JSON"]
_DESCRIPTIONS = {
    "header": "the header {}", "query": "the parameter {} of the URL", "user": "the user name and password ({})",
    "form": "the field {} of the form", "JSON": "the member {} of the JSON",
}  # fmt: skip


@dataclass(frozen=True)
class PastedCredential:
    """A credential that was left out of a request: where it stood, and its value, None where only a name stood there.

    Of the location "user" the value is `user:password`.
    """

    location: Location
    name: str
    value: SecretValue | None = None

    @property
    def description(self) -> str:
        """The credential in a sentence, without its value."""
        return _DESCRIPTIONS[self.location].format(self.name[:60])

    @property
    def is_storable(self) -> bool:
        """Whether a secret can hold it: none is sent in a body."""
        return self.value is not None and self.location in {"header", "query", "user"}


def notice(credentials: Sequence[PastedCredential], host: str) -> str:
    """What the cell says of the credentials that were left out of a request to `host`."""
    names = ", ".join(dict.fromkeys(credential.description for credential in credentials))
    text = (
        f"Left out of the request to {host or 'the API'}: {names}. A credential does not belong in a notebook, and it "
        "still stands in this cell: delete it there."
    )
    if any(credential.is_storable for credential in credentials):
        text += (
            f"\nStore it as a secret for {host or 'that host'}:  %flowlet_secret --from-paste NAME\n"
            "and send it with the request:  --secret NAME"
        )
    elif any(credential.location in {"form", "JSON"} for credential in credentials):
        text += (
            " No secret is sent in a body; a request for a token is what an OAuth2 secret makes by itself "
            "(%flowlet_secret --new). If it is no credential, write it as {{ name }}."
        )
    else:
        text += " Store it as a secret (%flowlet_secret --new) and name that: --secret NAME"
    return text


def is_credential(name: str, value: str) -> bool:
    """Whether a header, parameter or field of this name and value is a credential."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if _SHAPE.search(value):
        return True
    if plain == "key":
        return len(value) >= 16
    return bool(value) and is_credential_name(name)


def user_and_password(text: str, name: str) -> PastedCredential:
    """The `user:password` of an option or URL; `name` says where it stood."""
    return PastedCredential("user", name, pasted_value(text if ":" in text else f"{text}:"))


def pasted_value(text: str) -> SecretValue | None:
    """`text` as a value; None for an expression, and for what documentation writes in a value's place."""
    return None if "\0" in text or _PLACEHOLDER.fullmatch(text.strip()) else SecretValue(text)
