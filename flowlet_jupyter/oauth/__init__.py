"""OAuth2: authorization request and response, token endpoint, refresh once."""
