"""Hold the catalogue against other projects: `python -m flowlet_jupyter.providers.check FOLDER …`."""

from flowlet_jupyter.providers.check.claims import Claim
from flowlet_jupyter.providers.check.facts import FACTS, facts_of
from flowlet_jupyter.providers.check.readers import read_claims
from flowlet_jupyter.providers.check.verdicts import Verdict, verdicts_of

__all__ = ["FACTS", "Claim", "Verdict", "facts_of", "read_claims", "verdicts_of"]
