"""`python -m flowlet_jupyter.providers.check FOLDER …`: what each fact of each entry rests on.

The folders hold copies of the projects that `readers` names; nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from flowlet_jupyter.providers import load_providers
from flowlet_jupyter.providers.check import FACTS, read_claims, verdicts_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the verdicts, or write them; 0, or 1 if a project differs in a fact without a reason in the entry."""
    parser = argparse.ArgumentParser(
        prog="python -m flowlet_jupyter.providers.check", description="Compare the catalogue."
    )
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="+", help="where copies of the projects lie")
    parser.add_argument("--only", metavar="KEY", help="one entry")
    parser.add_argument(
        "--write", metavar="FILE", type=Path, help="write who agrees as JSON, for docs/make_providers.py"
    )
    options = parser.parse_args(arguments)
    claims = read_claims(options.folders)
    print(f"{len(claims)} claims of {', '.join(sorted({claim.project for claim in claims})) or 'no project'}")
    undecided = 0
    lines = []
    counted: Counter[tuple[str, str]] = Counter()
    for key, provider in load_providers().items():
        if options.only not in {None, key}:
            continue
        verdicts = verdicts_of(provider, claims)
        print(key)
        for verdict in verdicts:
            reason = provider.decided.get(verdict.fact, "")
            is_open = bool(verdict.differ) and not reason
            undecided += is_open
            counted[verdict.fact, verdict.rests_on] += 1
            counted[verdict.fact, "differs"] += bool(verdict.differ)
            print(f"    {verdict}{f'; decided: {reason}' if reason else ''}{'; NOT DECIDED' if is_open else ''}")
        found = {verdict.fact: [verdict.value, list(verdict.agree), dict(verdict.differ)] for verdict in verdicts}
        lines.append(f"{json.dumps(key)}: {json.dumps(found, ensure_ascii=False)}")
    for fact in FACTS:
        counts = ", ".join(f"{counted[fact, word]} {word}" for word in ("agrees", "one source", "no source", "differs"))
        print(f"{fact}: {counts}")
    print(f"{undecided} differences without a reason in the entry")
    if options.write:
        options.write.write_text("{\n" + ",\n".join(sorted(lines)) + "\n}\n", "utf-8")
    return 1 if undecided else 0


if __name__ == "__main__":
    sys.exit(main())
