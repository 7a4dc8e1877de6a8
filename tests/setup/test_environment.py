"""A sourced ROS underlay stays out of what Touchstone starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from touchstone.environment import LEFT_UNDERLAYS, clean_environment, underlays

ROOT = Path(__file__).resolve().parents[2]
SOURCED = {
    "AMENT_PREFIX_PATH": "/home/me/ws/install/talker:/opt/ros/jazzy",
    "COLCON_PREFIX_PATH": "/home/me/ws/install",
    "PYTHONPATH": "/home/me/ws/install/talker/lib/python3.12/site-packages:/home/me/policies:"
    "/opt/ros/jazzy/lib/python3.12/site-packages",
    "LD_LIBRARY_PATH": "/opt/ros/jazzy/lib:/usr/local/cuda/lib64",
    "RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp",
    "ROS_DISTRO": "jazzy",
    "ROS_DOMAIN_ID": "7",
    "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1",
    "PATH": "/usr/bin",
}

entries = st.lists(st.sampled_from(["/opt/ros/humble", "/opt/ros/x/lib", "/usr/lib", "/opt/rosy", "/home/me", ""]))
environments = st.fixed_dictionaries(
    {},
    optional={
        name: entries.map(":".join)
        for name in ("PYTHONPATH", "LD_LIBRARY_PATH", "AMENT_PREFIX_PATH", "COLCON_PREFIX_PATH", "HOME")
    },
)


def test_underlay_and_overlay_go_and_the_users_own_entries_stay():
    cleaned = clean_environment(SOURCED)
    assert cleaned == {
        "PYTHONPATH": "/home/me/policies",
        "LD_LIBRARY_PATH": "/usr/local/cuda/lib64",
        "ROS_DOMAIN_ID": "7",
        "PATH": "/usr/bin",
        LEFT_UNDERLAYS: "/home/me/ws/install/talker:/opt/ros/jazzy:/home/me/ws/install",
    }


@given(environments)
def test_nothing_of_opt_ros_is_left_and_cleaning_twice_changes_nothing(env):
    cleaned = clean_environment(env)
    for name in ("PYTHONPATH", "LD_LIBRARY_PATH"):
        assert not [entry for entry in cleaned.get(name, "").split(":") if entry.startswith("/opt/ros/")]
    assert not underlays(cleaned)
    assert clean_environment(cleaned) == cleaned
    assert cleaned.get("HOME") == env.get("HOME")


@given(environments)
def test_the_given_environment_is_not_changed(env):
    before = dict(env)
    clean_environment(env)
    assert env == before


def test_a_foreign_rclpy_on_the_path_is_not_imported(tmp_path):
    (tmp_path / "rclpy").mkdir()
    (tmp_path / "rclpy" / "__init__.py").write_text("raise SystemExit('the wrong rclpy')\n")
    program = [sys.executable, "-I", str(ROOT / "touchstone" / "environment.py")]
    child = [sys.executable, "-c", "import sys; print([p for p in sys.path if 'pytest' in p])"]
    done = subprocess.run(
        [*program, *child], env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_a_command_that_does_not_exist_is_told_in_one_sentence():
    program = [sys.executable, "-I", str(ROOT / "touchstone" / "environment.py"), "no-such-command"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert done.stderr.strip() == "Cannot start 'no-such-command': No such file or directory."
