"""The WidowX driver's loop and the emulated bus in one process, on one clock that the test turns: every byte goes
through Robotis' SDK and the emulator's parser, and nobody waits."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from hardware.dynamixel.bus import Bus
from hardware.emulators.dynamixel.bus import Bus as Emulated
from hardware.emulators.dynamixel.packets import Parser
from hardware.emulators.dynamixel.plant import KinematicPlant
from hardware.widowx.loop import Loop
from hardware.widowx.sensing import Senses
from hardware.widowx.setup import configure, start_torque
from hardware.widowx.spec import WidowXSpec
from tests.hardware.faults.rigs import dynamixel_rows
from tests.hardware.faults.watching import Watch
from tests.hardware.realman.in_process import HandClock
from touchstone.robots.wx250s import ARM
from touchstone.safety.gate import Gate
from touchstone.safety.readings import Target
from touchstone.safety.settings import GateSettings

BEGIN_NS = 1_000_000_000
PACKET_S = 1e-6  # [s]; a motor shows what was written with the next packet


class MemoryPort:
    """What the SDK needs of a serial port, by its names. spoil: what becomes of each reply, None = it is lost."""

    is_using = False

    def __init__(self, emulated: Emulated) -> None:
        self._emulated, self._parser, self._waiting = emulated, Parser(), b""
        self.spoil = lambda reply: reply

    def clearPort(self) -> None:
        self._waiting = b""

    def writePort(self, packet) -> int:
        self._emulated.advance(self._emulated.now + PACKET_S)
        for each in self._parser.feed(bytes(packet)):
            for reply in self._emulated.handle(each):
                self._waiting += self.spoil(reply) or b""
        return len(packet)

    def readPort(self, length: int) -> bytes:
        read, self._waiting = self._waiting[:length], self._waiting[length:]
        return read

    def setPacketTimeout(self, length) -> None:
        pass

    def setPacketTimeoutMillis(self, ms) -> None:
        pass

    def isPacketTimeout(self) -> bool:
        """What is not there now will not come."""
        return not self._waiting


class Bench:
    """A connected loop in front of an emulated arm; `arm` arms it."""

    def __init__(self, settings: GateSettings) -> None:
        self.time = SimpleNamespace(ns=BEGIN_NS)
        self.clock = HandClock(turned=self.time)
        self.emulated = Emulated(KinematicPlant(ARM.ready))
        self.port = MemoryPort(self.emulated)
        self._bus = Bus("in memory", 1_000_000, self.clock)
        self._bus._port = self.port
        self.gate, self.senses = Gate(ARM, settings), Senses()
        self.watch = Watch(self.gate)
        self._spec = WidowXSpec("in memory")
        self.loop = Loop(self._bus, self.gate, self.senses, self._spec, self.clock)
        configure(self._bus)
        self.senses.read_all_slow(self._bus)
        self.tick()

    def arm(self) -> None:
        """As the driver's `rearm`."""
        self.senses.read_all_slow(self._bus)
        self.senses.read_fast(self._bus, self.time.ns)
        self.gate.rearm(self.time.ns, self.senses.reading(), "test", held=False)
        start_torque(self._bus, 10.0, self._spec.watchdog_ms)
        self.senses.read_all_slow(self._bus)
        self.loop.follow()
        self.emulated.goals.clear()
        self.watch.cycles.clear()

    @property
    def here(self) -> np.ndarray:
        return self.senses.joints().position

    def ask(self, joints, age_ns: int = 0, **changes):
        stamp = self.time.ns - age_ns
        wanted = Target(np.asarray(joints), **{"stamp_ns": stamp, "expires_ns": stamp + 500_000_000, **changes})
        return self.gate.command(wanted, self.time.ns)

    def tick(self, ns: int = 10_000_000) -> None:
        """Time goes on by `ns`, and the loop runs once unless it keeps off the bus."""
        self.time.ns += ns
        self.emulated.advance((self.time.ns - BEGIN_NS) / 1e9)
        if self.clock.now() >= self.loop._silent_until:
            self.loop._cycle_once()

    def goals(self) -> np.ndarray:
        """float64[k,6] [rad]: what reached the motors since the arming."""
        return dynamixel_rows(list(self.emulated.goals))[1]
