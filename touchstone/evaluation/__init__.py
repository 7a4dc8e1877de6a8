"""The session runner: plans episodes, drives a World with a Policy, writes the journal."""
