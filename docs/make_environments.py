"""Walk through the environments of tests/environments/walks.py, and write what they give into docs/environments.md.

python docs/make_environments.py, where all of them are installed: nox -s environments -- --write
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))
START, END = "<!-- environments -->", "<!-- /environments -->"


def main(folder: Path, names: list[str]) -> None:
    from environments.walks import COLUMNS, ENVIRONMENTS, Stage, table_row, walk
    from support import free_port

    from flowlet_jupyter.demo.process import Birdsong
    from flowlet_jupyter.demo.web import BirdsongServer

    target = HERE / "environments.md"
    before, _, rest = target.read_text("utf-8").partition(START)
    table, _, after = rest.partition(END)
    rows = {line.split(" | ")[0].strip("| "): line for line in table.strip().splitlines()}
    for key in names or ENVIRONMENTS:
        os.environ["FLOWLET_LOOPBACK_PORT"] = str(free_port())
        own = folder / key
        own.mkdir()
        server = BirdsongServer(0, own / "birdsong.json")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        birdsong = Birdsong(server.origin)
        object.__setattr__(birdsong, "server", server)  # as the tests' fixture has it
        try:
            rows[ENVIRONMENTS[key].title] = table_row(walk(key, Stage(birdsong, own)))
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
        print(rows[ENVIRONMENTS[key].title])
    lines = [
        table_row(COLUMNS),
        "|---" * len(COLUMNS) + "|",
        *(rows[environment.title] for environment in ENVIRONMENTS.values()),
    ]
    target.write_text(f"{before}{START}\n{chr(10).join(lines)}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
        for name in ("VAULT", "DATA", "RUNTIME", "CONFIG"):  # nobody's own secrets and servers
            os.environ["FLOWLET_VAULT" if name == "VAULT" else f"JUPYTER_{name}_DIR"] = f"{made}/{name.lower()}"
        Path(made, "runtime").mkdir()
        main(Path(made), sys.argv[1:])
