"""What a sealed file holds is the JWE that any library for JOSE reads and writes, and nothing else is opened."""

from __future__ import annotations

import base64
import secrets

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import OctKey

from flowlet_jupyter.vault.compact_jwe import SealingKey, decrypt, encrypt
from flowlet_jupyter.vault.sealed_file import read_sealed

RAW = bytes(range(32))
KEY = SealingKey(RAW)
THEIRS = OctKey.import_key(RAW, {"alg": "dir", "use": "enc"})
ALGORITHMS = ["dir", "A256GCM", "A128GCM", "DEF"]
# written by joserfc 1.8, as all vaults were until November 2026
FORMER = b"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..1xdGawXEpGyy386E.S7En4xrFBB7yTRtjIcMD.qGeM-B4VstK4xr0Hle6OVw"


def encrypted_by_others(header: dict[str, str], plaintext: bytes = b"{}", key: OctKey = THEIRS) -> bytes:
    return jwe.encrypt_compact(header, plaintext, key, algorithms=ALGORITHMS).encode()


def encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@given(st.binary(max_size=200))
def test_either_opens_what_the_other_wrote(plaintext):
    assert jwe.decrypt_compact(encrypt(plaintext, KEY), THEIRS, algorithms=ALGORITHMS).plaintext == plaintext
    assert decrypt(encrypted_by_others({"alg": "dir", "enc": "A256GCM"}, plaintext), KEY) == plaintext


def test_a_file_of_a_former_version_opens(tmp_path):
    (tmp_path / "api.jwe").write_bytes(FORMER)
    assert read_sealed(tmp_path / "api.jwe", KEY) == {"name": "api"}


def test_no_two_texts_are_alike():
    assert len({encrypt(b"{}", KEY).split(b".")[2] for _ in range(100)}) == 100  # a nonce twice gives the key away


@pytest.mark.parametrize("part", range(5))
def test_a_character_that_was_changed_is_noticed_in_each_part(part):
    parts = encrypt(b'{"name": "api"}', KEY).split(b".")
    parts[part] = (b"B" if parts[part][:1] == b"A" else b"A") + parts[part][1:]
    with pytest.raises(ValueError, match=r"not a JWE|another key"):
        decrypt(b".".join(parts), KEY)


def test_another_key_opens_nothing():
    with pytest.raises(ValueError, match="another key"):
        decrypt(encrypt(b"{}", KEY), SealingKey(secrets.token_bytes(32)))


@pytest.mark.parametrize(
    "token",
    [
        b"", b".", b"....", b"a.b.c.d.e", encrypt(b"{}", KEY) + b".", encrypt(b"{}", KEY) + b"\n", encrypt(b"{}", KEY)[:-2],
        encrypt(b"{}", KEY).replace(b".", b"=.", 3), b"\xff" * 50, encrypt(b"{}", KEY).replace(b"..", b".AA."),
    ],
    ids=["nothing", "one dot", "empty parts", "no Base64", "six parts", "line break", "short tag", "padding", "no text", "a wrapped key"],
)  # fmt: skip
def test_what_is_no_jwe_is_a_value_error(token):
    with pytest.raises(ValueError):
        decrypt(token, KEY)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "dir", "enc": "A256GCM", "zip": "DEF"},  # a few bytes that would become gigabytes
        {"enc": "A256GCM", "alg": "dir"},
        {"alg": "dir", "enc": "A256GCM", "kid": "1"},
    ],
    ids=["compressed", "another order", "more"],
)
def test_what_others_wrote_with_the_key_but_another_header_is_not_opened(header):
    with pytest.raises(ValueError, match="not a JWE"):
        decrypt(encrypted_by_others(header), KEY)


@pytest.mark.parametrize(("iv", "tag"), [(12, 15), (12, 4), (16, 16), (8, 16)])
def test_a_tag_or_an_iv_of_another_length_is_refused(iv, tag):
    protected = encrypt(b"", KEY).split(b".")[0]
    nonce = bytes(iv)
    sealed = AESGCM(RAW).encrypt(nonce, b"{}", protected)
    token = b".".join([protected, b"", encoded(nonce), encoded(sealed[:-16]), encoded(sealed[-16:][:tag])])
    with pytest.raises(ValueError, match="another length"):
        decrypt(token, KEY)


@pytest.mark.parametrize("size", [0, 16, 24, 31, 33])
def test_a_key_of_another_length_is_none(size):
    with pytest.raises(ValueError, match="32 bytes"):
        SealingKey(bytes(size))


def test_keys_are_compared_by_what_they_are_and_show_nothing():
    assert SealingKey(RAW) == KEY
    assert SealingKey(bytes(32)) != KEY
    assert KEY != RAW
    assert repr(KEY) == str(KEY) == f"{KEY}" == "SealingKey(hidden)"
    with pytest.raises(TypeError):
        hash(KEY)
    assert not hasattr(KEY, "__dict__")
