"""Where ROS 2, the simulator or a vendor's library is not installed, what needs it is not collected."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

collect_ignore_glob = []
if find_spec("rclpy") is None:
    collect_ignore_glob += [
        each.name for each in Path(__file__).parent.glob("test_*.py") if "packages" not in each.name
    ]
if find_spec("sapien") is None:
    collect_ignore_glob += ["test_end_to_end.py", "test_kills.py", "test_emulated.py"]
if find_spec("dynamixel_sdk") is None or find_spec("pyrealsense2") is None:
    collect_ignore_glob += ["test_arm_node*.py", "test_bench_handshake.py", "test_camera_node.py", "test_emulated.py"]
