"""Goes round the motors and reads what joint_states do not tell, one register at a time: the xs_sdk does one thing
after the other, and a long answer would hold up its joint_states."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

from hardware.dynamixel import registers as reg
from hardware.dynamixel.registers import Register
from hardware.widowx.motors import MOTORS, Motor
from robot_bridge.interbotix.units import register_value
from robot_bridge.interbotix.xs_sdk import ANSWER_S, XsSdk

EVERY_S = 0.02  # so that errors and torque of every motor are known every half second
TRIES = 3  # an answer on the motors' bus may get lost
URGENT = (reg.HARDWARE_ERROR, reg.TORQUE_ENABLE)
#: one of these each time round
SLOW = (reg.BUS_WATCHDOG, reg.PRESENT_TEMPERATURE, reg.PRESENT_VOLTAGE)


class Rounds:
    """`step` is a timer's callback. note: given each motor's register with its value, None when it did not answer
    `TRIES` times; in the thread of the timer."""

    def __init__(self, sdk: XsSdk, note: Callable[[Motor, Register, int | None], None]) -> None:
        self._sdk, self._note = sdk, note
        self._route = _route()
        self._asked: tuple[Motor, Register] | None = None
        self._future: Any = None
        self._misses = 0
        self._asked_s = 0.0
        self._going = False

    def go(self) -> None:
        """Goes round from now on."""
        self._going = True

    def rest(self) -> None:
        """Asks nothing more, and waits until what was asked is told or given up: it must not be told after newer."""
        self._going = False
        end = time.monotonic() + 2 * ANSWER_S
        while self._future is not None and time.monotonic() < end:
            time.sleep(EVERY_S)

    def step(self) -> None:
        if self._future is not None:
            if not self._future.done():
                if time.monotonic() - self._asked_s > ANSWER_S:
                    self._sdk.forget(self._future)
                    self._future = None
                return
            self._take(self._future.result().values)
        if self._going:
            if not self._misses:
                self._asked = next(self._route)
            self._future, self._asked_s = self._sdk.ask(*self._asked), time.monotonic()

    def _take(self, values: list[int]) -> None:
        motor, register = self._asked
        answered = len(values) == 1
        self._misses = 0 if answered else (self._misses + 1) % TRIES
        if not self._misses:
            self._note(motor, register, register_value(register, values[0]) if answered else None)
        self._future = None


def _route() -> Iterator[tuple[Motor, Register]]:
    for slow in cycle(SLOW):
        for motor in MOTORS:
            for register in (*URGENT, slow):
                yield motor, register
