"""Policies that come with Touchstone, one class a file."""
