"""A world behind ROS topics, as the World that the session runner drives."""

from __future__ import annotations

from typing import Literal

from robot_bridge import topics
from robot_bridge.observer import Observer
from robot_bridge.records import Advance, Status, TickEvents, TickFacts, WorldReset, error_of, from_string, to_string
from std_msgs.msg import String

from eval.link import Link
from touchstone.errors import WorldFailure
from touchstone.facts import Event, Facts, Record
from touchstone.policy import Chunk
from touchstone.spec import Spec
from touchstone.world import Observation, WorldOffer

LOOK_THERE = "check the log of twin_node or arm_node"


class RosWorld:
    """`reset` and `advance` return when the world has answered with facts; `observe` waits for the picture too.

    A chunk is not sent from here: the policy's node has published it for everyone, `command` names it.
    """

    def __init__(self, link: Link, startup_s: float, answer_s: float, reset_s: float) -> None:
        self._link, self._startup_s, self._answer_s, self._reset_s = link, startup_s, answer_s, reset_s
        node = link.node
        self._spec_out = node.create_publisher(String, topics.SPEC, topics.LOCKSTEP)
        self._advance_out = node.create_publisher(String, topics.ADVANCE, topics.LOCKSTEP)
        self._offer: WorldOffer | None = None
        self._observer: Observer | None = None
        self._request = ""
        self._facts: TickFacts | None = None
        self._events: TickEvents | None = None
        self._status: Status | None = None
        self._episode = ""
        self._command: Literal["chunk", "hold", "keep"] = "keep"
        self._answers: int | None = None
        for topic, callback in (
            (topics.OFFER, self._on_offer),
            (topics.FACTS, self._on_facts),
            (topics.EVENTS, self._on_events),
            (topics.WORLD_STATUS, self._on_status),
        ):
            node.create_subscription(String, topic, callback, topics.LOCKSTEP)

    def describe(self) -> WorldOffer:
        """The offer of the world's node. Raises WorldFailure if none comes up."""
        return self._link.wait(
            lambda: self._offer,
            self._startup_s,
            lambda: WorldFailure(
                f"No world came up on {topics.OFFER} within {self._startup_s:g} s; {LOOK_THERE}, and whether all nodes "
                "share one ROS_DOMAIN_ID."
            ),
        )

    def reset(self, spec: Spec) -> None:
        self.describe()
        self._episode, self._command, self._answers = spec.episode, "keep", None
        request = self._link.new_request()
        self._ask(request, self._spec_out, WorldReset(request=request, spec=spec), "reset", self._reset_s)

    def observe(self) -> Observation:
        return self._link.wait(
            self._present,
            self._answer_s,
            lambda: WorldFailure(
                f"The world's observation was not whole after {self._answer_s:g} s: "
                f"{self._observer.describe_missing()}; {LOOK_THERE}."
            ),
        )

    def command(self, chunk: Chunk | None) -> None:
        self._command = "hold" if chunk is None else "chunk"
        self._answers = None if chunk is None else chunk.answers

    def advance(self, until_ns: int) -> None:
        request = self._link.new_request()
        advance = Advance(
            request=request, episode=self._episode, until_ns=until_ns, command=self._command, answers=self._answers
        )
        self._command, self._answers = "keep", None
        self._ask(request, self._advance_out, advance, "advance", self._answer_s)

    def facts(self) -> Facts:
        return self._facts.facts

    def events(self) -> list[Event]:
        events = self._link.wait(
            lambda: self._events,
            self._answer_s,
            lambda: WorldFailure(f"The world's events did not come within {self._answer_s:g} s; {LOOK_THERE}."),
        )
        self._events = events.model_copy(update={"events": ()})
        return list(events.events)

    def close(self) -> None:
        """Nothing to let go of: the node owns the topics."""

    def _ask(self, request: str, publisher, record: Record, what: str, limit_s: float) -> None:
        self._request, self._facts, self._events, self._status = request, None, None, None
        publisher.publish(to_string(record))
        self._link.wait(
            self._answer,
            limit_s,
            lambda: WorldFailure(
                f"The world did not answer the {what} of {self._episode} within {limit_s:g} s; {LOOK_THERE}."
            ),
        )

    def _answer(self) -> TickFacts | None:
        if self._status is not None and self._status.failure is not None:
            raise error_of(self._status.failure)
        return self._facts

    def _present(self) -> Observation | None:
        self._answer()
        latest = self._observer.latest
        return latest[1] if latest is not None and latest[0].request == self._request else None

    def _on_offer(self, message: String) -> None:
        self._offer = from_string(message, WorldOffer)
        if self._observer is None:
            self._observer = Observer(self._link.node, self._offer)

    def _on_facts(self, message: String) -> None:
        facts = from_string(message, TickFacts)
        if facts.request == self._request:
            self._facts = facts

    def _on_events(self, message: String) -> None:
        events = from_string(message, TickEvents)
        if events.request == self._request:
            self._events = events

    def _on_status(self, message: String) -> None:
        status = from_string(message, Status)
        if status.request == self._request:
            self._status = status
