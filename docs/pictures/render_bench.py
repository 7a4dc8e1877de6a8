"""Renders docs/pictures/bench.jpg, the picture in the README: both arms in the twin, from the side, carrying the cube.

python docs/pictures/render_bench.py [shader]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from policy_server.policies.expert import ExpertPolicy
from sim_twin.world import make_world
from touchstone import calibration
from touchstone.cameras import CameraModel, pinhole
from touchstone.geometry import look_at
from touchstone.policy import Chunk
from touchstone.registry import ROBOTS, load, names
from touchstone.robots.base import Arm
from touchstone.spec import Spec
from touchstone.tasks.emoji.pick import PickEmoji
from touchstone.world import WorldRequest

PICTURE = Path(__file__).parent / "bench.jpg"
WIDTH, HEIGHT, SMOOTHING = 720, 720, 2
#: arm -> the tick that is shown
TICKS = {"wx250s": 74, "rm75": 42}
EYES = {"wx250s": ((1.05, -0.66, 0.40), (0.20, 0.0, 0.03)), "rm75": ((1.10, -0.80, 0.45), (0.16, 0.0, 0.16))}


def main() -> None:
    shader = sys.argv[1] if len(sys.argv) > 1 else "default"
    pictures = [_picture(load(ROBOTS, name), shader) for name in sorted(names(ROBOTS), reverse=True)]
    Image.fromarray(np.hstack(pictures)).save(PICTURE, quality=88)


def _picture(arm: Arm, shader: str) -> np.ndarray:
    side = CameraModel(
        width=WIDTH * SMOOTHING,
        height=HEIGHT * SMOOTHING,
        K=pinhole(WIDTH * SMOOTHING, HEIGHT * SMOOTHING, 0.8),
        distortion=np.zeros(5),
        base_from_camera=look_at(*EYES[arm.name]),
    )
    with tempfile.TemporaryDirectory() as folder:
        camera = str(Path(folder) / "side.yaml")
        scene = calibration.CameraCalibration(**side.to_json())
        calibration.save(calibration.Calibration(robot=arm.name, cameras={"scene": scene}), Path(camera))
        spec = PickEmoji().plan("val", 0, 0, arm, camera)
        chunks = _chunks(arm, camera, spec)
        world = make_world(WorldRequest(arm.name, camera, shader=shader))
        world.reset(spec)
        for chunk in chunks:
            world.command(chunk)
            world.advance(chunk.t0_ns + spec.dt_ns)
        picture = Image.fromarray(world.observe().cameras["scene"].image)
        world.close()
    return np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


def _chunks(arm: Arm, camera: str, spec: Spec) -> list[Chunk]:
    """What the expert does up to the tick that is shown; played first without pictures, which is much faster."""
    world = make_world(WorldRequest(arm.name, camera, pictures=False, privileged=True))
    policy = ExpertPolicy()
    world.reset(spec)
    policy.reset(spec.brief())
    chunks = []
    for _ in range(TICKS[arm.name]):
        observation = world.observe()
        chunks.append(policy.infer(observation))
        world.command(chunks[-1])
        world.advance(observation.stamp_ns + spec.dt_ns)
    world.close()
    return chunks


if __name__ == "__main__":
    main()
