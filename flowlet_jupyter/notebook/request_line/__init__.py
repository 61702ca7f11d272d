"""What a request's text says: shell words and credentials that were pasted with it."""
