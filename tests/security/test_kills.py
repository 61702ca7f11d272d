"""kill -9 at each step of whatever writes to the vault: every file opens, and the grant lives or its end is said."""

from __future__ import annotations

import os
import shutil
import sys

import pytest
from filelock import FileLock
from killer import Killer, actions
from servers.rotating import expired_record, rotating

from flowlet_jupyter.errors import AuthRequired
from flowlet_jupyter.model.secret import Password, Record
from flowlet_jupyter.oauth.refresh import refresh_once, wait_for
from flowlet_jupyter.vault import Vault
from flowlet_jupyter.vault.key_rotation import rotate_key

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="steps are found by forking and audit events"),
]
# the short profile takes six steps of each case, the long one all, again and again until there are a thousand kills
IS_LONG = os.environ.get("FLOWLET_SECURITY") == "long"
STEPS, LEAST_KILLS = (None, 150) if IS_LONG else (6, 5)
CASES = {
    "refresh with grace": ("refresh", True),
    "refresh without grace": ("refresh", False),
    **{name: (name, True) for name in ("edit", "first secret", "delete", "flow", "rotate-key")},
}


def password(name: str, value: str = "old") -> Record:
    return Record(secret=Password(name=name, password=value, allowed_hosts=("a.example",)))


def opened(folder) -> Vault:
    """The vault as another process finds it."""
    return Vault(folder / "vault", environment={})


def test_every_action_is_killed():
    assert {action for action, _ in CASES.values()} == set(actions())


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", CASES)
def test_killed_at_each_step_nothing_is_lost(case, tmp_path, measured):
    action, has_grace = CASES[case]
    kills = kept = 0
    with Killer() as killer, rotating(has_grace=has_grace) as (server, rotation):
        model = tmp_path / "model"
        if action != "first secret":
            vault = opened(model)
            vault.put(expired_record(server.url))
            vault.put(password("other"))
        else:
            (model / "vault").mkdir(mode=0o700, parents=True)

        def trial(step: int) -> tuple[bool, bool, int]:
            folder = tmp_path / f"step{step}"
            shutil.copytree(model, folder)  # with the key beside the vault
            rotation.begin_again()
            was_killed, passed = killer.act(action, step, folder)
            is_kept = check(folder, action, was_killed=was_killed)
            assert is_kept or not has_grace
            shutil.rmtree(folder)
            return was_killed, is_kept, passed

        was_killed, _, passed = trial(0)
        assert not was_killed
        assert passed > 5
        steps = range(1, passed + 1) if STEPS is None else range(1, passed + 1, max(1, passed // STEPS))
        while kills < LEAST_KILLS:
            for step in steps:
                was_killed, is_kept, _ = trial(step)
                kills += was_killed
                kept += was_killed and is_kept
    measured("kills", kills=kills, readable=kills, kept=kept, said=kills - kept)  # `check` has seen that it is said


def check(folder, action: str, *, was_killed: bool) -> bool:
    """Whether the grant lives; everything else must hold."""
    for file in (folder / "vault").glob("**/*.lock"):
        with FileLock(file).acquire(blocking=False):
            pass  # nobody holds it
    vault = opened(folder)
    names = set(vault.names())
    if action == "first secret":
        assert names <= {"first"}
        assert was_killed or names
        vault.put(password("second"))  # with the same key, whoever made it
    if action in {"refresh", "edit", "flow", "rotate-key"}:
        assert names == {"api", "other"}
    if action == "delete":
        assert {"api"} <= names <= {"api", "other"}
        assert was_killed or names == {"api"}
    values = {name: vault.get(name).secret.password.reveal() for name in vault.names() if name != "api"}
    assert set(values.values()) <= {"old", "new"}
    assert values.get("other", "old") == "old" or action == "edit"
    if action == "rotate-key":
        rotate_key(opened(folder))  # finishes one that was cut short
    if "api" not in names:
        return True
    try:
        wait_for(refresh_once(opened(folder), "api", stale=None, patience=0))
    except AuthRequired as error:
        assert "needs authorization" in str(error)
        assert opened(folder).get("api").secret.client_secret  # only the grant is gone
        return False
    return opened(folder).get("api").token_set.expires_at is not None
