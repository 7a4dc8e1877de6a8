"""What the gate did and why: one code for each kind of intervention, counted, with a sentence for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum


class Code(str, Enum):
    """The gate's interventions. The words are stable: journals and diagnostics name them."""

    BAD_TARGET = "bad_target"  # wrong shape, wrong frame, not finite, absurd, gripper outside 0..1
    LATE = "late"  # the target's deadline had passed
    OUT_OF_ORDER = "out_of_order"  # a stamp that is not newer than the last one accepted
    FUTURE = "future"  # a stamp ahead of the caller's clock
    POSITION = "position"  # outside the joint limits
    STEP = "step"  # too far from what is commanded
    WORKSPACE = "workspace"  # the TCP would leave the box
    CLEARANCE = "clearance"  # a link or a fingertip would come too near to the table
    GRIPPER_FORCE = "gripper_force"  # more force than the gripper may use
    INHIBITED = "inhibited"  # hands are in the bench
    NOT_ARMED = "not_armed"  # a target while the gate is stopped
    RESTING = "resting"  # a target while motors cool down, or the start of such a rest
    TIP_FORCE = "tip_force"  # the fingertips press too hard near the table
    STALE_HOLD = "stale_hold"  # no fresh target: the arm holds
    STALE_STOP = "stale_stop"  # no fresh target for long: latched stop
    NO_READING = "no_reading"  # the arm's state is unknown or old: latched stop
    BAD_READING = "bad_reading"  # the arm's state is of the wrong form or not finite: latched stop
    OVERLOAD = "overload"  # a joint's effort stayed high: rest
    HOT = "hot"  # a motor is warm: rest
    OVERHEATED = "overheated"  # a motor is hot: latched stop
    MOTOR_FAULT = "motor_fault"  # a motor reports an error: latched stop, with its partner
    TRACKING = "tracking"  # the arm is not where it was sent: latched stop
    OPERATOR_STOP = "operator_stop"
    HAND_OVER = "hand_over"  # another source commands: slow until its target is reached
    MISSED_TICK = "missed_tick"  # the caller came late: the set-point moved as for one long tick only


@dataclass(frozen=True)
class Intervention:
    """One thing that the gate did. stamp_ns: the caller's clock. detail: one sentence."""

    code: Code
    stamp_ns: int
    detail: str


class Ledger:
    """Counts interventions and keeps those that the caller has not been told."""

    def __init__(self) -> None:
        self.counts: Counter[Code] = Counter()
        self._untold: dict[Code, Intervention] = {}

    def note(self, code: Code, stamp_ns: int, detail: str) -> Intervention:
        """Counts one intervention. Of each code the first since the last `tell` is told: a flood is a number."""
        made = Intervention(code, stamp_ns, detail)
        self.counts[code] += 1
        self._untold.setdefault(code, made)
        return made

    def tell(self) -> tuple[Intervention, ...]:
        """What was not told yet, at most one of a code."""
        told, self._untold = tuple(self._untold.values()), {}
        return told
