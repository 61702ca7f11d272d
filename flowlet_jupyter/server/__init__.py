"""The Jupyter server extension: the secrets API for the widgets, and the OAuth redirect endpoint."""
