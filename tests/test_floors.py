"""The floors of the house: imports point down only, and heavy libraries stay where they belong."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SIDE_BY_SIDE = ("policy_server", "sim_twin", "hardware", "calibration")
ROS_PACKAGES = ("eval", "robot_bridge", "policy_bridge", "teleop")
TOP = ("touchstone.cli", *ROS_PACKAGES)

#: library -> the only packages that may import it
HOMES = {
    "torch": ("policy_server.policies", "policy_server.vla", "sim_twin"),
    "sapien": ("sim_twin",),
    "mani_skill": ("sim_twin",),
    "gymnasium": ("sim_twin",),
    "rclpy": ROS_PACKAGES,
    "launch": ROS_PACKAGES,
    "launch_ros": ROS_PACKAGES,
    **{
        f"{name}_msgs": ROS_PACKAGES
        for name in ("std", "sensor", "geometry", "trajectory", "diagnostic", "visualization", "rosgraph")
    },
    "std_srvs": ROS_PACKAGES,
    "interbotix_xs_msgs": ROS_PACKAGES,
    "zmq": ("policy_server",),
    "dynamixel_sdk": ("hardware",),
    "serial": ("hardware",),
    "pyrealsense2": ("hardware",),
    "Robotic_Arm": ("hardware",),
}


def inside(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def imports(source: str, module: str, is_package: bool = False) -> set[str]:
    """Every module that the source of `module` names in an import, relative ones resolved."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")[: None if is_package else -1]
                parts = parts[: len(parts) - (node.level - 1)]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def forbidden(module: str) -> tuple[str, ...]:
    """The packages of this repository that `module` may not import."""
    if inside(module, TOP):
        return ()
    if inside(module, ("touchstone.evaluation",)):
        return (*TOP, *SIDE_BY_SIDE)
    if inside(module, SIDE_BY_SIDE):
        own = module.split(".")[0]
        return (*TOP, "touchstone.evaluation", *(other for other in SIDE_BY_SIDE if other != own))
    return (*TOP, "touchstone.evaluation", *SIDE_BY_SIDE)


def violations(module: str, imported: set[str]) -> list[str]:
    """What is wrong, one sentence each."""
    found = []
    for name in sorted(imported):
        if inside(name, forbidden(module)):
            found.append(f"{module} imports {name}, which is not below it")
        homes = HOMES.get(name.split(".")[0])
        if homes and not inside(module, homes):
            found.append(f"{module} imports {name}, which belongs in {', '.join(homes)} only")
    return found


def source_files() -> list[tuple[str, Path]]:
    """(module name, file) of everything that is installed."""
    folders = [(ROOT, name) for name in ("touchstone", *SIDE_BY_SIDE)]
    folders += [(ROOT / "ros2_ws" / "src" / name, name) for name in ROS_PACKAGES]
    files = []
    for base, name in folders:
        for path in sorted((base / name).rglob("*.py")):
            module = ".".join(path.relative_to(base).with_suffix("").parts)
            files.append((module.removesuffix(".__init__"), path))
    return files


@pytest.mark.parametrize(("module", "path"), source_files(), ids=lambda value: value if isinstance(value, str) else "")
def test_imports_point_down_only(module, path):
    found = imports(path.read_text(), module, is_package=path.name == "__init__.py")
    assert violations(module, found) == []


def test_the_set_up_program_needs_nothing_but_python():
    files = [
        *(ROOT / "setup").rglob("*.py"),
        ROOT / "touchstone" / "environment.py",
        ROOT / "touchstone" / "__init__.py",
    ]
    assert len(files) > 5
    for path in files:
        named = {name.split(".")[0] for name in imports(path.read_text(), f"touchstone_setup.{path.stem}")}
        foreign = named - sys.stdlib_module_names - {"touchstone_setup", "touchstone", ""}
        assert foreign == set(), f"{path} imports {foreign}"


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("touchstone.scoring.rates", "from touchstone.evaluation import session"),
        ("touchstone.tasks.base", "import sim_twin.world"),
        ("touchstone.tasks.base", "def late():\n    from touchstone import evaluation"),
        ("touchstone.evaluation.session", "from policy_server.client import connect"),
        ("touchstone.evaluation.session", "from ..cli import main"),
        ("policy_server.server", "import sim_twin"),
        ("sim_twin.world", "from hardware import arm"),
        ("sim_twin.world", "from touchstone.evaluation.config import check"),
        ("policy_server.server", "import torch.nn"),
        ("touchstone.robots.kinematics", "import torch"),
        ("touchstone.data.journal", "from rclpy.node import Node"),
        ("touchstone.control.executor", "from robot_bridge.stamps import now"),
        ("policy_server.client", "from sensor_msgs.msg import Image"),
    ],
)
def test_a_wrong_import_is_found(module, source):
    assert violations(module, imports(source, module)) != []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("touchstone.cli.evaluate", "from policy_server.loading import load_policy\nimport touchstone.evaluation"),
        ("eval.episode_node", "import rclpy\nfrom touchstone.evaluation.session import run_session"),
        ("touchstone.evaluation.session", "from touchstone.registry import load\nfrom .config import check"),
        ("sim_twin.world", "import torch\nfrom touchstone.world import World\nfrom .cards import card"),
        ("policy_server.policies.vla", "import torch"),
        ("policy_server.server", "import zmq"),
    ],
)
def test_a_right_import_is_allowed(module, source):
    assert violations(module, imports(source, module)) == []
