"""Renders docs/pictures/bench.jpg, the picture in the README: the twin's bench from the side, in mid-episode.

python docs/pictures/render_bench.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from policy_server.policies.expert import ExpertPolicy
from sim_twin.world import make_world
from touchstone import calibration
from touchstone.cameras import CameraModel, pinhole
from touchstone.geometry import look_at
from touchstone.robots.base import arm as find_arm
from touchstone.tasks.emoji.touch import TouchEmoji
from touchstone.world import WorldRequest

PICTURE = Path(__file__).parent / "bench.jpg"
WIDTH, HEIGHT, SMOOTHING = 960, 720, 2
TICKS = 6


def main() -> None:
    arm = find_arm("wx250s")
    side = CameraModel(
        width=WIDTH * SMOOTHING,
        height=HEIGHT * SMOOTHING,
        K=pinhole(WIDTH * SMOOTHING, HEIGHT * SMOOTHING, 0.62),
        distortion=np.zeros(5),
        base_from_camera=look_at((0.95, -0.72, 0.42), (0.20, 0.0, 0.05)),
    )
    with tempfile.TemporaryDirectory() as folder:
        camera = str(Path(folder) / "side.yaml")
        scene = calibration.CameraCalibration(**side.to_json())
        calibration.save(calibration.Calibration(robot=arm.name, cameras={"scene": scene}), Path(camera))
        world = make_world(WorldRequest(arm.name, camera, shader="default", privileged=True))
        spec = TouchEmoji().plan("val", 0, 0, arm, camera)
    policy = ExpertPolicy()
    world.reset(spec)
    policy.reset(spec.brief())
    for _ in range(TICKS):
        observation = world.observe()
        world.command(policy.infer(observation))
        world.advance(observation.stamp_ns + spec.dt_ns)
    picture = Image.fromarray(world.observe().cameras["scene"].image)
    picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(PICTURE, quality=88)
    world.close()


if __name__ == "__main__":
    main()
