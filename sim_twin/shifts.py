"""What can differ between a bench and its twin, by name; drawn from a seed at a strength 0..1.

Every drawn amount is `strength` times between a half and the whole of the amplitude given here, with a random sign
where both directions make sense; factors are powers, so that 2 and 1/2 are equally far from 1. Strength 1 is a bench
that was set up carelessly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.spatial.transform import Rotation

from sim_twin.drives import Drives
from sim_twin.looks import Looks
from touchstone.cameras import CameraModel
from touchstone.geometry import Pose, quaternion_from_rotation


@dataclass(frozen=True)
class Shifts:
    """Every hidden parameter; the defaults shift nothing.

    camera_move [m] and camera_turn (rotation vector, rad): of the camera in its own optical frame. focal: factor.
    principal: shift of the principal point [px]. tint: factors of a picture's red, green and blue, or None.
    friction: factor for pads, cube and cards. mass: factor for cube and cards. stiffness, damping: factors of the
    arm's position drives. latency_s: from command to motor. backlash: play of every joint [rad]. grip: factor of the
    gripper's force.
    """

    camera_move: tuple[float, ...] = (0.0, 0.0, 0.0)
    camera_turn: tuple[float, ...] = (0.0, 0.0, 0.0)
    focal: float = 1.0
    principal: tuple[float, ...] = (0.0, 0.0)
    looks: Looks = field(default_factory=Looks)
    tint: tuple[float, ...] | None = None
    friction: float = 1.0
    mass: float = 1.0
    stiffness: float = 1.0
    damping: float = 1.0
    latency_s: float = 0.0
    backlash: float = 0.0
    grip: float = 1.0


class Amounts:
    """Random amounts of one named shift."""

    def __init__(self, generator: np.random.Generator, strength: float) -> None:
        self._generator, self._strength = generator, strength

    def one_way(self, amplitude: float) -> float:
        return float(self._strength * amplitude * self._generator.uniform(0.5, 1.0))

    def either_way(self, amplitude: float) -> float:
        return self.one_way(amplitude) * float(self._generator.choice([-1.0, 1.0]))

    def several(self, amplitude: float, count: int) -> tuple[float, ...]:
        return tuple(self.either_way(amplitude) for _ in range(count))

    def factor(self, largest: float) -> float:
        """Between 1 / `largest` and `largest`."""
        return float(largest ** self.either_way(1.0))

    def factors(self, largest: float) -> tuple[float, float, float]:
        return self.factor(largest), self.factor(largest), self.factor(largest)


def _camera(shifts: Shifts, amounts: Amounts) -> Shifts:
    return replace(
        shifts,
        camera_move=amounts.several(0.02, 3),
        camera_turn=amounts.several(np.radians(2.0), 3),
        focal=amounts.factor(1.03),
        principal=amounts.several(8.0, 2),
    )


def _light(shifts: Shifts, amounts: Amounts) -> Shifts:
    looks = shifts.looks
    turn = Rotation.from_rotvec(amounts.several(np.radians(25.0), 3))
    brighter = amounts.factor(1.8)
    return replace(
        shifts,
        looks=replace(
            looks,
            ambient=_times(looks.ambient, (amounts.factor(1.5),) * 3),
            sun=_times(_times(looks.sun, (brighter,) * 3), amounts.factors(1.2)),
            sun_direction=tuple(float(v) for v in turn.apply(looks.sun_direction)),
        ),
    )


def _tint(shifts: Shifts, amounts: Amounts) -> Shifts:
    return replace(shifts, tint=amounts.factors(1.35))


def _texture(shifts: Shifts, amounts: Amounts) -> Shifts:
    looks = replace(shifts.looks, table=amounts.factors(1.7), grain=amounts.factor(3.0))
    return replace(shifts, looks=looks)


def _gains(shifts: Shifts, amounts: Amounts) -> Shifts:
    return replace(shifts, stiffness=amounts.factor(3.0), damping=amounts.factor(1.5))


#: name -> what it changes
FAMILIES: dict[str, Callable[[Shifts, Amounts], Shifts]] = {
    "camera": _camera,
    "light": _light,
    "tint": _tint,
    "texture": _texture,
    "friction": lambda shifts, amounts: replace(shifts, friction=amounts.factor(2.5)),
    "mass": lambda shifts, amounts: replace(shifts, mass=amounts.factor(3.0)),
    "gains": _gains,
    "latency": lambda shifts, amounts: replace(shifts, latency_s=amounts.one_way(0.25)),
    "backlash": lambda shifts, amounts: replace(shifts, backlash=amounts.one_way(0.04)),
    "grip": lambda shifts, amounts: replace(shifts, grip=0.05 ** amounts.one_way(1.0)),
}


def bend_camera(model: CameraModel, shifts: Shifts) -> CameraModel:
    """The camera that is rendered where `model` is what everybody is told."""
    K = model.K.copy()
    K[0, 0] *= shifts.focal
    K[1, 1] *= shifts.focal
    K[:2, 2] += shifts.principal
    moved = Pose(np.array(shifts.camera_move), quaternion_from_rotation(Rotation.from_rotvec(shifts.camera_turn)))
    return replace(model, K=K, base_from_camera=model.base_from_camera @ moved)


def bend_scene(env, drives: Drives, friction: float, shifts: Shifts) -> None:
    """Puts the shifts of bodies and motors into a BenchEnv. friction: of the finger pads, unshifted."""
    drives.make_pads_grip(friction * shifts.friction)
    for prop in env.props.values():
        prop.shift(shifts.friction, shifts.mass)
    gains = env.arm.drives
    for joint, stiffness, damping, force in zip(
        drives.joints, gains.stiffness, gains.damping, gains.force, strict=True
    ):
        joint.set_drive_properties(stiffness * shifts.stiffness, damping * shifts.damping, force)
    stiffness, damping, force = gains.finger
    for finger in drives.fingers:
        finger.set_drive_properties(stiffness, damping, force * shifts.grip)


def _times(one, other) -> tuple[float, float, float]:
    red, green, blue = (a * b for a, b in zip(one, other, strict=True))
    return red, green, blue
