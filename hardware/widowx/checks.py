"""Is this the arm that it should be? Asked before any torque, and without writing anything."""

from __future__ import annotations

from hardware.dynamixel import registers as reg
from hardware.dynamixel.bus import Bus
from hardware.dynamixel.registers import Register
from hardware.widowx.motors import MOTORS, Motor
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import UsageError

BOOT_S = 0.5  # motors whose power was just switched on need a moment


def check_motors(bus: Bus, port: str, clock: Clock = REAL_TIME) -> None:
    """Nine motors of the right models, with a bus watchdog and without errors; raises UsageError, one sentence."""
    models = {motor: bus.ping(motor.id) for motor in MOTORS}
    if None in models.values():
        clock.sleep(BOOT_S)
        models = {motor: model or bus.ping(motor.id) for motor, model in models.items()}
    silent = [motor for motor, model in models.items() if model is None]
    if len(silent) == len(MOTORS):
        raise UsageError(f"No motor answers on {port}; look whether it is the arm's port and the arm has power.")
    if silent:
        names = ", ".join(f"{motor.id} ({motor.name})" for motor in silent)
        raise UsageError(f"Motor {names} does not answer on {port}; look at its cable, its id and its speed.")
    for motor, model in models.items():
        if model != motor.model:
            raise UsageError(
                f"Motor {motor.id} ({motor.name}) on {port} is a {_model(model)} and a wx250s has a "
                f"{_model(motor.model)} there; connect a wx250s."
            )
    for motor in MOTORS:
        firmware = bus.read(motor.id, reg.FIRMWARE)
        if firmware < reg.WATCHDOG_FIRMWARE:
            raise UsageError(
                f"Motor {motor.id} ({motor.name}) has firmware {firmware}, which has no bus watchdog; update it to "
                f"{reg.WATCHDOG_FIRMWARE} or later with Robotis' Dynamixel Wizard."
            )
        errors = bus.read(motor.id, reg.HARDWARE_ERROR)
        if errors:
            raise UsageError(
                f"Motor {motor.id} ({motor.name}) reports {reg.error_words(errors)}; remove the cause and switch the "
                "arm's power off and on."
            )


def _model(number: int) -> str:
    return reg.MODELS.get(number, f"model {number}")


def wanted_settings(motor: Motor) -> dict[Register, int]:
    """What must stand in a motor's EEPROM."""
    return {
        reg.RETURN_DELAY: 0,
        reg.DRIVE_MODE: reg.TIME_PROFILE | (reg.REVERSE if motor.reverse else 0),
        reg.OPERATING_MODE: reg.POSITION_MODE,
        reg.SECONDARY_ID: motor.secondary,
        reg.VELOCITY_LIMIT: motor.velocity_limit,
        reg.MIN_POSITION: motor.lower,
        reg.MAX_POSITION: motor.upper,
    }


def wrong_settings(bus: Bus) -> dict[Motor, dict[Register, int]]:
    """The settings that differ, with what they should be."""
    wrong = {}
    for motor in MOTORS:
        differing = {r: value for r, value in wanted_settings(motor).items() if bus.read(motor.id, r) != value}
        if differing:
            wrong[motor] = differing
    return wrong
