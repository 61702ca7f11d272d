"""How many examples Hypothesis tries: in the fast part (`-m "not slow"`) a part of those that the whole suite tries.

Where a run decides whether something lands, it tries the same examples each time; elsewhere new ones.
"""

from __future__ import annotations

import os

from hypothesis import settings

IS_FAST = os.environ.get("FLOWLET_FAST") == "1"


def examples(count: int) -> int:
    """`count` in the whole suite, a fifth in the fast part."""
    return max(count // 5, 20) if IS_FAST else count


settings.register_profile("flowlet", derandomize=bool(os.environ.get("CI")), deadline=None, max_examples=examples(100))
settings.load_profile("flowlet")
