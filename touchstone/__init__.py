"""Touchstone: the same task, asked of the same policy, in two worlds, scored by the same code."""

__version__ = "0.1.0"
