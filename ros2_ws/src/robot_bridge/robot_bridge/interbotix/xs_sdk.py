"""A running xs_sdk as the bridge sees it: its topics and services, in a ROS context and a thread of the bridge's own.

Of its own, so that neither the other callbacks of a process nor its shutdown come between the arm and its driver.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState

from hardware.dynamixel.registers import Register
from hardware.widowx.motors import GRIPPER, Motor
from robot_bridge.interbotix.messages import Messages
from robot_bridge.interbotix.spec import InterbotixSpec
from robot_bridge.interbotix.units import NAMES, register_value
from robot_bridge.lifetime import steady_timer
from touchstone.errors import UsageError, WorldFailure

FIND_S = 10.0  # longest wait for the node; discovery takes up to 3 s
ANSWER_S = 3.0  # longest wait for a service
LOOK_S = 0.1
TRIES = 5  # an answer on the motors' bus may get lost
GROUP, SINGLE = "group", "single"
#: group of the arm's joints and of all motors but the shadows, which obey their masters' ids
ARM_GROUP, ALL = "arm", "all"
#: what rmw says of a node that is not discovered whole
NAMELESS = "_NODE_NAME_UNKNOWN_"
COMMANDS = ("commands/joint_group", "commands/joint_single", "commands/joint_trajectory")


class SdkFailure(WorldFailure):
    """The xs_sdk did not answer, or a motor did not take what it was given."""


class XsSdk:
    """One xs_sdk. Any thread may call any method, but the blocking ones not in a callback.

    failure: set when the bridge's own ROS thread has ended.
    """

    def __init__(self, spec: InterbotixSpec) -> None:
        """Raises MissingPart."""
        self._messages = Messages()
        self._spec, self.name = spec, f"/{spec.name}"
        self.failure: WorldFailure | None = None
        self._context: rclpy.Context | None = None

    def open(self, listener: Callable[[JointState], None], often_s: float, often: Callable[[], None]) -> None:
        """listener: given every joint_states; often: called every `often_s`; both in the bridge's thread.

        Raises UsageError when no xs_sdk is there.
        """
        messages = self._messages
        self.failure, self._ending = None, threading.Event()
        self._context = rclpy.Context()
        # a process's own arguments are those of its node, not of this one
        rclpy.init(args=[], context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._node = rclpy.create_node(
            f"interbotix_bridge_{os.getpid()}", context=self._context, use_global_arguments=False
        )
        make = self._node.create_client
        self._info = make(messages.RobotInfo, f"{self.name}/get_robot_info")
        self._get = make(messages.RegisterValues, f"{self.name}/get_motor_registers")
        self._set = make(messages.RegisterValues, f"{self.name}/set_motor_registers")
        self._mode = make(messages.OperatingModes, f"{self.name}/set_operating_modes")
        self._torque = make(messages.TorqueEnable, f"{self.name}/torque_enable")
        if not self._spec.read_only:
            publisher = self._node.create_publisher
            self._group = publisher(messages.JointGroupCommand, f"{self.name}/commands/joint_group", 10)
            self._single = publisher(messages.JointSingleCommand, f"{self.name}/commands/joint_single", 10)
        self._node.create_subscription(JointState, f"{self.name}/joint_states", listener, 10)
        steady_timer(self._node, often_s, often)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._run, name="interbotix-ros", daemon=True)
        self._thread.start()
        try:
            for client in (self._info, self._get, self._set, self._mode, self._torque):
                if not client.wait_for_service(timeout_sec=FIND_S):
                    raise UsageError(
                        f"No xs_sdk answers as {client.srv_name} within {FIND_S:g} s; start Interbotix's "
                        f"xsarm_control with robot_name:={self._spec.name}, in the same ROS domain."
                    )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """May be called twice."""
        if self._context is None:
            return
        context, self._context = self._context, None
        self._ending.set()
        self._thread.join()
        with suppress(Exception):  # the graph may be half gone; there is nothing to save in it
            self._executor.shutdown(timeout_sec=1.0)
            self._node.destroy_node()
        context.try_shutdown()

    def commanders(self) -> tuple[str, ...]:
        """Names of the other nodes that may command this arm."""
        own = self._node.get_name()
        found = (each for topic in COMMANDS for each in self._node.get_publishers_info_by_topic(f"{self.name}/{topic}"))
        names = sorted({each.node_name for each in found} - {own})
        return tuple("without a name yet" if name == NAMELESS else name for name in names)

    def speakers(self) -> int:
        """How many nodes publish joint_states."""
        return self._node.count_publishers(f"{self.name}/joint_states")

    # what it knows and reads

    def info(self, kind: str, name: str) -> Any:
        """Its RobotInfo of a group or a joint; an empty one if it knows none of that name. Raises SdkFailure."""
        return self._call(self._info, cmd_type=kind, name=name)

    def read(self, motor: Motor, register: Register) -> int | None:
        """A register's value; None when the motor does not answer, asked again and again. Raises SdkFailure."""
        for _ in range(TRIES):
            answer = self._call(self._get, cmd_type=SINGLE, name=motor.name, reg=NAMES[register])
            if len(answer.values) == 1:
                return register_value(register, answer.values[0])
        return None

    def ask(self, motor: Motor, register: Register) -> Any:
        """A future of the answer to reading a register."""
        request = self._messages.RegisterValues.Request(cmd_type=SINGLE, name=motor.name, reg=NAMES[register])
        return self._get.call_async(request)

    def forget(self, future: Any) -> None:
        """Nobody waits for this answer any more."""
        self._get.remove_pending_request(future)

    # what it does; its services never say whether a motor took it, so who must know reads it again

    def write(self, kind: str, name: str, register: Register, value: int) -> None:
        """Raises SdkFailure."""
        self._call(self._set, cmd_type=kind, name=name, reg=NAMES[register], value=value)

    def write_soon(self, motor: Motor, register: Register, value: int) -> Any:
        """A future that is done when the xs_sdk has written it."""
        return self._set.call_async(
            self._messages.RegisterValues.Request(cmd_type=SINGLE, name=motor.name, reg=NAMES[register], value=value)
        )

    def position_mode(self, kind: str, name: str, move_ms: int) -> None:
        """Position mode with a time profile. The xs_sdk lets these motors go for a moment and then switches them ON."""
        self._call(
            self._mode,
            cmd_type=kind,
            name=name,
            mode="position",
            profile_type="time",
            profile_velocity=move_ms,
            profile_acceleration=0,
        )

    def torque(self, on: bool) -> None:
        """Of all motors. Raises SdkFailure."""
        self._call(self._torque, cmd_type=GROUP, name=ALL, enable=on)

    def command(self, angles: list[float]) -> None:
        """Goals of the arm's joints [rad], in the group's order."""
        self._group.publish(self._messages.JointGroupCommand(name=ARM_GROUP, cmd=angles))

    def command_gripper(self, angle: float) -> None:
        """Goal of the gripper's motor [rad]."""
        self._single.publish(self._messages.JointSingleCommand(name=GRIPPER.name, cmd=angle))

    def _call(self, client: Any, **fields: Any) -> Any:
        answered = threading.Event()
        future = client.call_async(client.srv_type.Request(**fields))
        future.add_done_callback(lambda _: answered.set())
        if not answered.wait(ANSWER_S):
            client.remove_pending_request(future)
            raise SdkFailure(
                f"The xs_sdk did not answer {client.srv_name} within {ANSWER_S:g} s; look whether it runs."
            )
        return future.result()

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                self._executor.spin_once(timeout_sec=LOOK_S)
        except ExternalShutdownException:
            self.failure = WorldFailure("The bridge to the xs_sdk was shut down; connect again.")
        except Exception as error:  # a bug must stop the arm like any other failure, and be told
            self.failure = WorldFailure(
                f"The bridge to the xs_sdk failed ({type(error).__name__}: {error}); connect again."
            )
