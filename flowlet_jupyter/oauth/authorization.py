"""The names of `authorization_code` that programs written for 0.1 import from here."""

from flowlet_jupyter.oauth.authorization_code import Flow, authorization_url, new_flow, request_parameters

__all__ = ["Flow", "authorization_url", "new_flow", "request_parameters"]
