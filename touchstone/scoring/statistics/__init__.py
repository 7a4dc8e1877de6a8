"""Statistics of success rates and of sim-to-real gaps: pure functions over counts and arrays (docs/statistics.md)."""
