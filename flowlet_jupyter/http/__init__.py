"""Authenticated HTTP: credentials attached in the transport, below the client that the user sees."""
