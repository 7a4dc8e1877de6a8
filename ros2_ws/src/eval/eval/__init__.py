"""Evaluation over ROS 2: the episode node, the description of the stack, and the supervisor that runs it."""
