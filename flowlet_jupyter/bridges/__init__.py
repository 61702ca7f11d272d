"""A secret for other libraries' clients: requests, Google's and Azure's SDKs, fsspec and pandas. Each keeps the host rule.

A module each, which imports its library when it is used. What these send shows in their own request objects, not in ours.
"""
