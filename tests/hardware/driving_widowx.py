"""A process that drives a WidowX to and fro, to be killed: python -m tests.hardware.driving_widowx PORT [hang]."""

from __future__ import annotations

import sys
import time

import numpy as np

from hardware.widowx.driver import WidowX
from hardware.widowx.spec import WidowXSpec
from touchstone.robots.wx250s import ARM
from touchstone.safety.readings import Target


def main() -> None:
    arm = WidowX(WidowXSpec(sys.argv[1]))
    arm.connect()
    arm.rearm("test")
    for k in range(100_000):
        now = time.monotonic_ns()
        joints = np.array(ARM.ready)
        joints[0] = 0.5 if k // 60 % 2 else -0.5
        arm.servo(Target(joints, now, now + 500_000_000))
        if k == 40:
            print("moving", flush=True)
            if sys.argv[2:] == ["hang"]:
                time.sleep(3600)  # the commander hangs; the I/O thread lives on
        time.sleep(0.05)


if __name__ == "__main__":
    main()
