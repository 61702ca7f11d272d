"""`python -m flowlet_jupyter.demo --port P --state FILE`: run Birdsong until it is stopped or unused for long."""

from __future__ import annotations

import argparse
from pathlib import Path

from flowlet_jupyter.demo.web import serve

parser = argparse.ArgumentParser(prog="python -m flowlet_jupyter.demo")
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--state", type=Path, required=True)
arguments = parser.parse_args()
serve(arguments.port, arguments.state)
