"""The catalogue of providers: data in `catalogue/*.toml`, and what an organisation adds in Jupyter's data folders.

Every peculiarity is declared in an entry; no code asks which provider it talks to. One entry is one file, which is read
when it is asked for; what a list and a search need of all of them is in `catalogue/index.json`, which
`docs/make_providers.py` writes.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_path

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE
from flowlet_jupyter.providers.endings import ending_of
from flowlet_jupyter.providers.entry import (
    KINDS,
    PAGING_STYLES,
    REDIRECT_RULES,
    Parameter,
    Provider,
    ends_soon,
    parse_provider,
)
from flowlet_jupyter.providers.fill import discovery_address, fields_for, known_fields, trial_url

__all__ = [
    "KINDS",
    "PAGING_STYLES",
    "REDIRECT_RULES",
    "Parameter",
    "Provider",
    "Summary",
    "discovery_address",
    "ending_of",
    "ends_soon",
    "fields_for",
    "known_fields",
    "load_providers",
    "parse_provider",
    "provider_index",
    "provider_keys",
    "provider_named",
    "search_providers",
    "summary_of",
    "trial_url",
]

CATALOGUE = Path(__file__).parent / "catalogue"
INDEX = CATALOGUE / "index.json"
_KEY = re.compile(r"[\w.@+-]+")  # a file's name without its end, and no path
Summary = Mapping[str, Any]  # what a list, a search and a form need of an entry, as JSON has it


def provider_named(key: str) -> Provider | None:
    """The entry `key`, its one file read; an organisation's overrides ours, a nearer Jupyter data folder a farther one.

    Raises `InvalidSecret` naming the file of an entry that is wrong.
    """
    if not _KEY.fullmatch(key):
        return None
    files = (folder / f"{key}.toml" for folder in (*reversed(_added_folders()), CATALOGUE))
    file = next((file for file in files if file.is_file()), None)
    return None if file is None else _parsed(file, file.stat().st_mtime_ns)


def provider_keys() -> list[str]:
    """The keys of all entries; no file is read."""
    return sorted(_files())


def provider_index() -> list[Summary]:
    """A summary of each entry, by title: our own from the index, and each of an organisation's from its file.

    Raises `InvalidSecret` naming the file of an entry that is wrong.
    """
    summaries = {entry["key"]: entry for entry in _own_index(INDEX.stat().st_mtime_ns)}
    for key, file in _added_files().items():
        summaries[key] = {**summary_of(_parsed(file, file.stat().st_mtime_ns)), "is_organisations": True}
    return _by_title(summaries.values())


def search_providers(text: str, index: Iterable[Summary]) -> list[Summary]:
    """The summaries in which each word of `text` begins a word.

    First those that have the name `text`, then those whose name begins with it, then the others; of each an organisation's
    own first, then by title.
    """
    text = text.casefold().strip()
    words = [f" {word}" for word in text.split()]
    found = []
    for entry in index:
        title, key = entry["title"].casefold(), entry["key"]
        hosts = " ".join(entry["hosts"])
        searched = f" {key.replace('-', ' ')} {title} {entry['category']} {hosts} {hosts.replace('.', ' ')}"
        if all(word in searched for word in words):
            rank = 0 if text in {key, title} else 1 if key.startswith(text) or title.startswith(text) else 2
            found.append(((rank, not entry.get("is_organisations")), entry))
    return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]


def load_providers() -> dict[str, Provider]:
    """All entries by key, each file read: for tests, documentation and an import. Raises like `provider_named`."""
    found = {key: _parsed(file, file.stat().st_mtime_ns) for key, file in _files().items()}
    return dict(sorted(found.items(), key=lambda item: item[1].title.lower()))


def summary_of(provider: Provider) -> Summary:
    """What a list, a search and a form need of an entry."""
    fields = provider.fields
    return {
        "key": provider.key, "title": provider.title, "type": provider.type, "category": provider.category,
        "hosts": list(fields["allowed_hosts"]), "ends": provider.ends,
        "endings": dict(provider.endings), "source": provider.source,
        "registration_page": provider.registration_page, "redirect_rule": provider.redirect_rule,
        "refresh_token_from": provider.refresh_token_from, "notes": provider.notes,
        "header_names": list(provider.header_names),
        "parameters": [dataclasses.asdict(parameter) for parameter in provider.parameters],
        "grant_type": fields.get("grant_type", AUTHORIZATION_CODE), "client_id": fields.get("client_id", ""),
        "needs_client_secret": fields.get("token_endpoint_auth_method") != "none", "is_ready": provider.is_ready,
        "is_discovered": bool(provider.discover),
    }  # fmt: skip


def index_text() -> str:
    """The text of `catalogue/index.json`, from the files of the catalogue."""
    own = [_parsed(file, file.stat().st_mtime_ns) for file in sorted(CATALOGUE.glob("*.toml"))]
    lines = [json.dumps(summary_of(provider), ensure_ascii=False) for provider in own]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _by_title(summaries: Iterable[Summary]) -> list[Summary]:
    return sorted(summaries, key=lambda entry: str(entry["title"]).lower())


def _files() -> dict[str, Path]:
    return {**{file.stem: file for file in CATALOGUE.glob("*.toml")}, **_added_files()}


def _added_files() -> dict[str, Path]:
    return {file.stem: file for folder in _added_folders() for file in folder.glob("*.toml")}


def _added_folders() -> list[Path]:
    """Jupyter's data folders, the nearest last."""
    return [Path(folder) for folder in reversed(jupyter_path("flowlet", "providers"))]


@functools.lru_cache(maxsize=1)
def _own_index(_mtime_ns: int) -> list[Summary]:
    found: list[Summary] = json.loads(INDEX.read_text("utf-8"))
    return found


@functools.lru_cache(maxsize=1000)
def _parsed(file: Path, _mtime_ns: int) -> Provider:
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidSecret(f"The provider file {file} cannot be read: {error}") from None
    return parse_provider(file.stem, table, str(file))
