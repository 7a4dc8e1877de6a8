"""The suite's own meshes, where the user has ManiSkill's Bridge assets: better pixels, the same names and sizes.

ManiSkill keeps them under `MS_ASSET_DIR`, a folder for each model; it has those of the Bridge tasks and not all that
INT-ACT added. An object without official files keeps our shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mani_skill import ASSET_DIR

from touchstone.errors import MissingPart
from touchstone.tasks.int_act.objects import object_kind

MODELS = Path("tasks/bridge_v2_real2sim_dataset/custom/models")
DOWNLOAD = "bridge_v2_real2sim"
#: what is seen, in the order in which ManiSkill looks for it, and what collides
VISUALS = ("textured.obj", "textured.dae", "textured.glb")
COLLISION = "collision.obj"


@dataclass(frozen=True)
class OfficialModel:
    """Files of one object; the collision file has one convex piece for each of its groups."""

    visual: Path
    collision: Path


def official_model(name: str, assets: Path = ASSET_DIR) -> OfficialModel | None:
    """The official files of an object, or None when it has none. Raises MissingPart when there are no assets at all."""
    models = Path(assets) / MODELS
    if not models.is_dir():
        raise MissingPart(
            f"INT-ACT's official meshes are not at {models}; get what ManiSkill has of them with: "
            f"python -m mani_skill.utils.download_asset {DOWNLOAD}"
        )
    folder = models / object_kind(name).official
    visual = next((folder / file for file in VISUALS if (folder / file).is_file()), None)
    collision = folder / COLLISION
    return OfficialModel(visual, collision) if visual is not None and collision.is_file() else None
