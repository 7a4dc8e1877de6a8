"""What goes into the gate: targets from whoever commands, readings from the arm."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from touchstone.policy import Chunk
from touchstone.safety.actions import chunk_problem


@dataclass(frozen=True)
class Target:
    """Where the arm shall go.

    joints: float64[n] [rad]. opening: gripper 0 closed .. 1 open, None = leave it. force: grip force [N], None = what
    is allowed. stamp_ns: when it was made, expires_ns: when it is worthless, both on the gate's clock. source: who
    commands; another one begins slowly. frame: as a chunk's.
    """

    joints: np.ndarray
    stamp_ns: int
    expires_ns: int
    opening: float | None = None
    force: float | None = None
    source: str = "policy"
    frame: str = "base"


@dataclass(frozen=True)
class MotorReading:
    """One motor. joint: the arm joint that it drives (its partner names the same one), None for a gripper's.

    temperature: [deg C], None when unknown. errors: its error register, 0 = healthy.
    """

    name: str
    joint: str | None
    temperature: float | None = None
    errors: int = 0


@dataclass(frozen=True)
class Reading:
    """The arm's state at `stamp_ns`, on the gate's clock: float64[n] each [rad, rad/s, N m].

    effort: None when the arm does not measure it. missing: motors that did not answer.
    """

    stamp_ns: int
    joints: np.ndarray
    velocity: np.ndarray
    effort: np.ndarray | None = None
    motors: tuple[MotorReading, ...] = ()
    missing: tuple[str, ...] = field(default=())


def target_problem(target: Target, joint_count: int) -> str | None:
    """One sentence part on shape, frame or numbers of a target, by the same check as a chunk's; None if it is sound."""
    opening = 0.0 if target.opening is None else target.opening
    try:
        actions, gripper = np.atleast_2d(np.asarray(target.joints)), np.atleast_1d(np.asarray(opening))
    except ValueError:
        return "the joints are not an array of numbers"
    if np.ndim(target.joints) != 1:
        return f"the joints have shape {np.shape(target.joints)}, expected ({joint_count},)"
    if target.force is not None and not (np.isfinite(target.force) and target.force >= 0):
        return f"the grip force is {target.force} N"
    chunk = Chunk(0, target.stamp_ns, 1.0, "joint_abs", actions, gripper, target.frame)
    return chunk_problem(chunk, joint_count)


def reading_problem(reading: Reading, joint_count: int) -> str | None:
    """What is wrong with the form or the numbers of a reading, or None."""
    for name in ("joints", "velocity", "effort"):
        values = getattr(reading, name)
        if values is None and name == "effort":
            continue
        values = np.asarray(values)
        if values.shape != (joint_count,) or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
            return f"its {name} are {values}, expected {joint_count} finite numbers"
    return None
