"""The first request with a secret that was just connected, or stored: whether it works, and as whom."""

from flowlet_jupyter.http.trial import example_url, try_secret

__all__ = ["example_url", "try_secret"]
