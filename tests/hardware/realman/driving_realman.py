"""Drives an emulated arm until it is ended: python -m tests.hardware.realman.driving_realman HOST PORT UDP_PORT [how].

how: `silent`: the commander falls silent, while the driver's threads live on; `cling`: the thread that commands the arm
hangs in the SDK, while its state goes on arriving.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from hardware.realman.driver import Realman
from hardware.realman.spec import RealmanSpec
from touchstone.robots.rm75 import ARM
from touchstone.safety.readings import Target


def main() -> None:
    host, port, udp_port, *how = sys.argv[1:]
    arm = Realman(RealmanSpec(host, int(port), int(udp_port)))
    arm.connect()
    arm.rearm("test")
    for k in range(100_000):
        now = time.monotonic_ns()
        joints = np.array(ARM.ready)
        joints[0] = 0.5 if k // 60 % 2 else -0.5
        arm.servo(Target(joints, now, now + 500_000_000))
        if k == 40:
            print("moving", flush=True)
            if how == ["cling"]:
                arm._controller._arm.rm_movej_canfd = lambda *_: time.sleep(3600)
            elif how == ["silent"]:
                time.sleep(3600)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
