"""How to reach one WidowX: its connection spec."""

from __future__ import annotations

import math
from dataclasses import dataclass

from touchstone.errors import UsageError


@dataclass(frozen=True)
class WidowXSpec:
    """port: serial port of the U2D2. rate_hz: of the I/O cycle. watchdog_ms: silence on the bus after which every motor
    stops by itself, in steps of 20 ms. read_only: nothing is ever written to a motor.
    """

    port: str
    baud: int = 1_000_000
    rate_hz: float = 100.0
    watchdog_ms: int = 200
    read_only: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate_hz) and 5 <= self.rate_hz <= 500):
            raise UsageError(f"The arm's I/O rate is {self.rate_hz} Hz; give 5 to 500.")
        if not 40 <= self.watchdog_ms <= 2540 or self.watchdog_ms < 2000 / self.rate_hz:
            raise UsageError(f"The bus watchdog is {self.watchdog_ms} ms; give two I/O cycles or more, 40 to 2540 ms.")
