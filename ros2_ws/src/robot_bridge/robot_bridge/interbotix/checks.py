"""Is this the arm that it should be, and is its xs_sdk in the right mode? Asked without changing anything."""

from __future__ import annotations

from collections.abc import Iterable

from hardware.dynamixel import registers as reg
from hardware.dynamixel.registers import Register
from hardware.widowx.checks import wanted_settings
from hardware.widowx.motors import GRIPPER, MASTERS, MOTORS, SHADOWS, Motor
from hardware.widowx.setup import PAIR_TOLERANCE
from robot_bridge.interbotix.xs_sdk import ALL, ARM_GROUP, GROUP, SINGLE, XsSdk
from touchstone.errors import UsageError
from touchstone.robots.wx250s import JOINTS

#: what is commanded as one, with its motors: kind and name for the services
COMMANDED = (
    (GROUP, ARM_GROUP, tuple(motor for motor in MOTORS if motor.joint)),
    (SINGLE, GRIPPER.name, (GRIPPER,)),
)


def check_arm(sdk: XsSdk) -> None:
    """The joints and motors of a wx250s, set up as such and without errors. Raises UsageError, one sentence."""
    for name, wanted in ((ARM_GROUP, list(JOINTS)), (ALL, [motor.name for motor in (*MASTERS, GRIPPER)])):
        told = sdk.info(GROUP, name)
        # of a gripper it tells its left finger
        found = [GRIPPER.name if joint == "left_finger" else joint for joint in told.joint_names]
        if found != wanted:
            raise UsageError(
                f"The xs_sdk under {sdk.name} drives the joints '{', '.join(found)}' as its group '{name}' and not "
                f"'{', '.join(wanted)}'; start it with robot_model:=wx250s."
            )
    for motor in MOTORS:
        model = _read(sdk, motor, reg.MODEL)
        if model != motor.model:
            raise UsageError(
                f"Motor {motor.name} behind {sdk.name} is a {_model(model)} and a wx250s has a {_model(motor.model)} "
                "there; connect a wx250s, and no simulated one."
            )
        firmware = _read(sdk, motor, reg.FIRMWARE)
        if firmware < reg.WATCHDOG_FIRMWARE:
            raise UsageError(
                f"Motor {motor.name} has firmware {firmware}, which has no bus watchdog; update it to "
                f"{reg.WATCHDOG_FIRMWARE} or later with Robotis' Dynamixel Wizard."
            )
        errors = _read(sdk, motor, reg.HARDWARE_ERROR)
        if errors:
            raise UsageError(
                f"Motor {motor.name} reports {reg.error_words(errors)}; remove the cause, switch the arm's power off "
                "and on, and start the xs_sdk again."
            )
        for register, wanted in wanted_settings(motor).items():
            if register == reg.OPERATING_MODE:
                continue
            # the profile's kind is set with the mode
            kept = ~reg.TIME_PROFILE if register == reg.DRIVE_MODE else -1
            wanted &= kept
            for _ in range(2):  # a late answer may have been taken for this one
                found = _read(sdk, motor, register) & kept
                if found == wanted:
                    break
            else:
                raise UsageError(
                    f"Motor {motor.name} has {register.name} {found} and should have {wanted}; start the xs_sdk with "
                    "Interbotix's own motor_configs of the wx250s and load_configs:=true."
                )
    for shadow in SHADOWS:
        master = next(motor for motor in MOTORS if motor.id == shadow.secondary)
        apart = _read(sdk, shadow, reg.PRESENT_POSITION) - _read(sdk, master, reg.PRESENT_POSITION)
        if abs(apart) > PAIR_TOLERANCE:
            raise UsageError(
                f"Motor {shadow.name} differs from its partner by {apart} ticks; start the xs_sdk again, which matches "
                "the two."
            )


def wrong_modes(sdk: XsSdk) -> list[tuple[str, str, tuple[Motor, ...], str]]:
    """What is commanded and not in position mode with a time profile: kind, name, motors, and what it is in."""
    wrong = []
    for kind, name, motors in COMMANDED:
        told = sdk.info(kind, name)
        said = f"mode '{told.mode}' with the profile '{told.profile_type}'"
        if (told.mode, told.profile_type) != ("position", "time"):
            wrong.append((kind, name, motors, said))
        elif any(not _in_mode(sdk, motor) for motor in motors):
            # its group's word stays what it was when one joint is set to something else
            wrong.append((kind, name, motors, f"{said}, which not all of its motors are in"))
    return wrong


def holding(sdk: XsSdk, motors: Iterable[Motor]) -> bool:
    """Whether any of these motors has torque."""
    return any(_read(sdk, motor, reg.TORQUE_ENABLE) for motor in motors)


def _in_mode(sdk: XsSdk, motor: Motor) -> bool:
    mode, drive = _read(sdk, motor, reg.OPERATING_MODE), _read(sdk, motor, reg.DRIVE_MODE)
    return mode == reg.POSITION_MODE and bool(drive & reg.TIME_PROFILE)


def _read(sdk: XsSdk, motor: Motor, register: Register) -> int:
    value = sdk.read(motor, register)
    if value is None:
        raise UsageError(
            f"Motor {motor.name} does not answer the xs_sdk under {sdk.name}; look at the arm's power and cables."
        )
    return value


def _model(number: int) -> str:
    return reg.MODELS.get(number, f"model {number}")
