"""Brings the motors into the state that the driver relies on, through services that do not say whether it worked."""

from __future__ import annotations

from hardware.dynamixel import registers as reg
from hardware.dynamixel.registers import Register
from hardware.widowx.motors import GRIPPER, MASTERS, MOTORS, Motor
from hardware.widowx.setup import GRIPPER_MOVE_MS
from robot_bridge.interbotix.checks import wrong_modes
from robot_bridge.interbotix.rounds import SLOW, URGENT
from robot_bridge.interbotix.spec import InterbotixSpec
from robot_bridge.interbotix.xs_sdk import ALL, ARM_GROUP, GROUP, SINGLE, SdkFailure, XsSdk

#: what is to be written where: kind and name for the services, register, value
Wish = tuple[str, str, Register, int]
#: profiles in ms that Interbotix's modes.yaml gives an arm
SLOW_PROFILE = {reg.PROFILE_ACCELERATION: 300, reg.PROFILE_VELOCITY: 2000}


def profiles(sdk: XsSdk) -> list[Wish]:
    """What to give back to whoever commands the arm later: the time profiles that the motors have, and Interbotix's
    slow ones where they have none. Raises SdkFailure."""
    wrong = {name for _, name, _, _ in wrong_modes(sdk)}
    found = []
    for kind, name, motor in ((GROUP, ARM_GROUP, MASTERS[0]), (SINGLE, GRIPPER.name, GRIPPER)):
        for register, slow in SLOW_PROFILE.items():
            value = slow if name in wrong else sdk.read(motor, register)
            if value is None:
                raise SdkFailure(f"Motor {motor.name} does not answer the xs_sdk; look at the arm's power and cables.")
            found.append((kind, name, register, value))
    return found


def leave(sdk: XsSdk, found: list[Wish]) -> None:
    """Gives the motors their profiles and switches their watchdogs off, of which an xs_sdk knows nothing."""
    for kind, name, register, value in found:
        sdk.write(kind, name, register, value)
    sdk.write(GROUP, ALL, reg.BUS_WATCHDOG, 0)


def start_torque(sdk: XsSdk, spec: InterbotixSpec, move_ms: int) -> None:
    """Modes, profiles for a stream of set-points, the bus watchdog, and torque where the arm is. Raises SdkFailure."""
    watchdog = spec.watchdog_ms // reg.WATCHDOG_UNIT_MS
    sdk.write(GROUP, ALL, reg.BUS_WATCHDOG, 0)  # ends a watchdog that has tripped
    for kind, name, _, _ in wrong_modes(sdk):
        sdk.position_mode(kind, name, move_ms)
    for kind, name, milliseconds in ((GROUP, ARM_GROUP, move_ms), (SINGLE, GRIPPER.name, GRIPPER_MOVE_MS)):
        sdk.write(kind, name, reg.PROFILE_ACCELERATION, 0)
        sdk.write(kind, name, reg.PROFILE_VELOCITY, milliseconds)
    sdk.write(GROUP, ALL, reg.BUS_WATCHDOG, watchdog)
    sdk.torque(True)
    for motor in MOTORS:
        for register, wanted in (
            (reg.OPERATING_MODE, reg.POSITION_MODE),
            (reg.DRIVE_MODE, reg.TIME_PROFILE | (reg.REVERSE if motor.reverse else 0)),
            (reg.PROFILE_VELOCITY, GRIPPER_MOVE_MS if motor is GRIPPER else move_ms),
            (reg.PROFILE_ACCELERATION, 0),
            (reg.BUS_WATCHDOG, watchdog),
            (reg.TORQUE_ENABLE, 1),
        ):
            found = sdk.read(motor, register)
            if found != wanted:
                raise SdkFailure(
                    f"Motor {motor.name} has {register.name} {found} and was given {wanted}; look at the xs_sdk's log."
                )


def look(sdk: XsSdk) -> list[tuple[Motor, Register, int | None]]:
    """All at once what otherwise is read in rounds."""
    return [(motor, register, sdk.read(motor, register)) for motor in MOTORS for register in (*URGENT, *SLOW)]
