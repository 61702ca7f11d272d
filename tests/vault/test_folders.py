"""The vault's folder, its parents and the key file: whose they are and who else may write to them."""

from __future__ import annotations

import os
import stat

import pytest

from flowlet_jupyter.errors import VaultError
from flowlet_jupyter.vault import Vault, default_vault
from flowlet_jupyter.vault.sealed_file import make_private_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and owners are POSIX's")


def test_missing_parents_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        make_private_folder(tmp_path / "a" / "b" / "vault")
    finally:
        os.umask(before)
    for folder in ("a", "a/b", "a/b/vault"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700


def test_a_parent_that_others_can_write_to_is_refused_unless_it_is_sticky(tmp_path):
    parent = tmp_path / "shared"
    parent.mkdir()
    parent.chmod(0o777)
    with pytest.raises(VaultError, match="Others can write"):
        make_private_folder(parent / "vault")
    parent.chmod(0o1777)
    make_private_folder(parent / "vault")


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives a folder away")
def test_a_parent_or_a_key_of_another_user_is_refused(tmp_path):
    parent = tmp_path / "theirs"
    parent.mkdir()
    os.chown(parent, 12345, 12345)
    with pytest.raises(VaultError, match="another user"):
        make_private_folder(parent / "vault")
    key = tmp_path / "key"
    key.write_text("x")
    key.chmod(0o600)
    os.chown(key, 12345, 12345)
    with pytest.raises(VaultError, match="another user"):
        Vault(tmp_path / "vault", environment={"FLOWLET_MASTER_KEY_FILE": str(key)}).master_key()


def test_the_vault_is_the_one_that_the_environment_names_now(monkeypatch, tmp_path):
    for folder in (tmp_path / "named", tmp_path / "another"):
        monkeypatch.setenv("FLOWLET_VAULT", str(folder))
        assert default_vault().folder == folder
    monkeypatch.delenv("FLOWLET_VAULT")
    for data in (tmp_path / "data", tmp_path / "moved"):
        monkeypatch.setenv("JUPYTER_DATA_DIR", str(data))
        assert default_vault().folder == data / "flowlet" / "vault"
    monkeypatch.setenv("FLOWLET_VAULT", str(tmp_path / "named"))
    assert default_vault().folder == tmp_path / "named"
