"""A simulator in another process as an emulator's plant: references go out, positions come back, and nobody waits."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hardware.emulators.kinematic import GRIPPER
from touchstone.clock import Clock
from touchstone.errors import UsageError, WorldFailure
from touchstone.plant import CONNECT_S, LARGEST, Motion, PlantClient, References
from touchstone.robots.base import Arm

EVERY = 0.01  # [s] between two exchanges; the twin's physics step
SILENT_S = 10.0  # a simulator that says nothing for so long hangs; building a scene takes it a second or two
#: a gripper's speed and effort are told by nobody who drives one
NOTHING = 0.0


class RemotePlant:
    """`Plant` of `hardware/emulators/kinematic.py` for one arm, moved by the simulator behind `link`.

    to_opening, from_opening: between the unit in which the emulator drives its gripper and the opening 0..1. Joints
    without torque stay where they are. Raises WorldFailure from any method once the simulator is gone or hangs.
    """

    def __init__(
        self,
        arm: Arm,
        link: Path,
        clock: Clock,
        to_opening: Callable[[float], float],
        from_opening: Callable[[float], float],
        timeout_s: float = CONNECT_S,
    ) -> None:
        self._arm, self._clock, self._link = arm, clock, link
        self._to_opening, self._from_opening = to_opening, from_opening
        self._client = PlantClient(link, timeout_s)
        there = self._client.ask("describe")
        if there["robot"] != arm.name or there["time_scale"] != clock.scale:
            raise UsageError(
                f"The simulator on {link} is a {there['robot']} at time scale {there['time_scale']:g}, the emulator a "
                f"{arm.name} at {clock.scale:g}; start both alike."
            )
        names = (*arm.joint_names, GRIPPER)
        self.positions = dict.fromkeys(names, 0.0)
        self.velocities = dict.fromkeys(names, 0.0)
        self.efforts = dict.fromkeys(names, 0.0)
        #: stamp of what is known of the joints [ns]
        self.stamp_ns = 0
        self._now = self._sent = clock.now()
        limp = References(clock.now_ns(), np.full(len(arm.joint_names), math.nan), math.nan)
        self._client.socket.send(limp.encode())
        self._take(self._client.socket.recv(LARGEST))
        self._client.socket.setblocking(False)

    @property
    def blocked(self) -> set[str]:
        """Nothing: what stands in the arm's way is the simulator's. Raises ValueError for any other."""
        return set()

    @blocked.setter
    def blocked(self, joints: set[str]) -> None:
        if joints:
            raise ValueError("the arm is moved by a simulator; put something in its way there")

    @property
    def push(self) -> float:
        """As `blocked`."""
        return 0.0

    @push.setter
    def push(self, newtons: float) -> None:
        if newtons:
            raise ValueError("the arm is moved by a simulator, which alone knows what it presses on")

    @property
    def age(self) -> float:
        """Seconds since the simulator last told where the joints are."""
        return self._clock.now() - self.stamp_ns / 1e9

    def step(self, dt: float, references: dict[str, float | None]) -> None:
        self._now += dt
        if self._now - self._sent < EVERY - 1e-9:
            return
        self._sent = self._now
        wanted = [_or_nan(references.get(name)) for name in self._arm.joint_names]
        grip = references.get(GRIPPER)
        opening = math.nan if grip is None else self._to_opening(grip)
        try:
            self._client.socket.send(References(round(self._now * 1e9), np.array(wanted), opening).encode())
        except BlockingIOError:
            pass  # the simulator is not let run: it counts that itself
        except OSError as error:
            raise self._gone() from error

    def update_efforts(self, references: dict[str, float | None]) -> None:
        """Takes the newest that has come."""
        newest = None
        while True:
            try:
                message = self._client.socket.recv(LARGEST)
            except BlockingIOError:
                break
            except OSError as error:
                raise self._gone() from error
            if not message:
                raise self._gone()
            newest = message
        if newest is not None:
            self._take(newest)
        elif self.age > SILENT_S:
            raise WorldFailure(f"The simulator on {self._link} has not answered for {SILENT_S:g} s; start both again.")

    def _take(self, message: bytes) -> None:
        motion = Motion.decode(message, len(self._arm.joint_names))
        if motion is None:
            raise WorldFailure(f"The simulator on {self._link} speaks another protocol; start one of this version.")
        self.stamp_ns = motion.stamp_ns
        for k, name in enumerate(self._arm.joint_names):
            self.positions[name] = float(motion.positions[k])
            self.velocities[name] = float(motion.velocities[k])
            self.efforts[name] = float(motion.efforts[k])
        self.positions[GRIPPER] = self._from_opening(motion.opening)
        self.velocities[GRIPPER] = self.efforts[GRIPPER] = NOTHING

    def _gone(self) -> WorldFailure:
        return WorldFailure(f"The simulator on {self._link} has ended, and with it the emulated arm; start both again.")


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
