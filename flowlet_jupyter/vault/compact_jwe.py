"""The text of a sealed file: a compact JWE (RFC 7516, 7.1) with `dir` and A256GCM (RFC 7518, 4.5 and 5.3), and no other.

One pair of algorithms and one header, which is compared and never parsed: nothing in the text is looked at before the
tag has proved it. The cipher is cryptography's; a library for all of JOSE takes each process three times as long to import.
"""

from __future__ import annotations

import binascii
import hmac
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_PROTECTED = b"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0"  # {"alg":"dir","enc":"A256GCM"}
_IV_BYTES, _TAG_BYTES = 12, 16  # RFC 7518, 5.3
_FROM_URL_SAFE = bytes.maketrans(b"-_+/", b"+/..")  # and what only the other alphabet has is none of this one


class SealingKey:
    """A key that shows itself to nobody who does not ask, as a `SecretValue` does; and no serializer takes it along."""

    __slots__ = ("__read",)

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise ValueError(f"a key of {KEY_BYTES} bytes is needed")
        self.__read: Callable[[], bytes] = lambda: raw

    def reveal(self) -> bytes:
        """The key itself."""
        return self.__read()

    def __repr__(self) -> str:
        return "SealingKey(hidden)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SealingKey):
            return NotImplemented
        return hmac.compare_digest(self.reveal(), other.reveal())

    __hash__ = None  # type: ignore[assignment]  # a hash can be compared with guesses

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A key of the vault is not pickled or copied out.")

    def __getstate__(self) -> NoReturn:
        self.__reduce_ex__(0)


def encrypt(plaintext: bytes, key: SealingKey) -> bytes:
    """The JWE of `plaintext`."""
    iv = os.urandom(_IV_BYTES)
    sealed = AESGCM(key.reveal()).encrypt(iv, plaintext, _PROTECTED)
    parts = (iv, sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:])
    # nothing is between the first two dots: with `dir` there is no encrypted key
    return b".".join([_PROTECTED, b"", *(urlsafe_b64encode(part).rstrip(b"=") for part in parts)])


def decrypt(token: bytes, key: SealingKey) -> bytes:
    """The plaintext of the JWE `token`. Raises `ValueError` for what was not encrypted here with `key`, or was altered."""
    protected, encrypted_key, *encoded = token.split(b".")
    if protected != _PROTECTED or encrypted_key or len(encoded) != 3:
        raise ValueError("not a JWE with dir and A256GCM")
    iv, ciphertext, tag = map(_decoded, encoded)
    if len(iv) != _IV_BYTES or len(tag) != _TAG_BYTES:  # AESGCM takes others, and a short tag is easier to guess
        raise ValueError("an initialization vector or a tag of another length")
    try:
        return AESGCM(key.reveal()).decrypt(iv, ciphertext + tag, protected)
    except InvalidTag:
        raise ValueError("another key, or an altered text") from None


def _decoded(part: bytes) -> bytes:
    standard = part.translate(_FROM_URL_SAFE)
    return binascii.a2b_base64(standard + b"=" * (-len(standard) % 4), strict_mode=True)
