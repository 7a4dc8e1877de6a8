"""A policy behind ROS topics, as the Policy that the session runner drives."""

from __future__ import annotations

from robot_bridge import topics
from robot_bridge.chunk_listener import ChunkListener
from robot_bridge.chunks import Trajectory, to_chunk
from robot_bridge.records import ChunkInfo, PolicyRequest, PolicyReset, Status, error_of, from_string, to_string
from std_msgs.msg import String

from eval.link import Link
from touchstone.errors import DeadlineExceeded, PolicyFailure
from touchstone.facts import Record
from touchstone.policy import Chunk, PolicyContract
from touchstone.robots.base import Arm
from touchstone.spec import Brief
from touchstone.world import Observation

#: what the node may take on top of the policy's budget before it counts as gone [s]
GRACE = 5.0
#: a policy may warm a model up, and its server may first wait for another client's episode to end [s]
RESET = 180.0


class RosPolicy:
    """The policy that policy_node stands for. Waits for its contract when made; raises what the node reports."""

    def __init__(self, link: Link, arm: Arm, startup_s: float, budget_s: float) -> None:
        self._link, self._arm, self._budget_s = link, arm, budget_s
        node = link.node
        self._reset_out = node.create_publisher(String, topics.RESET, topics.LOCKSTEP)
        self._request_out = node.create_publisher(String, topics.REQUEST, topics.LOCKSTEP)
        self._contract: PolicyContract | None = None
        self._request = ""
        self._status: Status | None = None
        self._chunk: Chunk | None = None
        node.create_subscription(String, topics.CONTRACT, self._on_contract, topics.LATCHED)
        node.create_subscription(String, topics.POLICY_STATUS, self._on_status, topics.LOCKSTEP)
        self._chunks = ChunkListener(node, self._on_chunk)
        self.contract = link.wait(
            lambda: self._contract,
            startup_s,
            lambda: PolicyFailure(
                f"No policy came up on {topics.CONTRACT} within {startup_s:g} s; check the logs of policy_node and "
                "of the policy server."
            ),
        )

    def reset(self, brief: Brief) -> None:
        request = self._link.new_request()
        self._ask(
            request, self._reset_out, PolicyReset(request=request, brief=brief), self._carried_out, RESET, "the reset"
        )

    def infer(self, observation: Observation) -> Chunk:
        request = self._link.new_request()
        self._chunk = None
        record = PolicyRequest(request=request, observation=observation.id, budget_ms=self._budget_s * 1e3)
        return self._ask(
            request, self._request_out, record, self._answered, self._budget_s + GRACE, f"observation {observation.id}"
        )

    def _ask(self, request: str, publisher, record: Record, answer, limit: float, what: str):
        self._request, self._status = request, None
        publisher.publish(to_string(record))
        return self._link.wait(
            answer,
            limit,
            lambda: DeadlineExceeded(
                f"policy_node did not answer {what} within {limit:g} s; check its log and run the same command again."
            ),
        )

    def _carried_out(self) -> Status | None:
        if self._status is not None and self._status.failure is not None:
            raise error_of(self._status.failure)
        return self._status

    def _answered(self) -> Chunk | None:
        self._carried_out()
        return self._chunk

    def _on_contract(self, message: String) -> None:
        self._contract = from_string(message, PolicyContract)

    def _on_status(self, message: String) -> None:
        status = from_string(message, Status)
        if status.request == self._request:
            self._status = status

    def _on_chunk(self, trajectory: Trajectory, info: ChunkInfo) -> None:
        if info.request == self._request:
            self._chunk = to_chunk(trajectory, info, self._arm)
