"""OAuth2: authorization request and response, token endpoint, refresh once."""

from flowlet_jupyter.settings.lean_httpx import leave_out_command_line

leave_out_command_line()  # before any module of this package imports httpx
