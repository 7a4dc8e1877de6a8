"""Subscribes to a world's observation topics and hands out whole observations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node
from std_msgs.msg import String

from robot_bridge import topics
from robot_bridge.assembly import Assembler
from robot_bridge.observations import STATE_TOPICS, picture_topics, stamps_of, to_observation
from robot_bridge.records import ObservationIndex, from_string
from robot_bridge.stamps import to_ns
from touchstone.world import Observation, WorldOffer

#: pictures kept of a camera until an index names one: two thirds of a second at 30 Hz, 18 MB of raw ones
KEPT_PICTURES = topics.PICTURES.depth


class Observer:
    """Keeps the newest observation of a world that offers `offer`; `on_observation` is called when it changed."""

    def __init__(self, node: Node, offer: WorldOffer, on_observation: Callable[[], None] = lambda: None) -> None:
        self._on_observation = on_observation
        pictures = picture_topics(tuple(offer.cameras))
        self._parts = Assembler(fewer=dict.fromkeys(pictures, KEPT_PICTURES))
        self._indices: dict[int, ObservationIndex] = {}
        self.latest: tuple[ObservationIndex, Observation] | None = None
        node.create_subscription(String, topics.OBSERVATION, self._on_index, topics.LOCKSTEP)
        for group, quality in ((STATE_TOPICS, topics.STREAM), (pictures, topics.PICTURES)):
            for topic, kind in group.items():
                node.create_subscription(kind, topic, partial(self._on_message, topic), quality)

    def describe_missing(self) -> str:
        """Which topics have not delivered for the newest index, for an error's sentence."""
        if not self._indices:
            return f"nothing new came on {topics.OBSERVATION}"
        newest = self._indices[max(self._indices)]
        return f"nothing came on {', '.join(self._parts.missing(stamps_of(newest)))}"

    def _on_index(self, message: String) -> None:
        index = from_string(message, ObservationIndex)
        if self.latest is None or self.latest[0].header_stamp_ns < index.header_stamp_ns:
            self._indices[index.header_stamp_ns] = index
            self._join()

    def _on_message(self, topic: str, message: Any) -> None:
        self._parts.add(to_ns(message.header.stamp), topic, message)
        self._join()

    def _join(self) -> None:
        """Puts the oldest observation together whose index is there, if it is whole now."""
        for stamp in sorted(self._indices):
            index = self._indices[stamp]
            wanted = stamps_of(index)
            messages = self._parts.get(wanted)
            if messages is not None:
                self._parts.forget_before(wanted)
                self._indices = {at: index for at, index in self._indices.items() if at > stamp}
                self.latest = (index, to_observation(index, messages))
                self._on_observation()
                return
