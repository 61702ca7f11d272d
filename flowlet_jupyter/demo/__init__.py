"""Birdsong: the embedded provider and API of the quickstart. It runs on loopback, needs no account and no network."""

from flowlet_jupyter.demo.process import Birdsong, start

__all__ = ["Birdsong", "start"]
