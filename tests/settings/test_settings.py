"""Settings: one table, in the code, in the documentation and on the server."""

from __future__ import annotations

import os
from pathlib import Path

from traitlets.config import Config

from flowlet_jupyter.server.extension import Flowlet
from flowlet_jupyter.settings import SETTINGS, Settings, table
from flowlet_jupyter.vault import default_vault


def test_the_documentation_has_the_table_of_the_code():
    assert table() in (Path(__file__).parents[2] / "docs" / "settings.md").read_text("utf-8")


def test_every_setting_but_the_key_itself_is_a_trait_of_the_server():
    assert {each.trait for each in SETTINGS if each.trait} == set(Flowlet.class_own_traits(config=True))


def test_what_the_server_is_configured_with_reaches_this_process_and_its_kernels(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWLET_LOG", "on")
    config = Config({"Flowlet": {"vault": str(tmp_path / "v"), "usage_log": "off"}})
    Flowlet(config=config).apply()
    assert os.environ["FLOWLET_VAULT"] == str(tmp_path / "v")
    assert default_vault().folder == tmp_path / "v"
    assert not Settings.read().usage_log
