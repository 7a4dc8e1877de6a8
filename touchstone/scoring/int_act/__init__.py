"""A run of the INT-ACT suite as numbers, tables and a report, from its sessions' journals alone."""
