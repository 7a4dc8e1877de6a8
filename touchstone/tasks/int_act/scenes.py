"""The two scenes of INT-ACT: where the arm stands in the suite's world, how it starts, and which camera sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from touchstone.geometry import Pose
from touchstone.tasks.int_act.table import Layout

#: the only arm of the suite
ROBOT = "wx250s"
#: height of the table top in the suite's world [m]
TABLE_TOP = 0.87
_HALF_TURN = np.array([0.0, 0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Scene:
    """name: as a twin's scene. world_from_base: the arm's base in the suite's world. start: arm joints [rad]; the
    gripper starts open. camera: preset."""

    name: str
    world_from_base: Pose
    start: tuple[float, ...]
    camera: str

    @property
    def table_z(self) -> float:
        """Of the table top in the base frame [m]."""
        return TABLE_TOP - float(self.world_from_base.position[2])

    def in_base(self, pose: Pose) -> Pose:
        """A pose of the suite's world in the arm's base frame."""
        return self.world_from_base.inverse() @ pose


#: INT-ACT's code: base pose and initial joints of either scene
TABLE = Scene(
    "int-act-table",
    Pose(np.array([0.147, 0.028, 0.870]), _HALF_TURN),
    (-0.01840777, 0.0398835, 0.22242722, -0.00460194, 1.36524296, 0.00153398),
    "bridge-table",
)
SINK = Scene(
    "int-act-sink",
    Pose(np.array([0.127, 0.060, 0.850]), _HALF_TURN),
    (-0.2600599, -0.12875618, 0.04461369, -0.00652761, 1.7033415, -0.26983038),
    "bridge-sink",
)
SCENES = {scene.name: scene for scene in (TABLE, SINK)}


def scene_of(layout: Layout) -> Scene:
    """Where a layout's tasks take place."""
    return {"table": TABLE, "sink": SINK}[layout.scene]
