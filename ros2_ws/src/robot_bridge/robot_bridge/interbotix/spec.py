"""How to reach one WidowX behind an xs_sdk: its connection spec."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from touchstone.errors import UsageError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(/[A-Za-z][A-Za-z0-9_]*)*")


@dataclass(frozen=True)
class InterbotixSpec:
    """name: `robot_name` of Interbotix's launch file, the namespace of its xs_sdk. rate_hz: of the set-points.
    watchdog_ms: silence on the motors' bus after which they stop by themselves, in steps of 20 ms. read_only: only
    values are asked for.
    """

    name: str = "wx250s"
    rate_hz: float = 50.0
    watchdog_ms: int = 400
    read_only: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                f"'{self.name}' is no name of a robot in ROS; give the robot_name of its xs_sdk, as wx250s."
            )
        if not (math.isfinite(self.rate_hz) and 5 <= self.rate_hz <= 100):
            raise UsageError(f"The rate of the set-points is {self.rate_hz} Hz; give 5 to 100.")
        if not 100 <= self.watchdog_ms <= 2540:
            raise UsageError(f"The bus watchdog is {self.watchdog_ms} ms; give 100 to 2540.")
