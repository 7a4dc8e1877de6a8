"""How to reach one RM75: its connection spec."""

from __future__ import annotations

import math
from dataclasses import dataclass

from touchstone.errors import UsageError

#: a setpoint at least this often, as RealMan's documentation asks of followed setpoints [Hz]
SLOWEST_HZ = 100.0


@dataclass(frozen=True)
class RealmanSpec:
    """host, port: of the controller. udp_port: on this computer, where the controller pushes its state to.

    rate_hz: of the I/O cycle and the setpoints. guard_ms: silence of the driver after which the guard process stops the
    arm; it gets 50 ms more to do so. generation: 3 or 4, None = whichever is there. read_only: nothing is ever written
    to the controller.
    """

    host: str
    port: int = 8080
    udp_port: int = 8089
    rate_hz: float = 100.0
    guard_ms: int = 150
    generation: int | None = None
    read_only: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate_hz) and SLOWEST_HZ <= self.rate_hz <= 500):
            raise UsageError(f"The arm's I/O rate is {self.rate_hz} Hz; give 100 to 500.")
        if not 3000 / self.rate_hz <= self.guard_ms <= 5000:
            raise UsageError(
                f"The guard's patience is {self.guard_ms} ms; give three I/O cycles or more, up to 5000 ms."
            )
        for name in ("port", "udp_port"):
            if not 1 <= getattr(self, name) <= 65535:
                raise UsageError(f"The {name} is {getattr(self, name)}; give 1 to 65535.")
        if self.generation not in (None, 3, 4):
            raise UsageError(f"There is no controller of generation {self.generation}; give 3 or 4.")
