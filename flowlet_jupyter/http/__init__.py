"""Authenticated HTTP: credentials attached in the transport, below the client that the user sees."""

from flowlet_jupyter.settings.lean_httpx import leave_out_command_line

leave_out_command_line()  # before any module of this package imports httpx
