"""What every arm driver can do, whichever wire it speaks. A driver knows its connection spec and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from touchstone.safety.codes import Intervention
from touchstone.safety.readings import MotorReading, Target
from touchstone.safety.states import State
from touchstone.world import GripperState, JointState


@dataclass(frozen=True)
class ArmState:
    """The arm at `stamp_ns` on the monotonic clock.

    commanded: what the gate lets the motors know, float64[n] [rad], None before the first arming. gate, why: the gate's
    state and, when stopped, the reason. counts: interventions since the start, by code. voltages [V] by motor.
    torque: whether the motors hold. rate_hz: measured rate of the I/O cycle. missed: cycles without an answer, so far.
    """

    stamp_ns: int
    joints: JointState
    gripper: GripperState
    motors: tuple[MotorReading, ...]
    gate: State
    why: str
    commanded: tuple[float, ...] | None
    torque: bool
    rate_hz: float
    missed: int
    voltages: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


class ArmDriver(Protocol):
    """One arm. The gate is inside: no method moves a motor past it. Any thread may call any method."""

    def connect(self) -> None:
        """Opens the wire and checks the arm, without torque. Raises UsageError: one sentence on what is wrong."""

    def state(self) -> ArmState:
        """The newest state. Raises WorldFailure when the arm is gone."""

    def rearm(self, operator: str) -> None:
        """Torque on and the gate open, said by an operator. Raises UsageError while there is a reason against it."""

    def servo(self, target: Target) -> Intervention | None:
        """A new target; says why it was refused. Raises WorldFailure when the arm is gone."""

    def gripper(self, opening: float, force: float | None = None) -> Intervention | None:
        """Opening 0 closed .. 1 open, force [N]; says why it was refused."""

    def hold(self) -> None:
        """Brakes and waits for the next target."""

    def inhibit(self, hands_in_bench: bool) -> None:
        """No motion while hands are in the bench."""

    def stop(self, reason: str) -> None:
        """Brakes, holds with torque, and needs `rearm`."""

    def torque_off(self, confirm: str) -> None:
        """Lets the arm fall. `confirm` must be `TORQUE_OFF`. Raises UsageError otherwise."""

    def take_interventions(self) -> list[Intervention]:
        """What the gate did since the last call; each is given once."""

    def close(self) -> None:
        """Brakes, lets go of the wire and leaves the arm holding; may be called twice."""


#: what whoever switches torque off must say
TORQUE_OFF = "I am holding the arm"
