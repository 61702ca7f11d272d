"""In the place of the package of this name: jsonschema would compile 38 grammars with it at its import, and does without.

It takes two seconds of each process that imports jsonschema, which each Jupyter server does. Nobody here asks about IRIs.
"""

raise ImportError("not in tests")
