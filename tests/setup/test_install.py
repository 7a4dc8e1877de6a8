"""Stamps, interrupted installations and the ROS 2 packages' links."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path):
    """A checkout (in a folder with a space) that has a finished venv."""
    from touchstone_setup.venv import Venv

    root = tmp_path / "a clone"
    (root / "touchstone").mkdir(parents=True)
    (root / "touchstone" / "__init__.py").touch()
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "constraints.txt").write_text("torch==2.13.0\n")
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").touch()
    venv = Venv(root)
    venv._created.write(venv._created_digest())
    venv._wheels.write(venv._wheels_digest())
    assert venv.ready()
    return venv


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_requirements_are_installed_again(checkout, name):
    with (checkout.root / name).open("a") as file:
        file.write("# more\n")
    assert not checkout.ready()


def test_a_new_package_folder_is_installed(checkout):
    (checkout.root / "hardware").mkdir()
    (checkout.root / "hardware" / "__init__.py").touch()
    assert not checkout.ready()


def test_a_moved_checkout_gets_a_new_venv(checkout):
    from touchstone_setup.venv import Venv

    moved = checkout.root.with_name("elsewhere")
    checkout.root.rename(moved)
    assert not Venv(moved).ready()


def test_a_package_that_was_cut_short_is_forgotten_and_others_stay(checkout):
    site = checkout.folder / "lib" / "python3.11" / "site-packages"
    for name in ("whole-1.0.dist-info", "cut-1.0.dist-info"):
        (site / name).mkdir(parents=True)
        (site / name / "METADATA").touch()
    (site / "whole-1.0.dist-info" / "INSTALLER").write_text("pip\n")
    checkout._forget_half_installed()
    assert [path.name for path in site.iterdir()] == ["whole-1.0.dist-info"]


def ros_package(checkout) -> Path:
    folder = checkout.root / "ros2_ws" / "src" / "talker"
    (folder / "talker").mkdir(parents=True)
    (folder / "setup.py").write_text("")
    (folder / "talker" / "node.py").write_text("x = 1\n")
    return folder


def test_an_edited_ros_package_is_installed_again_and_build_leftovers_do_not_count(checkout):
    from touchstone_setup import ros_packages

    folder = ros_package(checkout)
    assert ros_packages.changed(checkout) == [folder]
    ros_packages._stamp(checkout, folder).write(ros_packages._digest(folder))
    (folder / "build").mkdir()
    (folder / "build" / "old.py").touch()
    (folder / "talker.egg-info").mkdir()
    (folder / "talker.egg-info" / "PKG-INFO").touch()
    assert ros_packages.changed(checkout) == []
    (folder / "talker" / "node.py").write_text("x = 2\n")
    assert ros_packages.changed(checkout) == [folder]


def test_ros_programs_are_linked_where_ros2_launch_looks(checkout):
    from touchstone_setup import ros_packages

    info = checkout.folder / "lib" / "python3.11" / "site-packages" / "talker-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text("[console_scripts]\ntalk_node = talker.node:main\n")
    program = checkout.folder / "bin" / "talk_node"
    program.touch()
    for _ in range(2):
        ros_packages._link_programs(checkout.folder, "talker")
    link = checkout.folder / "lib" / "talker" / "talk_node"
    assert link.resolve() == program.resolve()
    assert str(link.readlink()) == "../../bin/talk_node"


def test_an_unwritable_clone_is_told_in_one_sentence(tmp_path, capsys):
    from touchstone_setup.flow import main

    blocked = tmp_path / "file"
    blocked.touch()
    assert main(blocked) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_failing_command_shows_the_end_of_its_output_and_the_log(tmp_path):
    from touchstone_setup.progress import CommandFailed, Progress

    progress = Progress(tmp_path / "setup.log")
    progress.stage("trying")
    with pytest.raises(CommandFailed, match=r"(?s)the reason.*'trying' failed.*setup\.log") as stop:
        progress.run(["sh", "-c", "echo the reason; exit 3"])
    assert stop.value.output == "the reason\n"


def test_without_any_python_the_one_line_to_paste_is_printed(tmp_path):
    shutil.copytree(ROOT / "setup", tmp_path / "setup")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, body in {"python3": "exit 127", "id": "echo 1000"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    (tools / "dirname").symlink_to(shutil.which("dirname"))
    done = subprocess.run(
        ["/bin/sh", str(tmp_path / "setup" / "setup.sh")],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert "Python 3.11 or 3.12" in done.stderr


def test_a_command_that_outlives_a_killed_set_up_still_holds_the_lock(tmp_path):
    from touchstone_setup.progress import Progress

    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        Progress(tmp_path / "log", lock.fileno()).run(
            ["sh", "-c", "sleep 30 >/dev/null 2>&1 & echo $! > " + str(tmp_path / "pid")]
        )
    survivor = int((tmp_path / "pid").read_text())
    try:
        with (tmp_path / "lock").open("w") as again, pytest.raises(BlockingIOError):
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.kill(survivor, signal.SIGKILL)
