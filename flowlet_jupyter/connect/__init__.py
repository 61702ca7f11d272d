"""Waiting for a user to authorize a secret, in a terminal as in a notebook: this package imports no IPython."""
