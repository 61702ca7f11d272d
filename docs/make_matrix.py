"""Walk through the authorization servers of tests/interop.py, and write what they give into docs/standards.md.

python docs/make_matrix.py [FOLDER …]     # of these only; the other rows stay
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))
START, END = "<!-- matrix -->", "<!-- /matrix -->"


def main() -> None:
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    from interop import COLUMNS, SERVERS, running, table_row, walk
    from support import free_port

    import flowlet_jupyter as flowlet

    target = HERE / "standards.md"
    text = target.read_text("utf-8")
    before, _, rest = text.partition(START)
    standing, _, after = rest.partition(END)
    rows = {row.split("|")[1].split()[0]: row for row in standing.strip().splitlines()[2:]}
    lines = [table_row(COLUMNS), "|---" * len(COLUMNS) + "|"]
    for server in SERVERS.values():
        if sys.argv[1:] and server.folder not in sys.argv[1:]:
            lines += filter(None, [rows.get(server.title.split()[0])])
            continue
        os.environ["FLOWLET_LOOPBACK_PORT"] = str(free_port())
        with running(server) as base:
            lines.append(table_row(walk(server, base)))
        for handle in list(flowlet.secrets.values()):
            handle.delete()
        print(lines[-1])
    target.write_text(f"{before}{START}\n{chr(10).join(lines)}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FLOWLET_VAULT"] = folder  # nobody's own secrets
        main()
