"""A ROS graph of a test's own: nodes as processes, and a listener in this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from eval.domains import own_domain
from eval.processes import environment
from rclpy.executors import SingleThreadedExecutor
from robot_bridge import topics
from std_srvs.srv import SetBool, Trigger

from touchstone.environment import clean_environment

#: far over what a loaded machine needs, so that only a hang fails [s]
LIMIT = 90.0


class Graph:
    """Use as `with graph(tmp_path) as g`."""

    def __init__(self, env: dict[str, str], context: rclpy.Context) -> None:
        self.env = env
        self.node = rclpy.create_node("listener", context=context)
        self.heard: dict[str, list[Any]] = {}
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self._processes: list[subprocess.Popen] = []

    def start(self, module: str, **parameters) -> subprocess.Popen:
        """A node with its parameters, as text."""
        words = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--ros-args", *words],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def listen(self, topic: str, kind: type, qos=topics.LOCKSTEP) -> list[Any]:
        """The messages that come from now on, as they come while the test waits."""
        heard = self.heard.setdefault(topic, [])
        self.node.create_subscription(kind, topic, heard.append, qos)
        return heard

    def until(self, true: Callable[[], Any], what: str = "it") -> Any:
        """Works off what comes until `true()` is, and gives that."""
        end = time.monotonic() + LIMIT
        while not (found := true()):
            assert time.monotonic() < end, f"{what} did not come to pass"
            for process in self._processes:
                assert process.poll() in (None, 0), process.stderr.read()
            self.executor.spin_once(timeout_sec=0.05)
        return found

    def call(self, service: str, data: bool | None = None) -> tuple[bool, str]:
        """Success and message of a Trigger, or of a SetBool with `data`."""
        return self.until(self.ask(service, data), service)

    def ask(self, service: str, data: bool | None = None) -> Callable[[], tuple[bool, str] | None]:
        """As `call`, without waiting: for `until`."""
        kind = Trigger if data is None else SetBool
        client = self.node.create_client(kind, service)
        self.until(client.service_is_ready, service)
        request = kind.Request() if data is None else kind.Request(data=data)
        future = client.call_async(request)
        return lambda: (future.result().success, future.result().message) if future.done() else None

    def diagnostics(self, name: str) -> Callable[[], DiagnosticStatus | None]:
        """The newest status of a node."""
        arrays = self.listen(topics.DIAGNOSTICS, DiagnosticArray, 10)
        return lambda: next((each for array in reversed(arrays) for each in array.status if each.name == name), None)

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()
        self.executor.shutdown()
        self.node.destroy_node()


@contextmanager
def graph(out) -> Iterator[Graph]:
    """A graph that nobody else is on."""
    with own_domain({}) as domain:
        env = {**clean_environment(os.environ), **environment(out, domain)}
        # this process's own participant needs the profile, too
        profile = os.environ.get("FASTDDS_DEFAULT_PROFILES_FILE")
        os.environ["FASTDDS_DEFAULT_PROFILES_FILE"] = env["FASTDDS_DEFAULT_PROFILES_FILE"]
        context = rclpy.Context()
        rclpy.init(context=context, domain_id=domain)
        g = Graph(env, context)
        try:
            yield g
        finally:
            g.close()
            context.try_shutdown()
            if profile is None:
                del os.environ["FASTDDS_DEFAULT_PROFILES_FILE"]
            else:
                os.environ["FASTDDS_DEFAULT_PROFILES_FILE"] = profile


def sentence_of(process: subprocess.Popen) -> str:
    """The one line with which a node has ended by itself."""
    _, stderr = process.communicate(timeout=LIMIT)
    (line,) = stderr.strip().splitlines()
    assert line.startswith("touchstone: ") and line.endswith("."), line
    assert process.returncode in (1, 2)
    return line


def values(status: DiagnosticStatus) -> dict[str, str]:
    return {value.key: value.value for value in status.values}


def interrupt(process: subprocess.Popen) -> int:
    """Exit code after Ctrl-C."""
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LIMIT)
    return process.returncode
