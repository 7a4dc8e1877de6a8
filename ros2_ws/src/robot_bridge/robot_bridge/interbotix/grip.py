"""The gripper: its force is a register that a service sets, its goal a message; the force goes first."""

from __future__ import annotations

import time
from typing import Any

from hardware.dynamixel import registers as reg
from hardware.dynamixel.units import gripper_angle, ticks_inside
from hardware.widowx.loop import FULL_GRIP_PWM, LEAST_GRIP_PWM
from hardware.widowx.motors import GRIPPER
from robot_bridge.interbotix.units import commanded_angle
from robot_bridge.interbotix.xs_sdk import ANSWER_S, XsSdk
from touchstone.robots.wx250s import ARM


class Grip:
    """`follow` is called in every cycle and never waits."""

    def __init__(self, sdk: XsSdk) -> None:
        self._sdk = sdk
        self.forget()

    def forget(self) -> None:
        """Nothing is known of what the gripper was told."""
        self._pwm: int | None = None  # what the motor has
        self._goal: int | None = None
        self._asked: tuple[int, Any, float] | None = None

    def follow(self, opening: float, force: float) -> None:
        """opening: 0..1; force: [N]."""
        pwm = max(LEAST_GRIP_PWM, round(force / ARM.gripper.force * FULL_GRIP_PWM))
        goal = ticks_inside(gripper_angle(ARM.gripper.finger_position(opening)), GRIPPER.lower, GRIPPER.upper)
        if not self._has(pwm):
            return
        if goal != self._goal:
            self._sdk.command_gripper(commanded_angle(goal))
            self._goal = goal

    def _has(self, pwm: int) -> bool:
        if self._asked is not None:
            asked, future, until = self._asked
            if future.done():
                self._pwm, self._asked = asked, None
            elif time.monotonic() > until:
                self._asked = None  # it may have got lost: once more
        if self._pwm != pwm and self._asked is None:
            self._asked = (pwm, self._sdk.write_soon(GRIPPER, reg.GOAL_PWM, pwm), time.monotonic() + ANSWER_S)
        return self._pwm == pwm
