"""Where ROS 2 or the simulator is not installed, what needs it is not collected."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = []
if find_spec("rclpy") is None:
    collect_ignore_glob += ["test_messages.py", "test_stack.py", "test_nodes.py", "test_end_to_end.py", "test_kills.py"]
elif find_spec("sapien") is None:
    collect_ignore_glob += ["test_end_to_end.py", "test_kills.py"]
