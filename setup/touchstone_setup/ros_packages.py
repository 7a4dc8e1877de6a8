"""The ROS 2 packages of ros2_ws, as ordinary installs: only these bring their share/ folders into the venv."""

from __future__ import annotations

import configparser
import os
import shutil
import tempfile
from pathlib import Path

from .progress import Progress
from .stamps import Stamp, digest, sources
from .venv import Venv


def changed(venv: Venv) -> list[Path]:
    """The package folders whose sources differ from what is installed."""
    packages = sorted(path.parent for path in (venv.root / "ros2_ws" / "src").glob("*/setup.py"))
    return [folder for folder in packages if not _stamp(venv, folder).current(_digest(folder))]


def install(venv: Venv, folders: list[Path], env: dict[str, str], progress: Progress) -> None:
    """Installs the packages, and links their programs where `ros2 launch` and `ros2 run` look for them."""
    progress.stage(f"ROS 2 packages {', '.join(folder.name for folder in folders)}")
    digests = {folder: _digest(folder) for folder in folders}
    with tempfile.TemporaryDirectory(prefix="touchstone-") as scratch:
        copies = [_copy(folder, Path(scratch)) for folder in folders]
        for folder in folders:
            _stamp(venv, folder).clear()
        options = ["--no-deps", "--no-build-isolation", "--use-pep517", "--force-reinstall"]
        venv.pip(["install", *options, *copies], env, progress)
    for folder in folders:
        _link_programs(venv.folder, folder.name)
        _stamp(venv, folder).write(digests[folder])
    progress.done()


def _stamp(venv: Venv, folder: Path) -> Stamp:
    return Stamp(venv.folder, f"ros-{folder.name}")


def _digest(folder: Path) -> str:
    return digest([], sources(folder))


def _copy(folder: Path, scratch: Path) -> str:
    """A copy without old build folders, whose deleted files setuptools would install again."""
    for path in sources(folder):
        target = scratch / folder.name / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return str(scratch / folder.name)


def _link_programs(venv: Path, package: str) -> None:
    """lib/PKG/x -> ../../bin/x for every console script of the package, and no other link there."""
    links = venv / "lib" / package
    shutil.rmtree(links, ignore_errors=True)
    for declared in venv.glob(f"lib/python*/site-packages/{package}-*.dist-info/entry_points.txt"):
        points = configparser.ConfigParser(delimiters=("=",))
        points.optionxform = str
        points.read(declared)
        for program in points["console_scripts"] if points.has_section("console_scripts") else ():
            links.mkdir(parents=True, exist_ok=True)
            os.symlink(os.path.join("..", "..", "bin", program), links / program)
