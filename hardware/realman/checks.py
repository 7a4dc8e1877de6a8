"""Is this the arm that it should be? Asked before any motion, and without writing anything."""

from __future__ import annotations

from hardware.realman.codes import arm_words, joint_words
from hardware.realman.controller import Controller, ControllerFailure
from hardware.realman.sensing import Senses
from hardware.realman.spec import RealmanSpec
from touchstone.clock import Clock
from touchstone.errors import UsageError
from touchstone.robots.rm75 import ARM

MODEL, TIP = "RM_75", "B"
GENERATIONS = (3, 4)
PUSH_S = 2.0  # [s] until the first state must have come


def check_identity(controller: Controller, spec: RealmanSpec) -> None:
    """An RM75-B behind a controller of the generation that was expected; raises UsageError, one sentence."""
    found = controller.identity()
    if (found.model, found.tip) != (MODEL, TIP):
        raise UsageError(
            f"The arm at {controller.name} is a {_title(found.model, found.tip)} and Touchstone drives a "
            f"{_title(MODEL, TIP)}; connect an {_title(MODEL, TIP)}."
        )
    if found.generation not in GENERATIONS or spec.generation not in (None, found.generation):
        raise UsageError(
            f"The controller at {controller.name} is of generation {found.generation} (firmware {found.firmware}), not "
            f"{spec.generation or '3 or 4'}; give the generation that it has."
        )


def check_errors(controller: Controller) -> None:
    """No error of the arm; raises UsageError."""
    errors = controller.errors()
    if errors:
        raise UsageError(
            f"The controller at {controller.name} reports error {arm_words(errors)}; remove the cause and clear it "
            "with RealMan's software."
        )


def check_gripper(controller: Controller) -> None:
    """An Inspire gripper that answers; raises UsageError."""
    advice = "look at its cable and at the tool's 24 V, and switch the tool's Modbus off."
    try:
        online = controller.gripper().online
    except ControllerFailure as failure:
        raise UsageError(f"The controller at {controller.name} tells nothing about its gripper; {advice}") from failure
    if not online:
        raise UsageError(f"The gripper of the arm at {controller.name} does not answer its controller; {advice}")


def wait_for_push(controller: Controller, senses: Senses, spec: RealmanSpec, clock: Clock) -> None:
    """The state arrives, and no joint reports an error; raises UsageError."""
    end = clock.now() + PUSH_S
    while senses.newest is None and clock.now() < end:
        clock.sleep(0.01)
    if senses.newest is None:
        found, wanted = controller.push(), controller.wanted_push()
        if found != wanted:
            raise UsageError(
                f"The push of {controller.name}'s state is {found}, not {wanted}; open it once without read_only."
            )
        raise UsageError(
            f"No state of {controller.name} arrives on UDP port {spec.udp_port}; look whether a firewall keeps it away."
        )
    for name, errors in zip(ARM.joint_names, senses.newest.joint_errors, strict=True):
        if errors:
            raise UsageError(
                f"{name} of the arm at {controller.name} reports error {joint_words(errors)}; remove the cause and "
                "clear it with RealMan's software."
            )


def _title(model: str, tip: str) -> str:
    return f"{model.replace('_', '')}-{tip}"
