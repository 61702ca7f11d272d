"""From a named secret to what is attached to a request, and how a user handles it."""
