"""From `main` to the exit code: what every node does alike at start, on a signal, on an error and at the end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.timer import Timer

from robot_bridge import topics
from touchstone.errors import TouchstoneError, UsageError

#: longest time a signal waits until the node looks at it [s]
LOOK = 0.1


class Stopped(BaseException):
    """A signal asked the node to end; carries its number. Not an Exception, so that nothing swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Signals:
    """Remembers the first SIGINT or SIGTERM; later ones are ignored, so that cleaning up is never interrupted.

    A launch file and a terminal both deliver Ctrl-C, so a node often gets two.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._at_once = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def check(self) -> None:
        """Raises Stopped once a signal has come."""
        if self.number is not None:
            raise Stopped(self.number)

    def interrupting(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Runs a blocking call that a signal may break off at once."""
        self.check()
        self._at_once = True
        try:
            return call(*arguments)
        finally:
            self._at_once = False

    def _note(self, number: int, _frame) -> None:
        if self.number is None:
            self.number = number
            if self._at_once:
                raise Stopped(number)


def run_node(make: Callable[[Signals], Node], body: Callable[[Any, Signals, SingleThreadedExecutor], None]) -> int:
    """Runs a node from `rclpy.init` to its clean end and returns the exit code.

    make: builds the node. body: works until it is done, or until Stopped, which gives 130 (SIGINT) or 143 (SIGTERM).
    A TouchstoneError becomes one sentence on stderr and its exit code.
    """
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    signals = Signals()
    node, executor, code = None, SingleThreadedExecutor(), 0
    try:
        # loading a simulator takes longer than a launch file waits
        node = signals.interrupting(make, signals)
        executor.add_node(node)
        body(node, signals, executor)
    except Stopped as stopped:
        code = 128 + stopped.number
    except TouchstoneError as error:
        print(f"touchstone: {error}", file=sys.stderr, flush=True)
        code = error.exit_code
    except ExternalShutdownException:
        code = 0
    finally:
        # the graph may be half gone; there is nothing to save in it
        with suppress(Exception):
            executor.shutdown(timeout_sec=1.0)
        if node is not None:
            with suppress(Exception):
                node.destroy_node()
        with suppress(Exception):
            rclpy.try_shutdown()
    return code


def spin(node: Node, signals: Signals, executor: SingleThreadedExecutor) -> None:
    """Works off callbacks until a signal comes, which is how a service is meant to end."""
    with suppress(Stopped):
        while True:
            signals.check()
            executor.spin_once(timeout_sec=LOOK)


class Parameters:
    """Declares a node's parameters, each with what it means and what it may be; all are fixed at start."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def text(self, name: str, default: str, meaning: str) -> str:
        return self._declare(name, default, ParameterDescriptor(description=meaning))

    def integer(self, name: str, default: int, lowest: int, highest: int, meaning: str) -> int:
        span = IntegerRange(from_value=lowest, to_value=highest)
        return self._declare(name, default, ParameterDescriptor(description=meaning, integer_range=[span]))

    def flag(self, name: str, default: bool, meaning: str) -> bool:
        return self._declare(name, default, ParameterDescriptor(description=meaning))

    def number(self, name: str, default: float, lowest: float, highest: float, meaning: str) -> float:
        span = FloatingPointRange(from_value=lowest, to_value=highest)
        return self._declare(name, default, ParameterDescriptor(description=meaning, floating_point_range=[span]))

    def _declare(self, name: str, default: Any, descriptor: ParameterDescriptor) -> Any:
        descriptor.read_only = True
        try:
            return self._node.declare_parameter(name, default, descriptor).value
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise UsageError(
                f"{self._node.get_name()} cannot take its parameter `{name}` ({descriptor.description}): "
                f"{str(error).rstrip('.')}; correct it."
            ) from error


def steady_timer(node: Node, period_s: float, callback: Callable[[], None]) -> Timer:
    """A timer on wall-clock time, because simulated time stands still between ticks."""
    return node.create_timer(period_s, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))


class Diagnostics:
    """Publishes one status of a node on /diagnostics, every second of wall-clock time unless `rate_hz` says more."""

    def __init__(self, node: Node, values: Callable[[], dict[str, Any]], rate_hz: float = 1.0) -> None:
        self._node, self._values = node, values
        self.level, self.message = DiagnosticStatus.OK, "starting"
        self._publisher = node.create_publisher(DiagnosticArray, topics.DIAGNOSTICS, 10)
        self._timer = steady_timer(node, 1.0 / rate_hz, self.publish)

    def ok(self, message: str) -> None:
        self.level, self.message = DiagnosticStatus.OK, message

    def warn(self, message: str) -> None:
        self.level, self.message = DiagnosticStatus.WARN, message

    def error(self, message: str) -> None:
        self.level, self.message = DiagnosticStatus.ERROR, message

    def publish(self) -> None:
        # first, because they may say how things stand
        values = self._values()
        status = DiagnosticStatus(
            level=self.level,
            name=self._node.get_name(),
            message=self.message,
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)
