"""What a world says about itself, published: the offer, each tick's facts and events, and its observation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import rclpy.publisher
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String

from robot_bridge import topics
from robot_bridge.graph_clock import GraphClock
from robot_bridge.observations import STATE_TOPICS, index_of, message_types, to_messages
from robot_bridge.records import CameraEntry, Status, TickEvents, TickFacts, failure_of, to_string
from robot_bridge.stamps import to_time
from touchstone.errors import TouchstoneError
from touchstone.facts import Event, Facts
from touchstone.robots.base import Arm
from touchstone.world import Observation, WorldOffer


class Pictures(Protocol):
    """Pictures of an observation that another node publishes."""

    def at(self, stamp_ns: int) -> Mapping[str, CameraEntry]:
        """The newest picture of each camera that was captured at or before `stamp_ns`, on the world's clock. Raises
        WorldFailure when a camera is gone."""


class WorldTopics:
    """The publishers of one world.

    cameras: whose pictures are published here. pictures: of the others. simulated: the graph's time is the world's own,
    and is told on /clock.
    """

    def __init__(
        self,
        node: Node,
        arm: Arm,
        clock: GraphClock,
        cameras: tuple[str, ...] = (),
        pictures: Pictures | None = None,
        simulated: bool = True,
    ) -> None:
        self._arm, self._pictures = arm, pictures
        self.clock = clock
        self._strings = {
            name: node.create_publisher(String, name, topics.LOCKSTEP)
            for name in (topics.OBSERVATION, topics.FACTS, topics.EVENTS, topics.WORLD_STATUS)
        }
        self._clock = node.create_publisher(Clock, topics.CLOCK, topics.LATCHED) if simulated else None
        self._messages: dict[str, rclpy.publisher.Publisher] = {
            topic: node.create_publisher(kind, topic, topics.STREAM if topic in STATE_TOPICS else topics.PICTURES)
            for topic, kind in message_types(cameras).items()
        }
        self._offer = node.create_publisher(String, topics.OFFER, topics.LATCHED)

    def offer(self, offer: WorldOffer) -> None:
        """Says that the world is there and what it offers; requests may come from now on."""
        self._offer.publish(to_string(offer))

    def tick(self, request: str, facts: Facts, events: list[Event]) -> None:
        """Says that `request` was carried out and what is true and happened since."""
        stamp = self.clock.at(facts.stamp_ns)
        self.time(stamp)
        events_record = TickEvents(request=request, header_stamp_ns=stamp, events=tuple(events))
        self._strings[topics.EVENTS].publish(to_string(events_record))
        facts_record = TickFacts(request=request, header_stamp_ns=stamp, facts=facts)
        self._strings[topics.FACTS].publish(to_string(facts_record))

    def observation(self, request: str, observation: Observation) -> None:
        """Publishes the index and then the messages that it names. Raises WorldFailure when a picture is missing."""
        stamp = self.clock.at(observation.stamp_ns)
        pictures = None if self._pictures is None else self._pictures.at(observation.stamp_ns)
        self._strings[topics.OBSERVATION].publish(to_string(index_of(observation, request, stamp, pictures)))
        self.publish(to_messages(observation, self._arm, stamp))

    def publish(self, messages: Mapping[str, object]) -> None:
        """Topic -> message of an observation's topics."""
        for topic, message in messages.items():
            self._messages[topic].publish(message)

    def time(self, header_stamp_ns: int) -> None:
        """Tells the graph's time, where it is not the system's."""
        if self._clock is not None:
            self._clock.publish(Clock(clock=to_time(header_stamp_ns)))

    def failure(self, request: str, error: TouchstoneError) -> None:
        """Says why `request` was not carried out."""
        self._strings[topics.WORLD_STATUS].publish(to_string(Status(request=request, failure=failure_of(error))))
