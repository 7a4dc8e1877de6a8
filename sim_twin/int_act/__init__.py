"""INT-ACT in the twin."""
