"""What a secret is, without any I/O."""
