"""The maker's own meshes on our own arm, where the user has ManiSkill's assets: better pixels, the same robot.

Only what is seen comes from the official description; joints, limits, masses and collision shapes stay ours.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from mani_skill import ASSET_DIR

from touchstone.data.disk import replace_whole
from touchstone.errors import MissingPart
from touchstone.robots.base import Arm

#: arm -> description among ManiSkill's assets, and how they are downloaded
OFFICIAL = {"wx250s": ("robots/widowx/wx250s.urdf", "widowx250s")}


def official_urdf(arm: Arm) -> Path | None:
    """The maker's description on this machine (under `MS_ASSET_DIR`), or None."""
    if arm.name not in OFFICIAL:
        return None
    path = Path(ASSET_DIR) / OFFICIAL[arm.name][0]
    return path if path.is_file() else None


def dressed_urdf(arm: Arm) -> Path:
    """Our description with the official visuals; links that the official one does not draw keep ours.

    Raises MissingPart, saying how to get the meshes.
    """
    official = official_urdf(arm)
    if official is None:
        raise MissingPart(_how_to_get(arm))
    ours = ElementTree.parse(arm.urdf)
    drawn = {link.get("name"): link.findall("visual") for link in ElementTree.parse(official).iter("link")}
    for link in ours.iter("link"):
        visuals = drawn.get(link.get("name"), [])
        if not visuals:
            continue
        for old in link.findall("visual"):
            link.remove(old)
        for visual in visuals:
            _resolve(visual, official)
            link.append(visual)
    text = ElementTree.tostring(ours.getroot())
    # SAPIEN reads a file, and finds meshes by the absolute paths in it
    path = Path(tempfile.gettempdir()) / f"touchstone-{arm.name}-{hashlib.sha256(text).hexdigest()[:12]}.urdf"
    if not path.is_file():
        replace_whole(path, text)
    return path


def _resolve(visual: ElementTree.Element, official: Path) -> None:
    for mesh in visual.iter("mesh"):
        name = mesh.get("filename", "").removeprefix("package://")
        found = next((p for p in (official.parent / name, official.parent.parent / name) if p.is_file()), None)
        if found is None:
            raise MissingPart(f"{official} names the mesh {name}, which is not beside it; download the assets again.")
        mesh.set("filename", str(found.absolute()))


def _how_to_get(arm: Arm) -> str:
    if arm.name not in OFFICIAL:
        return f"There are no official meshes for the {arm.title}; leave --meshes out."
    path, name = OFFICIAL[arm.name]
    return (
        f"The {arm.title}'s official meshes are not at {Path(ASSET_DIR) / path}; get them with: "
        f"python -m mani_skill.utils.download_asset {name}"
    )
