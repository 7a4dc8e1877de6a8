"""`policy_node`: asks a policy server on behalf of the graph."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from robot_bridge import topics
from robot_bridge.chunks import TRAJECTORY_TYPES, to_messages
from robot_bridge.lifetime import Diagnostics, Parameters, Signals, run_node, spin, steady_timer
from robot_bridge.observer import Observer
from robot_bridge.records import (
    PolicyRequest,
    PolicyReset,
    Status,
    TickFacts,
    WorldReset,
    failure_of,
    from_string,
    to_string,
)
from std_msgs.msg import String

from policy_server.client import PolicyClient
from touchstone.errors import DeadlineExceeded, TouchstoneError, UsageError
from touchstone.registry import POLICY_SCHEMES
from touchstone.registry import load as find
from touchstone.robots.base import arm as find_arm
from touchstone.spec import Spec
from touchstone.world import Observation, Privileged, WorldOffer


class PolicyNode(Node):
    """Answers /policy/request once the observation that it names is whole; one request at a time."""

    def __init__(self, signals: Signals) -> None:
        super().__init__("policy_node")
        declare = Parameters(self)
        self._address = declare.text("address", "tcp://127.0.0.1:5555", "of the policy server")
        self._connect_s = declare.number("connect_s", 5.0, 0.1, 3600.0, "longest wait for the server's hello [s]")
        self._arm = find_arm(declare.text("robot", "wx250s", "the arm"))
        self._signals = signals
        self._policy: PolicyClient | None = None
        self._observer: Observer | None = None
        self._spec: Spec | None = None
        self._facts: TickFacts | None = None
        self._waiting: PolicyRequest | None = None
        self._limit = None
        self._answered = 0
        self._contract = self.create_publisher(String, topics.CONTRACT, topics.LATCHED)
        self._status = self.create_publisher(String, topics.POLICY_STATUS, topics.LOCKSTEP)
        self._info = self.create_publisher(String, topics.CHUNK_INFO, topics.LOCKSTEP)
        self._chunks = {
            topic: self.create_publisher(kind, topic, topics.LOCKSTEP) for topic, kind in TRAJECTORY_TYPES.items()
        }
        self._diagnostics = Diagnostics(self, lambda: {"address": self._address, "answered": self._answered})

    def connect(self) -> None:
        """Meets the server, then opens the node for requests. Raises what the server's client raises."""
        scheme, separator, _ = self._address.partition("://")
        if not separator:
            raise UsageError(f"'{self._address}' is not an address; write it like tcp://127.0.0.1:5555.")
        self._policy = self._signals.interrupting(find(POLICY_SCHEMES, scheme), self._address, self._connect_s)
        self.create_subscription(String, topics.OFFER, self._on_offer, topics.LATCHED)
        if self._policy.contract.needs_privileged:
            self.create_subscription(String, topics.SPEC, self._on_spec, topics.LOCKSTEP)
            self.create_subscription(String, topics.FACTS, self._on_facts, topics.LOCKSTEP)
        self.create_subscription(String, topics.RESET, self._on_reset, topics.LOCKSTEP)
        self.create_subscription(String, topics.REQUEST, self._on_request, topics.LOCKSTEP)
        self._contract.publish(to_string(self._policy.contract))
        self._diagnostics.ok("ready")

    def destroy_node(self) -> None:
        if self._policy is not None:
            self._policy.close()
        super().destroy_node()

    def _on_offer(self, message: String) -> None:
        if self._observer is None:
            self._observer = Observer(self, from_string(message, WorldOffer), self._answer_if_whole)

    def _on_spec(self, message: String) -> None:
        self._spec = from_string(message, WorldReset).spec

    def _on_facts(self, message: String) -> None:
        self._facts = from_string(message, TickFacts)
        self._answer_if_whole()

    def _on_reset(self, message: String) -> None:
        reset = from_string(message, PolicyReset)
        try:
            self._signals.interrupting(self._policy.reset, reset.brief)
        except TouchstoneError as error:
            self._refuse(reset.request, error)
        else:
            self._status.publish(to_string(Status(request=reset.request)))

    def _on_request(self, message: String) -> None:
        self._stop_waiting()
        self._waiting = from_string(message, PolicyRequest)
        self._limit = steady_timer(self, self._waiting.budget_ms / 1e3, self._give_up)
        self._answer_if_whole()

    def _answer_if_whole(self) -> None:
        request = self._waiting
        found = request and self._whole(request)
        if not found:
            return
        header_stamp_ns, observation = found
        self._stop_waiting()
        try:
            chunk = self._signals.interrupting(partial(self._policy.infer, observation, budget_ms=request.budget_ms))
            trajectory, info = to_messages(chunk, self._arm, request.request, header_stamp_ns)
        except TouchstoneError as error:
            self._refuse(request.request, error)
            return
        self._info.publish(to_string(info))
        self._chunks[info.topic].publish(trajectory)
        self._answered += 1
        self._diagnostics.ok("answering")

    def _whole(self, request: PolicyRequest) -> tuple[int, Observation] | None:
        """Header stamp and observation that the request names, or None while a part of it is missing."""
        if self._observer is None or self._observer.latest is None:
            return None
        index, observation = self._observer.latest
        if index.observation != request.observation:
            return None
        if self._policy.contract.needs_privileged:
            spec, facts = self._spec, self._facts
            if spec is None or spec.episode != index.episode:
                return None
            if facts is None or facts.header_stamp_ns != index.header_stamp_ns:
                return None
            observation = replace(observation, privileged=Privileged(spec, facts.facts))
        return index.header_stamp_ns, observation

    def _give_up(self) -> None:
        request = self._waiting
        self._stop_waiting()
        if request is None:
            return
        missing = self._observer.describe_missing() if self._observer else f"nothing came on {topics.OFFER}"
        self._refuse(
            request.request,
            DeadlineExceeded(
                f"policy_node did not get observation {request.observation} within {request.budget_ms / 1e3:g} s: "
                f"{missing}; check the log of twin_node or arm_node."
            ),
        )

    def _refuse(self, request: str, error: TouchstoneError) -> None:
        self._diagnostics.error(str(error))
        self._status.publish(to_string(Status(request=request, failure=failure_of(error))))

    def _stop_waiting(self) -> None:
        self._waiting = None
        if self._limit is not None:
            self.destroy_timer(self._limit)
            self._limit = None


def _serve(node: PolicyNode, signals: Signals, executor: SingleThreadedExecutor) -> None:
    node.connect()
    spin(node, signals, executor)


def main() -> None:
    sys.exit(run_node(PolicyNode, _serve))


if __name__ == "__main__":
    main()
