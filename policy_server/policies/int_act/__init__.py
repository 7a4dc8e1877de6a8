"""Scripts that carry out INT-ACT's tasks, or fail at them in a known way, with the simulator's knowledge."""
