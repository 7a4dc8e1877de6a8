"""python -m hardware.widowx PORT: looks at an arm without writing anything to it."""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from hardware.arm import ArmState
from hardware.widowx.driver import WidowX
from hardware.widowx.spec import WidowXSpec
from touchstone.errors import TouchstoneError
from touchstone.robots.wx250s import ARM


def main() -> int:
    parser = argparse.ArgumentParser(description="Reads a WidowX-250S and prints it; read-only, it writes nothing.")
    parser.add_argument("port", help="serial port of the U2D2")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long to read before the table is printed")
    arguments = parser.parse_args()
    arm = WidowX(WidowXSpec(arguments.port, read_only=True))
    try:
        arm.connect()
        time.sleep(arguments.seconds)
        print(_table(arm.state()))
        for difference in arm.differing_settings():
            print(f"the driver would set up {difference}")
    except TouchstoneError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        arm.close()
    return 0


def _table(state: ArmState) -> str:
    lines = [f"{'motor':16} {'deg C':>6} {'V':>6}  errors"]
    for motor in state.motors:
        volts = state.voltages.get(motor.name, float("nan"))
        lines.append(f"{motor.name:16} {motor.temperature or float('nan'):6.0f} {volts:6.1f}  0x{motor.errors:02x}")
    lines.append("")
    lines.append(f"{'joint':16} {'rad':>8} {'N m':>6}")
    joints = state.joints
    for name, position, effort in zip(joints.names, joints.position, joints.effort, strict=True):
        lines.append(f"{name:16} {position:8.4f} {effort:6.2f}")
    tcp = ARM.kinematics.forward(joints.position).position
    lines.append("")
    lines.append(f"TCP {np.array2string(tcp, precision=4)} m; gripper {state.gripper.width * 1e3:.1f} mm")
    lines.append(
        f"{state.rate_hz:.0f} readings a second, {state.missed} missed; torque {'on' if state.torque else 'off'}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
