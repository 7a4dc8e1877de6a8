"""From joint_states and register values to the gate's reading and to the arm's state."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import JointState

from hardware.dynamixel.registers import Register
from hardware.widowx import sensing
from hardware.widowx.motors import GRIPPER, MASTERS, SHADOWS, Motor
from robot_bridge.interbotix.stamping import Stamping
from robot_bridge.interbotix.units import effort_units, position_ticks, velocity_units
from robot_bridge.stamps import to_ns

SEEN = (*MASTERS, GRIPPER)
NAMES = tuple(motor.name for motor in SEEN)


class Senses(sensing.Senses):
    """As of the driver on the bus, in registers' units. A shadow is not in joint_states and counts as its master does.

    unreadable: messages that told nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unreadable = 0
        self._stamping = Stamping()

    def take(self, message: JointState, arrived_ns: int) -> bool:
        """False for a message that tells nothing of the arm."""
        values = _values(message)
        if values is None:
            self.unreadable += 1
            return False
        self.values = values | {shadow.id: values[shadow.secondary] for shadow in SHADOWS}
        self.stamp_ns = self._stamping.stamp_ns(to_ns(message.header.stamp), arrived_ns)
        return True

    def note(self, motor: Motor, register: Register, value: int | None) -> None:
        """What a motor answered; None: it did not, again and again."""
        others = tuple(name for name in self.missing if name != motor.name)
        self.missing = (*others, motor.name) if value is None else others
        if value is not None:
            self.slow.setdefault(register.name, {})[motor.id] = value


def _values(message: JointState) -> dict[int, tuple[int, int, int]] | None:
    """Register 126, velocity and position by id, or None."""
    try:
        places = [list(message.name).index(name) for name in NAMES]
        told = np.array([message.effort, message.velocity, message.position], dtype=np.float64)[:, places].T
    except (ValueError, IndexError):
        return None
    if not np.isfinite(told).all():
        return None
    values = {
        motor.id: (effort_units(effort), velocity_units(velocity), position_ticks(position))
        for motor, (effort, velocity, position) in zip(SEEN, told, strict=True)
    }
    # an xs_sdk whose bus does not answer goes on publishing: zeros, which are half a turn away for every joint
    return None if all(position == 0 for _, _, position in values.values()) else values
