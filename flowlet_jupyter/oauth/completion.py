"""The names of `authorization_code` that programs written for 0.1 import from here."""

from flowlet_jupyter.oauth.authorization_code import complete_flow, pasted_response

__all__ = ["complete_flow", "pasted_response"]
