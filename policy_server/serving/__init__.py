"""The parts of a policy server: its front, its seats, its queue, the thread in which a policy works."""
