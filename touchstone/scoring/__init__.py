"""Scores, tables and reports, computed from the journal and never from a world."""
