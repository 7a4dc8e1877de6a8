"""The emulator's process: a pseudo-terminal for the driver, a Unix socket for faults, one loop for both."""

from __future__ import annotations

import contextlib
import heapq
import os
import select
import termios
import tty
from pathlib import Path

from hardware.dynamixel import registers as reg
from hardware.emulators.dynamixel.bus import Bus
from hardware.emulators.dynamixel.faults import Faults
from hardware.emulators.dynamixel.packets import Packet, Parser
from hardware.emulators.operations import RequestSocket
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import UsageError

BEAT = 0.004  # [s] between looks at motors and plant when the bus is quiet
#: termios speeds of the baud register's values
SPEEDS = {1: termios.B57600, 2: termios.B115200, 3: termios.B1000000, 4: termios.B2000000, 5: termios.B3000000}


class Server:
    """Serves a bus until `run` returns. link: path of a symlink to the pty; control: path of the Unix socket. clock:
    the bus's time; motors, watchdogs and delays run on it."""

    def __init__(self, bus: Bus, link: Path, control: Path, clock: Clock = REAL_TIME) -> None:
        self._bus, self._link = bus, link
        self._clock = clock
        self._master = self._slave = -1
        self._began = self._clock.now()
        self._due: list[tuple[float, int, bytes]] = []
        self._replies = 0
        self._faults = Faults(bus, self._plug, clock)
        self._requests = RequestSocket(control, self._faults)
        self._plug(True)

    def run(self, stopped) -> None:
        """Serves until `stopped()` is true."""
        while not stopped():
            wait = BEAT if not self._due else min(BEAT, max(0.0, self._due[0][0] - self._clock.now()))
            watched = [*self._requests.sockets, *([self._master] if self._master >= 0 else [])]
            ready, _, _ = select.select(watched, [], [], self._clock.real(wait))
            now = self._clock.now() - self._began
            packets = self._hear() if self._master in ready else []
            self._bus.advance(now, heard=bool(packets))
            self._answer(packets)
            for source in ready:
                if not isinstance(source, int):
                    self._requests.serve(source)
            self._say()

    def close(self) -> None:
        self._plug(False)
        self._requests.close()

    def _plug(self, plugged: bool) -> None:
        if plugged and self._master < 0:
            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            self._parser = Parser()
            try:
                if self._link.is_symlink():
                    self._link.unlink()
                self._link.symlink_to(os.ttyname(self._slave))
            except OSError as error:
                raise UsageError(f"Cannot make the port {self._link}: {error.strerror}; give another path.") from error
        elif not plugged and self._master >= 0:
            os.close(self._slave)
            os.close(self._master)
            self._master = self._slave = -1
            self._due.clear()
            self._link.unlink(missing_ok=True)

    def _hear(self) -> list[Packet]:
        packets = self._parser.feed(os.read(self._master, 4096))
        speed = termios.tcgetattr(self._slave)[5]
        # at another speed a motor hears noise
        return packets if speed == SPEEDS.get(self._bus.motors[1].get(reg.BAUD)) else []

    def _answer(self, packets: list[Packet]) -> None:
        for packet in packets:
            for reply in self._bus.handle(packet):
                spoilt, late = self._faults.spoil(reply)
                if spoilt is not None:
                    self._replies += 1
                    heapq.heappush(self._due, (self._clock.now() + late, self._replies, spoilt))

    def _say(self) -> None:
        now, out = self._clock.now(), b""
        while self._due and self._due[0][0] <= now:
            out += heapq.heappop(self._due)[2]
        if out and self._master >= 0:
            # a driver that does not read loses bytes, as on a wire
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, out)
