"""The journal: what a session leaves on disk, and how it is read back."""
