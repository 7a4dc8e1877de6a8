"""The arms: one home for each arm's facts."""
