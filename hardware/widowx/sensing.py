"""From what the motors say to the gate's reading and to the arm's state."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hardware.dynamixel import registers as reg
from hardware.dynamixel.bus import Bus
from hardware.dynamixel.units import (
    CURRENT_UNIT,
    LOAD_UNIT,
    SPEED_UNIT,
    XL430_STALL,
    XM430_TORQUE,
    finger_distance,
    radians,
)
from hardware.widowx.motors import GRIPPER, MASTERS, MOTORS, XL430
from touchstone.robots.wx250s import ARM
from touchstone.safety.readings import MotorReading, Reading
from touchstone.world import GripperState, JointState

IDS = tuple(motor.id for motor in MOTORS)
FAST = (reg.PRESENT_CURRENT, reg.PRESENT_VELOCITY, reg.PRESENT_POSITION)
#: read in turn, one group every few cycles: a SyncRead drops the status bytes, so errors are asked for
SLOW = (
    (reg.TORQUE_ENABLE, reg.HARDWARE_ERROR),
    (reg.BUS_WATCHDOG,),
    (reg.PRESENT_VOLTAGE, reg.PRESENT_TEMPERATURE),
)


@dataclass
class Senses:
    """The newest of everything. values: current, velocity, position by id. slow: register -> value by id."""

    stamp_ns: int = 0
    values: dict[int, tuple[int, ...]] = field(default_factory=dict)
    slow: dict[str, dict[int, int]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    _turn: int = 0

    def read_fast(self, bus: Bus, now_ns: int) -> bool:
        """Reads all motors; False if not every one answered. now_ns: stamp of the reading."""
        values = bus.sync_read(IDS, FAST)
        if values is None:
            return False
        self.values, self.stamp_ns, self.missing = values, now_ns, ()
        return True

    def read_slow(self, bus: Bus) -> None:
        """Reads the next slow group; one that fails keeps its old values."""
        registers = SLOW[self._turn % len(SLOW)]
        self._turn += 1
        values = bus.sync_read(IDS, registers)
        for k, register in enumerate(registers if values else ()):
            self.slow[register.name] = {id: each[k] for id, each in values.items()}

    def read_all_slow(self, bus: Bus) -> None:
        for _ in SLOW:
            self.read_slow(bus)

    def of(self, register: reg.Register, id: int, default=None):
        return self.slow.get(register.name, {}).get(id, default)

    @property
    def torque(self) -> bool:
        """Whether every motor holds."""
        return all(self.of(reg.TORQUE_ENABLE, id, 0) for id in IDS)

    @property
    def limp(self) -> tuple[str, ...]:
        """Names of the motors without torque."""
        return tuple(motor.name for motor in MOTORS if not self.of(reg.TORQUE_ENABLE, motor.id, 0))

    @property
    def tripped(self) -> tuple[str, ...]:
        """Names of the motors whose bus watchdog has stopped them."""
        return tuple(motor.name for motor in MOTORS if self.of(reg.BUS_WATCHDOG, motor.id, 0) < 0)

    def motors(self) -> tuple[MotorReading, ...]:
        return tuple(
            MotorReading(
                motor.name,
                motor.joint,
                self.of(reg.PRESENT_TEMPERATURE, motor.id),
                self.of(reg.HARDWARE_ERROR, motor.id, 0),
            )
            for motor in MOTORS
        )

    def reading(self) -> Reading:
        joints = self.joints()
        return Reading(self.stamp_ns, joints.position, joints.velocity, joints.effort, self.motors(), self.missing)

    def joints(self) -> JointState:
        """Positions and speeds of the masters; a pair's effort is that of both motors."""
        position = np.array([radians(self.values[motor.id][2]) for motor in MASTERS])
        velocity = np.array([self.values[motor.id][1] * SPEED_UNIT for motor in MASTERS])
        effort = dict.fromkeys(ARM.joint_names, 0.0)
        for motor in MOTORS:
            if motor.joint:
                effort[motor.joint] += _torque(motor.model, self.values[motor.id][0])
        return JointState(ARM.joint_names, position, velocity, np.array(list(effort.values())))

    def gripper(self) -> GripperState:
        """The grip force is not measured: the motor reports a load that friction dominates."""
        finger = finger_distance(radians(self.values[GRIPPER.id][2]))
        return GripperState(ARM.gripper.opening(finger), ARM.gripper.width(finger))

    def voltages(self) -> dict[str, float]:
        read = ((motor.name, self.of(reg.PRESENT_VOLTAGE, motor.id)) for motor in MOTORS)
        return {name: value / 10 for name, value in read if value is not None}


def _torque(model: int, value: int) -> float:
    """[N m] of what a motor says at register 126: current, or load of an XL430."""
    return value * LOAD_UNIT * XL430_STALL if model == XL430 else value * CURRENT_UNIT * XM430_TORQUE
