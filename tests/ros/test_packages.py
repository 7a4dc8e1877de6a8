"""The ROS packages: colcon builds a package with a wrong package.xml without a word, so it is checked here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "ros2_ws" / "src"
PACKAGES = sorted(path.parent.name for path in SOURCES.glob("*/package.xml"))

#: Touchstone's own layers come from pip, these from the Python that runs them
NOT_ROS = {"touchstone", "policy_server", "numpy", "scipy", "eval", "robot_bridge", "policy_bridge"}


def test_the_three_packages_are_there():
    assert PACKAGES == ["eval", "policy_bridge", "robot_bridge"]


@pytest.mark.parametrize("package", PACKAGES)
def test_package_xml_is_valid(package):
    catkin = pytest.importorskip("catkin_pkg.package")
    manifest = catkin.parse_package(str(SOURCES / package), warnings=[])
    manifest.validate()
    assert manifest.name == package
    assert manifest.get_build_type() == "ament_python"
    assert (SOURCES / package / "resource" / package).is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_package_xml_names_every_ros_package_that_is_imported(package):
    catkin = pytest.importorskip("catkin_pkg.package")
    manifest = catkin.parse_package(str(SOURCES / package), warnings=[])
    declared = {dependency.name for dependency in manifest.exec_depends}
    imported = set()
    for path in (SOURCES / package).glob(f"{package}/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
    ros = {name for name in imported if name.endswith(("_msgs", "_interfaces", "_bridge")) or name == "rclpy"}
    assert ros - {package} <= declared


def test_the_launch_folder_shows_the_file_that_package_eval_installs():
    shown = ROOT / "launch" / "touch_emoji.launch.py"
    assert shown.resolve() == SOURCES / "eval" / "launch" / "touch_emoji.launch.py"
