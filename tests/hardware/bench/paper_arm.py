"""An arm that is where its gate lets it be: a driver without a wire, and a stage on which everything lies as asked."""

from __future__ import annotations

import threading

import numpy as np

from hardware.arm import ArmState
from touchstone.bench import CARD_THICKNESS, TABLE_Z
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import WorldFailure
from touchstone.facts import Fact
from touchstone.robots.base import Arm
from touchstone.safety.gate import Gate
from touchstone.safety.readings import MotorReading, Reading, Target
from touchstone.safety.settings import GateSettings
from touchstone.spec import Spec
from touchstone.world import GripperState, JointState


class PaperArm:
    """An `ArmDriver`. gone: makes every call fail. targets: what was streamed. stuck: it does not move."""

    def __init__(self, arm: Arm, joints, clock: Clock = REAL_TIME, settings: GateSettings | None = None) -> None:
        self.arm, self._clock = arm, clock
        self.gate = Gate(arm, settings)
        self._joints = np.array(joints, dtype=np.float64)
        self._velocity = np.zeros_like(self._joints)
        self._opening = 0.5
        self._commanded = None
        self._interventions = []
        self.targets: list[Target] = []
        self.gone = self.stuck = False
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def connect(self) -> None:
        pass

    def state(self) -> ArmState:
        self._check()
        with self._lock:
            names = self.arm.joint_names
            return ArmState(
                stamp_ns=self._clock.now_ns(),
                joints=JointState(names, self._joints.copy(), self._velocity.copy(), np.zeros(len(names))),
                gripper=GripperState(self._opening, 0.03),
                motors=(MotorReading("only", names[0], 31.0),),
                gate=self.gate.state,
                why=self.gate.why,
                commanded=self._commanded,
                torque=True,
                rate_hz=100.0,
                missed=0,
            )

    def rearm(self, operator: str) -> None:
        with self._lock:
            self.gate.rearm(self._clock.now_ns(), self._reading(), operator)

    def servo(self, target: Target):
        self._check()
        with self._lock:
            self.targets.append(target)
            return self.gate.command(target, self._clock.now_ns())

    def gripper(self, opening, force=None):
        raise AssertionError("the bench commands the gripper with its targets")

    def hold(self) -> None:
        with self._lock:
            self.gate.hold()

    def inhibit(self, hands_in_bench: bool) -> None:
        with self._lock:
            self.gate.inhibit(self._clock.now_ns(), hands_in_bench)

    def stop(self, reason: str) -> None:
        with self._lock:
            self.gate.stop(self._clock.now_ns(), reason)

    def take_interventions(self):
        with self._lock:
            taken, self._interventions = self._interventions, []
        return taken

    def close(self) -> None:
        self._ending.set()
        self._thread.join()

    def _check(self) -> None:
        if self.gone:
            raise WorldFailure("The arm is gone; look at its cable.")

    def _reading(self) -> Reading:
        return Reading(self._clock.now_ns(), self._joints, self._velocity)

    def _run(self) -> None:
        while not self._ending.wait(self._clock.real(0.01)):
            with self._lock:
                decision = self.gate.step(self._clock.now_ns(), self._reading())
                self._interventions += decision.interventions
                if decision.joints is None:
                    continue
                self._commanded = tuple(map(float, decision.joints))
                if not self.stuck:
                    self._joints, self._velocity = decision.joints.copy(), decision.velocity.copy()
                    wanted = self._opening if decision.opening is None else decision.opening
                    self._opening += np.clip(wanted - self._opening, -0.05, 0.05)


class TidyStage:
    """Everything lies where the spec says."""

    def __init__(self) -> None:
        self.prepared: list[str] = []
        self._spec: Spec | None = None

    def prepare(self, spec: Spec) -> None:
        self.prepared.append(spec.episode)
        self._spec = spec

    def objects(self) -> dict[str, Fact]:
        top = TABLE_Z + CARD_THICKNESS
        return {
            card.name: Fact(value=[*card.xy, top, np.cos(card.yaw / 2), 0.0, 0.0, np.sin(card.yaw / 2)], source="sim")
            for card in self._spec.layout
        }

    def finger_forces(self) -> dict[str, Fact]:
        return {}

    def close(self) -> None:
        pass
