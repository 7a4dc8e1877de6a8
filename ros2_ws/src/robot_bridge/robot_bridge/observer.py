"""Subscribes to a world's observation topics and hands out whole observations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node
from std_msgs.msg import String

from robot_bridge import topics
from robot_bridge.assembly import Assembler
from robot_bridge.observations import message_types, to_observation
from robot_bridge.records import ObservationIndex, from_string
from robot_bridge.stamps import to_ns
from touchstone.world import Observation, WorldOffer


class Observer:
    """Keeps the newest observation of a world that offers `offer`; `on_observation` is called when it changed."""

    def __init__(self, node: Node, offer: WorldOffer, on_observation: Callable[[], None] = lambda: None) -> None:
        self._on_observation = on_observation
        self._parts = Assembler()
        self._topics = message_types(tuple(offer.cameras))
        self._indices: dict[int, ObservationIndex] = {}
        self.latest: tuple[ObservationIndex, Observation] | None = None
        node.create_subscription(String, topics.OBSERVATION, self._on_index, topics.LOCKSTEP)
        for topic, kind in self._topics.items():
            node.create_subscription(kind, topic, partial(self._on_message, topic), topics.LOCKSTEP)

    def describe_missing(self) -> str:
        """Which topics have not delivered for the newest index, for an error's sentence."""
        if not self._indices:
            return f"nothing new came on {topics.OBSERVATION}"
        return f"nothing came on {', '.join(self._parts.missing(max(self._indices), self._topics))}"

    def _on_index(self, message: String) -> None:
        index = from_string(message, ObservationIndex)
        self._indices[index.header_stamp_ns] = index
        self._join(index.header_stamp_ns)

    def _on_message(self, topic: str, message: Any) -> None:
        stamp = to_ns(message.header.stamp)
        self._parts.add(stamp, topic, message)
        self._join(stamp)

    def _join(self, stamp: int) -> None:
        index, messages = self._indices.get(stamp), self._parts.get(stamp, self._topics)
        if index is None or messages is None:
            return
        self._parts.forget_before(stamp + 1)
        self._indices = {at: index for at, index in self._indices.items() if at > stamp}
        if self.latest is None or self.latest[0].header_stamp_ns < stamp:
            self.latest = (index, to_observation(index, messages))
            self._on_observation()
