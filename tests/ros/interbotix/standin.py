"""A stand-in for Interbotix's xs_sdk in a process of its own, over the emulated bus: python -m
tests.ros.interbotix.standin PORT [NAME]. Written from what is known of the xs_sdk (branch humble), with its habits:

it switches torque on at start and with every change of mode; it answers services whether a motor took the value or not;
it goes on publishing zeros when its bus does not answer; it reads in every cycle and so feeds the motors' watchdogs.
"""

from __future__ import annotations

import math
import sys
from contextlib import suppress

import rclpy
from interbotix_xs_msgs.msg import JointGroupCommand, JointSingleCommand
from interbotix_xs_msgs.srv import OperatingModes, RegisterValues, RobotInfo, TorqueEnable
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import JointState

from hardware.dynamixel import registers as reg
from hardware.dynamixel.bus import Bus, BusFailure
from hardware.dynamixel.registers import Register
from hardware.widowx.motors import MOTORS
from hardware.widowx.setup import configure

RATE_HZ = 100.0
IDS = {motor.name: motor.id for motor in MOTORS}
ARM = ["waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate"]
GROUPS = {"arm": ARM, "all": [*ARM, "gripper"]}
SHADOWS = {"shoulder": ["shoulder_shadow"], "elbow": ["elbow_shadow"]}
MODES = {"position": 3, "pwm": 16, "velocity": 1}
#: name, address, size of the workbench's tables for XM430 and XL430
TABLE = (
    ("Model_Number", 0, 2),
    ("Firmware_Version", 6, 1),
    ("Return_Delay_Time", 9, 1),
    ("Drive_Mode", 10, 1),
    ("Operating_Mode", 11, 1),
    ("Secondary_ID", 12, 1),
    ("Velocity_Limit", 44, 4),
    ("Max_Position_Limit", 48, 4),
    ("Min_Position_Limit", 52, 4),
    ("Torque_Enable", 64, 1),
    ("Hardware_Error_Status", 70, 1),
    ("Bus_Watchdog", 98, 1),
    ("Goal_PWM", 100, 2),
    ("Profile_Acceleration", 108, 4),
    ("Profile_Velocity", 112, 4),
    ("Goal_Position", 116, 4),
    ("Present_Position", 132, 4),
    ("Present_Input_Voltage", 144, 2),
    ("Present_Temperature", 146, 1),
)
ITEMS = {name: Register(name, address, size, signed=size > 1) for name, address, size in TABLE}


class StandIn(Node):
    """options: `arm=MODE` puts the arm into another mode at the start."""

    def __init__(self, port: str, options: list[str]) -> None:
        super().__init__("xs_sdk")
        self._bus = Bus(port, 1_000_000)
        self._bus.open()
        self._mode = {name: ("position", "velocity") for name in (*IDS, *GROUPS)}
        self._arm_mode = next((word.split("=")[1] for word in options if word.startswith("arm=")), "position")
        for last in (False, False, True):
            try:
                self._set_up()
                break
            except BusFailure:  # of a busy machine
                if last:
                    raise
        self._states = self.create_publisher(JointState, "joint_states", 10)
        self.create_subscription(JointGroupCommand, "commands/joint_group", self._group_command, 10)
        self.create_subscription(JointSingleCommand, "commands/joint_single", self._single_command, 10)
        self.create_service(TorqueEnable, "torque_enable", self._on_torque)
        self.create_service(OperatingModes, "set_operating_modes", self._on_mode)
        self.create_service(RegisterValues, "set_motor_registers", self._on_set)
        self.create_service(RegisterValues, "get_motor_registers", self._on_get)
        self.create_service(RobotInfo, "get_robot_info", self._on_info)
        self.create_timer(1 / RATE_HZ, self._publish)

    def _set_up(self) -> None:
        for id in IDS.values():
            self._bus.write(id, reg.TORQUE_ENABLE, 0)
        configure(self._bus)
        self._set_mode("group", "arm", self._arm_mode, "time", 2000, 300)
        self._set_mode("single", "gripper", "pwm", "velocity", 0, 0)

    def _publish(self) -> None:
        ids = [IDS[name] for name in GROUPS["all"]]
        read = self._bus.sync_read(ids, (reg.PRESENT_CURRENT, reg.PRESENT_VELOCITY, reg.PRESENT_POSITION))
        rows = [read[id] if read else (0, 0, 0) for id in ids]
        message = JointState(name=[*GROUPS["all"], "left_finger", "right_finger"])
        message.effort = [current * 2.69 for current, _, _ in rows] + [0.0, 0.0]
        message.velocity = [speed * 0.229 * 0.104719755 for _, speed, _ in rows] + [0.0, 0.0]
        angles = [(position - 2048) * math.pi / 2048 for _, _, position in rows]
        crank = 0.014 * math.sin(angles[-1])
        finger = crank + math.sqrt(0.024**2 - 0.014**2 + crank**2)
        message.position = [*angles, finger, -finger]
        message.header.stamp = self.get_clock().now().to_msg()
        self._states.publish(message)

    def _group_command(self, message: JointGroupCommand) -> None:
        names = GROUPS.get(message.name, [])
        if len(names) == len(message.cmd) and self._mode[message.name][0] == "position":
            self._bus.sync_write(
                reg.GOAL_POSITION, {IDS[name]: _ticks(angle) for name, angle in zip(names, message.cmd, strict=True)}
            )

    def _single_command(self, message: JointSingleCommand) -> None:
        mode = self._mode[message.name][0]
        if mode == "position":
            self._write(message.name, reg.GOAL_POSITION, _ticks(message.cmd))
        elif mode == "pwm":
            self._write(message.name, reg.GOAL_PWM, int(message.cmd))

    def _on_torque(self, request, response):
        self._torque(request.cmd_type, request.name, request.enable)
        return response

    def _on_mode(self, request, response):
        self._set_mode(
            request.cmd_type,
            request.name,
            request.mode,
            request.profile_type,
            request.profile_velocity,
            request.profile_acceleration,
        )
        return response

    def _on_set(self, request, response):
        for name in _names(request.cmd_type, request.name):
            if request.reg in ITEMS:
                self._write(name, ITEMS[request.reg], request.value)
        return response

    def _on_get(self, request, response):
        if request.reg in ITEMS:
            item, values = ITEMS[request.reg], []
            with suppress(BusFailure):  # it ends at the first motor that does not answer, and tells what it has
                for name in _names(request.cmd_type, request.name):
                    values.append(self._bus.read(IDS[name], item, tries=1))
            response.values = values
        return response

    def _on_info(self, request, response):
        names = _names(request.cmd_type, request.name)
        if names:
            response.mode, response.profile_type = self._mode[request.name]
            response.joint_names = ["left_finger" if name == "gripper" else name for name in names]
            response.joint_ids = [IDS[name] for name in names]
            response.num_joints, response.name = len(names), [request.name]
        return response

    def _set_mode(self, kind: str, name: str, mode: str, profile: str, velocity: int, acceleration: int) -> None:
        for joint in _names(kind, name):
            self._write(joint, reg.TORQUE_ENABLE, 0)
            motors = [joint, *SHADOWS.get(joint, [])]
            # all before the first write, which a shadow of this bus obeys, too
            drives = [self._bus.read(IDS[each], reg.DRIVE_MODE) for each in motors]
            for each, drive in zip(motors, drives, strict=True):
                self._write(each, reg.DRIVE_MODE, drive | 4 if profile == "time" else drive & ~4)
                self._write(each, reg.OPERATING_MODE, MODES[mode])
                self._write(each, reg.PROFILE_VELOCITY, velocity)
                self._write(each, reg.PROFILE_ACCELERATION, acceleration)
                self._mode[each] = (mode, profile)
            self._write(joint, reg.TORQUE_ENABLE, 1)
        self._mode[name] = (mode, profile)

    def _torque(self, kind: str, name: str, on: bool) -> None:
        for joint in _names(kind, name):
            self._write(joint, reg.TORQUE_ENABLE, int(on))

    def _write(self, name: str, register: Register, value: int) -> None:
        with suppress(BusFailure, OverflowError):
            self._bus.write(IDS[name], register, value, tries=1)


def _names(kind: str, name: str) -> list[str]:
    if kind == "group":
        return GROUPS.get(name, [])
    return [name] if kind == "single" and name in IDS else []


def _ticks(angle: float) -> int:
    """As the workbench converts: cut off, not rounded."""
    return int(angle * 2048 / math.pi + 2048)


def main() -> None:
    port, name, *options = sys.argv[1:]
    rclpy.init(args=["--ros-args", "-r", f"__ns:=/{name}"])
    node = StandIn(port, options)
    print("up", flush=True)
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)


if __name__ == "__main__":
    main()
