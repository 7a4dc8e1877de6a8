"""The faults: how each one comes, when it can be seen, and what shall come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from touchstone.safety.settings import GateSettings

FOR_EVER = 1_000_000
READING_S = GateSettings().reading_age / 1e9
#: each group of registers is read every 150 ms
SLOW_S = 0.150
#: two looks at the gripper without an answer, 0.2 s apart; each waits 0.5 s of real time, which is longest unslowed
GRIPPER_S = 2 * (0.2 + 0.5) + 0.2
STOPPED, RESTING, GONE, FOLLOWS, HOLDING = "stopped", "resting", "gone", "follows", "holds"
REARM, CONNECT, POWER = "an operator re-arms it", "an operator connects again and re-arms it", "an operator"
ITSELF = "nobody: it goes on by itself"


@dataclass(frozen=True)
class Case:
    """One fault of one arm.

    does: in words. operation: of the emulator's fault API, with its arguments, or None. seen_s: [s] of the clock until
    the driver can know. ends: in which state. codes: of the gate, one of which must have been counted. who: ends it.
    camera: faults of the camera. pause_s: for which the policy does not answer.
    """

    fault: str
    arm: str
    does: str
    operation: tuple[str, dict] | None
    ends: str
    who: str
    codes: tuple[str, ...] = ()
    seen_s: float = 0.0
    camera: dict | None = None
    pause_s: float = 0.0
    power: bool = False

    @property
    def name(self) -> str:
        return f"{self.arm}: {self.fault}"


def _both(make: Callable[[str], Case]) -> list[Case]:
    return [make("wx250s"), make("rm75")]


def _wx(fault, does, operation, ends=STOPPED, who=REARM, codes=(), seen_s=READING_S, **more) -> Case:
    return Case(fault, "wx250s", does, operation, ends, who, codes, seen_s, **more)


def _rm(fault, does, operation, ends=STOPPED, who=REARM, codes=(), seen_s=0.0, **more) -> Case:
    return Case(fault, "rm75", does, operation, ends, who, codes, seen_s, **more)


SILENT = ("no_reading", "motor_fault")
FAULT = ("motor_fault",)
#: whichever finds it first: two looks at the gripper, or the guard after 2 s of real time without an answer
UNANSWERED = ("motor_fault", "stale_stop")
UNPLUGGED = "cable out: no byte passes"

CASES: tuple[Case, ...] = (
    _wx("drop", "one reply is lost", ("drop", {"count": 1}), FOLLOWS, ITSELF, seen_s=0.0),
    _wx("drop, for good", "every reply is lost", ("drop", {"count": FOR_EVER}), codes=SILENT),
    _wx("corrupt", "every reply is damaged", ("corrupt", {"count": FOR_EVER}), codes=SILENT),
    _wx("delay", "every reply comes 0.3 s late", ("delay", {"count": FOR_EVER, "seconds": 0.3}), codes=SILENT),
    _wx("silence", "motor 6 says nothing", ("silence", {"ids": [6]}), codes=SILENT),
    _wx("hung controller", "all motors say nothing", ("silence", {"ids": list(range(1, 10))}), codes=SILENT),
    _wx("disconnect", UNPLUGGED, ("disconnect", {}), GONE, CONNECT),
    _wx(
        "motor error",
        "motor 6: overload, limp",
        ("motor_error", {"id": 6, "bits": 32}),
        who=POWER,
        codes=FAULT,
        seen_s=SLOW_S,
        power=True,
    ),
    _wx(
        "motor error in a pair",
        "motor 3, a shadow: overload, limp",
        ("motor_error", {"id": 3, "bits": 32}),
        who=POWER,
        codes=FAULT,
        seen_s=SLOW_S,
        power=True,
    ),
    _wx("warm", "motor 8 at 62 deg C", ("temperature", {"id": 8, "celsius": 62}), RESTING, ITSELF, ("hot",), SLOW_S),
    _wx(
        "overheating",
        "motor 8 at 72 deg C",
        ("temperature", {"id": 8, "celsius": 72}),
        codes=("overheated",),
        seen_s=SLOW_S,
    ),
    _rm("drop", "three TCP answers are lost", ("drop", {"count": 3}), FOLLOWS, ITSELF),
    _rm("drop, for good", "no TCP answer comes", ("drop", {"count": FOR_EVER}), codes=UNANSWERED, seen_s=GRIPPER_S),
    _rm("corrupt", "every TCP answer is damaged", ("corrupt", {"count": FOR_EVER}), codes=UNANSWERED, seen_s=GRIPPER_S),
    _rm(
        "delay",
        "every TCP answer comes 2 s late",
        ("delay", {"count": FOR_EVER, "seconds": 2.0}),
        codes=UNANSWERED,
        seen_s=GRIPPER_S,
    ),
    _rm(
        "silence",
        "the gripper is not answered for",
        ("silence", {"commands": ["get_gripper_state"]}),
        codes=FAULT,
        seen_s=GRIPPER_S,
    ),
    _rm("hung controller", "links open, nothing answers", ("hang", {"on": True}), codes=SILENT, seen_s=READING_S),
    _rm("UDP silence", "no state is pushed", ("udp_silence", {"on": True}), codes=("no_reading",), seen_s=READING_S),
    _rm("disconnect", UNPLUGGED, ("disconnect", {}), GONE, CONNECT, seen_s=READING_S),
    _rm("motor error", "joint 2: error 0x20", ("joint_error", {"joint": 2, "code": 0x20}), codes=FAULT),
    _rm("controller error", "a collision, 0x100d", ("controller_error", {"code": 0x100D}), codes=FAULT),
    _rm("drive off", "joint 4 without a drive", ("enable", {"joint": 4, "on": False}), codes=FAULT),
    _rm("warm", "joint 5 at 62 deg C", ("temperature", {"joint": 5, "celsius": 62}), RESTING, ITSELF, ("hot",)),
    _rm("overheating", "joint 5 at 72 deg C", ("temperature", {"joint": 5, "celsius": 72}), codes=("overheated",)),
    _rm("plan failure", "planned moves fail; none is asked for", ("plan_failure", {"count": 9}), FOLLOWS, ITSELF),
    *_both(lambda arm: Case("commander late", arm, "no answer for 0.5 s", None, HOLDING, ITSELF, pause_s=0.5)),
    *_both(
        lambda arm: Case(
            "commander silent", arm, "the program hangs for 4 s", None, STOPPED, REARM, ("stale_hold",), pause_s=4.0
        )
    ),
    *_both(lambda arm: Case("camera gone", arm, "unplugged", None, HOLDING, CONNECT, camera={"unplugged": True})),
    *_both(lambda arm: Case("frozen camera", arm, "repeats", None, HOLDING, CONNECT, camera={"frozen": True})),
    *_both(lambda arm: Case("black camera", arm, "covered", None, HOLDING, CONNECT, camera={"black": True})),
)
