"""Birdsong: the provider and API of the notebooks. It runs on loopback, and needs no account and no network."""

from flowlet_jupyter.demo.account import connect, register_public_app
from flowlet_jupyter.demo.process import Birdsong, start

__all__ = ["Birdsong", "connect", "register_public_app", "start"]
