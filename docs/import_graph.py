"""The layout and the import graph: top-level packages and modules, the imports between them, and cycles.

python docs/import_graph.py            # figures
python docs/import_graph.py --edges    # each import between two of them, with the number of modules behind it
"""

from __future__ import annotations

import sys
from collections import Counter

import grimp

PACKAGE = "flowlet_jupyter"


def top(module: str) -> str:
    """The top-level package or module that `module` belongs to."""
    return ".".join(module.split(".")[:2])


def edges(graph: grimp.ImportGraph) -> Counter[tuple[str, str]]:
    """(importer, imported) among the top level, with the number of imports of modules behind each."""
    found: Counter[tuple[str, str]] = Counter()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            if top(module) != top(imported):
                found[top(module), top(imported)] += 1
    return found


def cycles(pairs: set[tuple[str, str]]) -> list[list[str]]:
    """The groups in which each member reaches each other one."""
    reachable = {name: {name} for pair in pairs for name in pair}
    grown = True
    while grown:
        grown = False
        for importer, imported in pairs:
            new = reachable[imported] - reachable[importer]
            if new:
                reachable[importer] |= new
                grown = True
    groups = {frozenset(other for other in there if name in reachable[other]) for name, there in reachable.items()}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def main() -> None:
    graph = grimp.build_graph(PACKAGE)
    children = sorted(graph.find_children(PACKAGE))
    found = edges(graph)
    print(f"top-level packages and modules: {len(children)}")
    for child in children:
        count = len(graph.find_descendants(child))
        print(f"  {child.removeprefix(PACKAGE + '.')}{f'/ ({count} modules)' if count else ''}")
    print(f"imports between them: {len(found)}")
    circles = cycles(set(found))
    print(f"cycles: {len(circles)}", *circles, sep="\n  " if circles else "")
    if "--edges" in sys.argv[1:]:
        for (importer, imported), count in sorted(found.items()):
            print(f"{importer} -> {imported} ({count})")


if __name__ == "__main__":
    main()
