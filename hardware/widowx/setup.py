"""Brings the motors' registers into the state that the driver relies on."""

from __future__ import annotations

from hardware.dynamixel import registers as reg
from hardware.dynamixel.bus import Bus
from hardware.widowx.checks import wrong_settings
from hardware.widowx.motors import GRIPPER, MOTORS, SHADOWS
from touchstone.errors import UsageError

#: a shadow may differ from its master by this much [ticks]; beyond it the two work against each other
PAIR_TOLERANCE = 10
LARGEST_HOMING_OFFSET = 1024  # in position mode (Robotis e-manual)
GRIPPER_MOVE_MS = 500


def configure(bus: Bus) -> None:
    """EEPROM and shadow calibration. An arm that holds itself with torque is not let go: it must be right already.

    Raises UsageError when torque would have to be switched off, or a pair cannot be matched.
    """
    wrong = wrong_settings(bus)
    holding = [motor for motor in MOTORS if bus.read(motor.id, reg.TORQUE_ENABLE)]
    if wrong and holding:
        raise UsageError(
            f"The arm holds itself and motor {next(iter(wrong)).name} must be set up first; support the arm, switch "
            "its power off and on, and connect again."
        )
    for motor, settings in wrong.items():
        for register, value in settings.items():
            bus.write(motor.id, register, value)
    if not holding:
        _match_shadows(bus)
    _check_pairs(bus)


def start_torque(bus: Bus, tick_ms: float, watchdog_ms: int) -> None:
    """Torque on where the arm is now, with profiles for a stream of set-points and the bus watchdog set."""
    for motor in MOTORS:
        bus.write(motor.id, reg.BUS_WATCHDOG, 0)  # ends a watchdog that has tripped
        # half a cycle longer than a cycle, so that the motor never waits for the next set-point
        move_ms = GRIPPER_MOVE_MS if motor is GRIPPER else round(1.5 * tick_ms)
        bus.write(motor.id, reg.PROFILE_ACCELERATION, 0)
        bus.write(motor.id, reg.PROFILE_VELOCITY, max(1, move_ms))
    set_watchdog(bus, watchdog_ms)
    for motor in MOTORS:
        bus.write(motor.id, reg.TORQUE_ENABLE, 1)


def set_watchdog(bus: Bus, watchdog_ms: int) -> None:
    for motor in MOTORS:
        bus.write(motor.id, reg.BUS_WATCHDOG, watchdog_ms // reg.WATCHDOG_UNIT_MS)


def _match_shadows(bus: Bus) -> None:
    """Homing offsets that make a shadow show what its master shows; limp motors only."""
    for shadow in SHADOWS:
        apart = bus.read(shadow.secondary, reg.PRESENT_POSITION) - bus.read(shadow.id, reg.PRESENT_POSITION)
        if abs(apart) <= 1:
            continue
        offset = bus.read(shadow.id, reg.HOMING_OFFSET) + (-apart if shadow.reverse else apart)
        if abs(offset) > LARGEST_HOMING_OFFSET:
            raise UsageError(
                f"Motor {shadow.id} ({shadow.name}) stands {abs(apart)} ticks from its partner, too far to match; "
                "mount its horn again."
            )
        bus.write(shadow.id, reg.HOMING_OFFSET, offset)


def _check_pairs(bus: Bus) -> None:
    for shadow in SHADOWS:
        apart = bus.read(shadow.secondary, reg.PRESENT_POSITION) - bus.read(shadow.id, reg.PRESENT_POSITION)
        if abs(apart) > PAIR_TOLERANCE:
            raise UsageError(
                f"Motor {shadow.id} ({shadow.name}) differs from its partner by {apart} ticks although it was matched; "
                "switch the arm's power off and on and connect again."
            )
