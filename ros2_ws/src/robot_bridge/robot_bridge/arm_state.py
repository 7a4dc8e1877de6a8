"""An arm's state on topics between the ticks, and its health as diagnostics."""

from __future__ import annotations

import time
from typing import Any

from rclpy.node import Node

from hardware.arm import ArmDriver, ArmState
from robot_bridge import topics
from robot_bridge.graph_clock import BenchClock
from robot_bridge.lifetime import Diagnostics, steady_timer
from robot_bridge.observations import arm_messages, header_at, pose_message
from robot_bridge.world_topics import WorldTopics
from touchstone.errors import WorldFailure
from touchstone.robots.base import Arm
from touchstone.safety.states import State

#: how long an arm may be silent before its node gives up [s]
GIVE_UP_S = 3.0


class ArmStateTopics:
    """Publishes `driver`'s state at `rate_hz` of the world's clock. arm: with kinematics that no other thread uses."""

    def __init__(
        self,
        node: Node,
        driver: ArmDriver,
        arm: Arm,
        clock: BenchClock,
        out: WorldTopics,
        diagnostics: Diagnostics,
        rate_hz: float,
    ) -> None:
        self._driver, self._arm, self._clock, self._out = driver, arm, clock, out
        self._diagnostics = diagnostics
        self._newest_ns = 0
        self._silent_since: float | None = None
        #: set when the arm is gone for good
        self.failure: WorldFailure | None = None
        self._node, self._period_s = node, clock.clock.real(1 / rate_hz)
        self.started = False

    def start(self) -> None:
        """To be called once the driver is connected."""
        self.started = True
        steady_timer(self._node, self._period_s, self._publish)

    def _publish(self) -> None:
        try:
            state = self._driver.state()
        except WorldFailure as failure:
            self._diagnostics.error(str(failure))
            self._silent_since = self._silent_since or time.monotonic()
            if time.monotonic() - self._silent_since > GIVE_UP_S:
                self.failure = failure
            return
        self._silent_since = None
        if state.stamp_ns <= self._newest_ns:
            return
        self._newest_ns = state.stamp_ns
        stamp = self._clock.at(state.stamp_ns)
        base = header_at(stamp, self._arm.base_link)
        self._out.time(stamp)
        ee = self._arm.kinematics.forward(state.joints.position)
        messages = arm_messages(state.joints, state.gripper, ee, self._arm, base)
        if state.commanded is not None:
            commanded = self._arm.kinematics.forward(state.commanded)
            messages[topics.EE_POSE_COMMANDED] = pose_message(commanded, base)
        self._out.publish(messages)


def judge(state: ArmState, diagnostics: Diagnostics) -> None:
    """Sets level and message from what the gate says."""
    if state.gate == State.STOPPED:
        told = diagnostics.warn if state.commanded is None else diagnostics.error
        told(f"stopped: {state.why}")
    elif state.gate in (State.RESTING, State.INHIBITED):
        diagnostics.warn(state.gate.value)
    else:
        diagnostics.ok(state.gate.value)


def values(state: ArmState) -> dict[str, Any]:
    """For diagnostics: gate and counts, motors, the I/O cycle."""
    return {
        "gate": state.gate.value,
        "why": state.why,
        "torque": state.torque,
        "rate_hz": f"{state.rate_hz:.1f}",
        "missed_readings": state.missed,
        **{f"count {code}": n for code, n in sorted(state.counts.items())},
        **{f"temperature {motor.name}": motor.temperature for motor in state.motors if motor.temperature is not None},
        **{f"errors {motor.name}": f"0x{motor.errors:02x}" for motor in state.motors if motor.errors},
        **{f"voltage {name}": f"{volts:.1f}" for name, volts in state.voltages.items()},
    }
