"""Bytes and a media type in, records and DataFrames out. Knows nothing of requests and responses."""
