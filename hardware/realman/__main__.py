"""python -m hardware.realman HOST: looks at an arm without writing anything to it."""

from __future__ import annotations

import argparse
import math
import sys
import time

from hardware.arm import ArmState
from hardware.realman.driver import Realman
from hardware.realman.spec import RealmanSpec
from touchstone.errors import TouchstoneError
from touchstone.robots.rm75 import ARM


def main() -> int:
    parser = argparse.ArgumentParser(description="Reads a Realman RM75 and prints it; read-only, it writes nothing.")
    parser.add_argument("host", help="IP address of the controller")
    parser.add_argument("--port", type=int, default=RealmanSpec.port, help="its TCP port")
    parser.add_argument("--udp-port", type=int, default=RealmanSpec.udp_port, help="where its state arrives here")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long to read before the table is printed")
    arguments = parser.parse_args()
    try:
        arm = Realman(RealmanSpec(arguments.host, arguments.port, arguments.udp_port, read_only=True))
        try:
            arm.connect()
            time.sleep(arguments.seconds)
            print(_table(arm.state()))
            for difference in arm.differing_settings():
                print(f"the driver would set up {difference}")
        finally:
            arm.close()
    except TouchstoneError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _table(state: ArmState) -> str:
    lines = [f"{'motor':12} {'deg C':>6} {'V':>6}  errors"]
    for motor in state.motors:
        celsius = "-" if motor.temperature is None else f"{motor.temperature:.0f}"
        volts = f"{state.voltages[motor.name]:.1f}" if motor.name in state.voltages else "-"
        lines.append(f"{motor.name:12} {celsius:>6} {volts:>6}  0x{motor.errors:04x}")
    lines.append("")
    lines.append(f"{'joint':12} {'rad':>8} {'deg':>8}")
    for name, position in zip(state.joints.names, state.joints.position, strict=True):
        lines.append(f"{name:12} {position:8.4f} {math.degrees(position):8.2f}")
    x, y, z = ARM.kinematics.forward(state.joints.position).position
    lines.append("")
    lines.append(f"TCP ({x:.4f}, {y:.4f}, {z:.4f}) m; gripper {state.gripper.width * 1e3:.1f} mm")
    lines.append(f"{state.missed} cycles without a fresh state; drives {'on' if state.torque else 'off'}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
