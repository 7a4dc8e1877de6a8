"""From chunks to joint set-points, the same way for a twin and for an arm."""
