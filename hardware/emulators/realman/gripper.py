"""The Inspire EG2-4C2 at the end of the arm."""

from __future__ import annotations

from typing import Any

from touchstone.robots.rm75 import ARM

LOWEST, HIGHEST = 1, 1000  # of a position
SOFTEST, FIRMEST = 50, 1000  # [g] of a force threshold
STANDARD_GRAVITY = 9.80665
OPEN, CLOSED, STOPPED, CLOSING, OPENING, HELD = 1, 2, 3, 4, 5, 6  # its mode
ARRIVED = 1e-5  # [m]


class Gripper:
    """Follows positions; grips until a force is reached. online: it is there. errors: its error bits."""

    def __init__(self, finger: float) -> None:
        self.online, self.errors, self.temperature = True, 0, 30
        self.goal = finger
        self.force: int | None = None  # [g], of a grip
        self._told = True

    def command(self, message: dict[str, Any]) -> dict[str, Any]:
        """Carries out a `set_gripper_*`; the answer."""
        name = message["command"]
        sound = self.online and all(
            low <= message[key] <= HIGHEST
            for key, low in (("position", LOWEST), ("speed", LOWEST), ("force", SOFTEST))
            if key in message
        )
        if sound:
            self._told = False
            self.force = message.get("force")
            steps = {"set_gripper_position": message.get("position"), "set_gripper_release": HIGHEST}.get(name, LOWEST)
            self.goal = ARM.gripper.finger_position((steps - LOWEST) / (HIGHEST - LOWEST))
        return {"command": "set_gripper", "state": sound}

    def arrival(self, finger: float, effort: float) -> dict[str, Any] | None:
        """What it says once, when a command is done."""
        if self._told or self._mode(finger, effort) in (CLOSING, OPENING):
            return None
        self._told = True
        done = self.online and not self.errors
        # without trajectory_connect the SDK does not take it as the gripper's
        return {"state": "current_trajectory_state", "trajectory_state": done, "device": 1, "trajectory_connect": 0}

    def state(self, finger: float, effort: float) -> dict[str, Any]:
        """finger: [m]. effort: [N] that it shows."""
        return {
            "command": "get_gripper_state",
            "enable": int(self.online),
            "status": int(self.online),
            "error": self.errors,
            "mode": self._mode(finger, effort),
            "current_force": round(effort / STANDARD_GRAVITY * 1e3),
            "temperature": self.temperature,
            "actpos": LOWEST + round(ARM.gripper.opening(finger) * (HIGHEST - LOWEST)),
        }

    def _mode(self, finger: float, effort: float) -> int:
        if effort:
            return HELD
        if abs(finger - self.goal) > ARRIVED:
            return OPENING if self.goal > finger else CLOSING
        return {ARM.gripper.open: OPEN, ARM.gripper.closed: CLOSED}.get(self.goal, STOPPED)
