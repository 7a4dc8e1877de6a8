"""The set-up program: standard library only, safe to run again at any time."""
