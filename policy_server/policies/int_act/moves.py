"""Ways of going somewhere, as generators: each yields what to aim at in this tick, and ends when it is done.

A script is a generator of `Aim`s made of these; between two of them its `View` is told the new tick.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from policy_server.policies.int_act.view import View
from touchstone.geometry import Pose
from touchstone.policy import Chunk
from touchstone.world import Observation

#: longest way [m] and largest turn [rad] of one action, about the largest in Bridge's data
STEP, TURN = 0.03, 0.2
#: where a grasp or a release is about to begin, the measured TCP is this near to where it should be [m]
THERE = 0.004
#: turned as it should be [rad]
TURNED = 0.06
#: after so many ticks in one place, whatever keeps the arm from getting nearer will stay
PATIENCE = 12


@dataclass(frozen=True)
class Aim:
    """Where the TCP should get, no faster than `step` [m] a tick, and the gripper's opening 0..1."""

    tcp: Pose
    opening: float
    step: float = STEP


Script = Generator[Aim, None, None]
#: ends with whether it got there
Move = Generator[Aim, None, bool]


def go(
    view: View,
    goal: Callable[[], Pose],
    opening: float,
    near: float = THERE,
    sideways: float | None = None,
    step: float = STEP,
    while_: Callable[[], bool] | None = None,
) -> Move:
    """Straight to a goal that may move. near: measured distance [m] at which it is reached; with `sideways`, that much
    sideways and `near` in height. while_: gives up when it no longer holds.
    """
    waited = 0
    while True:
        if while_ is not None and not while_():
            return False
        target = goal()
        apart = target.position - view.tcp.position
        flat, high = float(np.linalg.norm(apart[:2])), abs(float(apart[2]))
        close = np.hypot(flat, high) < near if sideways is None else flat < sideways and high < near
        if close and turn_between(view.tcp, target).magnitude() < TURNED:
            return True
        waiting = np.linalg.norm(target.position - view.commanded.position) < 1e-3
        waited = waited + 1 if waiting else 0
        if waited >= PATIENCE:
            return False
        yield Aim(target, opening, step)


def stay(view: View, opening: float) -> Script:
    """Holds the commanded pose, to the end of the episode."""
    here = view.commanded
    while True:
        yield Aim(here, opening)


def turn_between(one: Pose, other: Pose) -> Rotation:
    """From one orientation to another, base axes."""
    return other.rotation() * one.rotation().inv()


def action_towards(observation: Observation, aim: Aim, rate_hz: float) -> Chunk:
    """One `target_delta` action of the commanded TCP towards an aim."""
    commanded = observation.ee_commanded
    way = aim.tcp.position - commanded.position
    way = way * min(1.0, aim.step / max(float(np.linalg.norm(way)), 1e-12))
    turn = turn_between(commanded, aim.tcp).as_rotvec()
    turn = turn * min(1.0, TURN / max(float(np.linalg.norm(turn)), 1e-12))
    return Chunk(
        answers=observation.id,
        t0_ns=observation.stamp_ns,
        dt=1.0 / rate_hz,
        kind="target_delta",
        actions=np.concatenate([way, turn])[None, :],
        gripper=np.array([aim.opening], dtype=np.float64),
    )
