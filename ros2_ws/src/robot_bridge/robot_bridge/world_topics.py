"""What a world says about itself, published: the offer, each tick's facts and events, and its observation."""

from __future__ import annotations

import rclpy.publisher
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String

from robot_bridge import topics
from robot_bridge.observations import index_of, message_types, to_messages
from robot_bridge.records import Status, TickEvents, TickFacts, failure_of, to_string
from robot_bridge.stamps import to_time
from touchstone.errors import TouchstoneError
from touchstone.facts import Event, Facts
from touchstone.robots.base import Arm
from touchstone.world import Observation, WorldOffer

#: episodes are laid out one after the other on the graph's clock, each at a whole second, with this pause [ns]
_SECOND = 1_000_000_000


class HeaderClock:
    """The graph's time: a world's clock starts anew with every episode, header stamps must never go back."""

    def __init__(self) -> None:
        self._epoch_ns = 0
        self._latest_ns = 0

    def new_episode(self) -> None:
        """The next stamp 0 of the world lies at the next whole second but one."""
        self._epoch_ns = (self._latest_ns // _SECOND + 2) * _SECOND

    def at(self, stamp_ns: int) -> int:
        """Header stamp [ns] of a world's stamp in the present episode."""
        self._latest_ns = max(self._latest_ns, self._epoch_ns + stamp_ns)
        return self._epoch_ns + stamp_ns


class WorldTopics:
    """The publishers of one world."""

    def __init__(self, node: Node, offer: WorldOffer, arm: Arm) -> None:
        self._arm = arm
        self.clock = HeaderClock()
        self._strings = {
            name: node.create_publisher(String, name, topics.LOCKSTEP)
            for name in (topics.OBSERVATION, topics.FACTS, topics.EVENTS, topics.WORLD_STATUS)
        }
        self._clock = node.create_publisher(Clock, topics.CLOCK, topics.LATCHED)
        self._messages: dict[str, rclpy.publisher.Publisher] = {
            topic: node.create_publisher(kind, topic, topics.LOCKSTEP)
            for topic, kind in message_types(tuple(offer.cameras)).items()
        }
        self._offer = node.create_publisher(String, topics.OFFER, topics.LATCHED)
        self._offer.publish(to_string(offer))

    def tick(self, request: str, facts: Facts, events: list[Event]) -> None:
        """Says that `request` was carried out and what is true and happened since."""
        stamp = self.clock.at(facts.stamp_ns)
        self._clock.publish(Clock(clock=to_time(stamp)))
        events_record = TickEvents(request=request, header_stamp_ns=stamp, events=tuple(events))
        self._strings[topics.EVENTS].publish(to_string(events_record))
        facts_record = TickFacts(request=request, header_stamp_ns=stamp, facts=facts)
        self._strings[topics.FACTS].publish(to_string(facts_record))

    def observation(self, request: str, observation: Observation) -> None:
        """Publishes the index and then the messages that it names."""
        stamp = self.clock.at(observation.stamp_ns)
        self._strings[topics.OBSERVATION].publish(to_string(index_of(observation, request, stamp)))
        for topic, message in to_messages(observation, self._arm, stamp).items():
            self._messages[topic].publish(message)

    def failure(self, request: str, error: TouchstoneError) -> None:
        """Says why `request` was not carried out."""
        self._strings[topics.WORLD_STATUS].publish(to_string(Status(request=request, failure=failure_of(error))))
