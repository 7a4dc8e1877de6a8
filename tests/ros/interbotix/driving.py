"""Drives an arm behind an xs_sdk to and fro, to be killed: python -m tests.ros.interbotix.driving NAME."""

from __future__ import annotations

import sys
import time

import numpy as np
from robot_bridge.interbotix.driver import Interbotix
from robot_bridge.interbotix.spec import InterbotixSpec

from touchstone.robots.wx250s import ARM
from touchstone.safety.readings import Target


def main() -> None:
    arm = Interbotix(InterbotixSpec(sys.argv[1]))
    arm.connect()
    arm.rearm("test")
    for k in range(100_000):
        now = time.monotonic_ns()
        joints = np.array(ARM.ready)
        joints[0] = 0.5 if k // 60 % 2 else -0.5
        arm.servo(Target(joints, now, now + 500_000_000))
        if k == 40:
            print("moving", flush=True)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
