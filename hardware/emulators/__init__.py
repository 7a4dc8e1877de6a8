"""Separate processes that answer the vendors' SDKs on the real wire."""
