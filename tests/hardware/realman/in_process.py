"""The driver's loop and the emulated controller in one process, on one clock that the test turns."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from hardware.emulators.realman.controller import Controller as Emulated
from hardware.realman.loop import Loop
from hardware.realman.sensing import Senses
from hardware.realman.spec import RealmanSpec
from touchstone.clock import Clock
from touchstone.robots.rm75 import ARM
from touchstone.safety.gate import Gate
from touchstone.safety.readings import Target
from touchstone.safety.settings import GateSettings

BEGIN_NS = 1_000_000_000


@dataclass(frozen=True)
class HandClock(Clock):
    """Stands still until it is turned."""

    turned: SimpleNamespace = None

    def now_ns(self) -> int:
        return self.turned.ns


class Wire:
    """What the loop needs of a `hardware.realman.controller.Controller`; setpoints are cut as the SDK cuts them."""

    def __init__(self, emulated: Emulated) -> None:
        self.emulated = emulated

    def setpoint(self, joints: np.ndarray) -> None:
        cut = [int(1e3 * np.float32(each)) for each in np.degrees(joints)]
        self.emulated.handle({"command": "movej_canfd", "joint": cut, "follow": True})


class Errands:
    """Carries out at once what the loop does not wait for."""

    def __init__(self, emulated: Emulated) -> None:
        self.gone, self._emulated, self.grips = None, emulated, []

    def stop_arm(self) -> None:
        self._emulated.handle({"command": "set_arm_stop"})

    def grip(self, opening: float, force: float) -> None:
        self.grips.append((opening, force))


class Bench:
    """An armed loop in front of an emulated arm. ticks: (ns, joints) of every setpoint that the controller took."""

    def __init__(self, settings: GateSettings, joints=ARM.ready) -> None:
        self.time = SimpleNamespace(ns=BEGIN_NS)
        self.clock = HandClock(turned=self.time)
        self.emulated = Emulated(3)
        self.gate, self.senses = Gate(ARM, settings), Senses(self.clock)
        self.errands = Errands(self.emulated)
        spec = RealmanSpec("192.0.2.1", guard_ms=5000)
        self.loop = Loop(Wire(self.emulated), self.gate, self.senses, self.errands, None, spec, self.clock)
        self.ticks: list[tuple[int, list[float]]] = []
        self.talking = True
        for _ in range(10):
            self.tick()

    def arm(self) -> None:
        """As the driver's `rearm`."""
        self.gate.rearm(self.time.ns, self.senses.reading(), "test", held=False)
        self.loop.follow()
        self.ticks.clear()

    def ask(self, joints, age_ns: int = 0, **changes):
        stamp = self.time.ns - age_ns
        wanted = Target(np.asarray(joints), **{"stamp_ns": stamp, "expires_ns": stamp + 500_000_000, **changes})
        return self.gate.command(wanted, self.time.ns)

    def tick(self, ns: int = 10_000_000) -> None:
        """Time goes on by `ns`; the state arrives, and the loop runs once."""
        self.time.ns += ns
        self.emulated.advance((self.time.ns - BEGIN_NS) / 1e9)
        if self.talking:
            self.senses.take(self._pushed())
        before = len(self.emulated.goals)
        self.loop._cycle_once()
        if len(self.emulated.goals) > before:
            self.ticks.append((self.time.ns, self.emulated.goals[-1][1]))

    def _pushed(self) -> SimpleNamespace:
        """The state as the SDK hands it out."""
        said = self.emulated.push()
        joint = said["joint_status"]
        status = SimpleNamespace(
            joint_position=[each / 1e3 for each in joint["joint_position"]],
            joint_en_flag=joint["joint_en_flag"],
            joint_err_code=joint["joint_err_code"],
            joint_temperature=[each / 1e3 for each in joint["joint_temperature"]],
            joint_voltage=[each / 1e3 for each in joint["joint_voltage"]],
        )
        return SimpleNamespace(
            errCode=0, joint_status=status, err=SimpleNamespace(err=said["err"], err_len=len(said["err"]))
        )
