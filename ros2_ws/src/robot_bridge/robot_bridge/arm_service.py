"""`arm_service NAME`: asks a running arm_node for one of its services, where there is no `ros2 service call`."""

from __future__ import annotations

import argparse
import sys

import rclpy
from std_srvs.srv import SetBool, Trigger

#: service -> whether it takes a yes or no
SERVICES = {"home": False, "sleep": False, "stop": False, "rearm": False, "torque_off": True, "inhibit": True}
FIND_S = 10.0
#: over the longest way of a slow arm [s]
ANSWER_S = 900.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Asks arm_node for a service. None of them is an emergency stop.")
    parser.add_argument("name", choices=SERVICES)
    parser.add_argument(
        "answer", choices=("yes", "no"), nargs="?", help="for torque_off: you hold the arm; for inhibit: hands are in"
    )
    arguments = parser.parse_args()
    if SERVICES[arguments.name] != (arguments.answer is not None):
        parser.error(f"{arguments.name} takes {'yes or no' if SERVICES[arguments.name] else 'nothing more'}")
    rclpy.init()
    try:
        sys.exit(_ask(arguments.name, arguments.answer))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        rclpy.try_shutdown()


def _ask(name: str, answer: str | None) -> int:
    node = rclpy.create_node("arm_service")
    kind = Trigger if answer is None else SetBool
    client = node.create_client(kind, f"/arm_node/{name}")
    if not client.wait_for_service(timeout_sec=FIND_S):
        print("No arm_node is there; start it, with the same ROS_DOMAIN_ID.", file=sys.stderr)
        return 2
    future = client.call_async(kind.Request() if answer is None else kind.Request(data=answer == "yes"))
    rclpy.spin_until_future_complete(node, future, timeout_sec=ANSWER_S)
    if not future.done():
        print(f"arm_node did not answer {name} within {ANSWER_S:g} s; look at the arm and at its log.", file=sys.stderr)
        return 1
    result = future.result()
    print(result.message, file=sys.stdout if result.success else sys.stderr)
    return 0 if result.success else 1


if __name__ == "__main__":
    main()
