"""Subscribes to a policy's chunks and joins each trajectory with its companion."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rclpy.node import Node
from std_msgs.msg import String

from robot_bridge import topics
from robot_bridge.assembly import Assembler
from robot_bridge.chunks import TRAJECTORY_TYPES, Trajectory
from robot_bridge.records import ChunkInfo, from_string
from robot_bridge.stamps import to_ns


class ChunkListener:
    """Calls `on_chunk(trajectory, info)` once for each chunk, whichever of its two messages comes last."""

    def __init__(self, node: Node, on_chunk: Callable[[Trajectory, ChunkInfo], None]) -> None:
        self._on_chunk = on_chunk
        self._parts = Assembler()
        node.create_subscription(String, topics.CHUNK_INFO, self._on_info, topics.LOCKSTEP)
        for topic, kind in TRAJECTORY_TYPES.items():
            node.create_subscription(kind, topic, partial(self._on_trajectory, topic), topics.LOCKSTEP)

    def _on_info(self, message: String) -> None:
        info = from_string(message, ChunkInfo)
        self._parts.add(info.header_stamp_ns, topics.CHUNK_INFO, info)
        self._join(info.header_stamp_ns)

    def _on_trajectory(self, topic: str, message: Trajectory) -> None:
        stamp = to_ns(message.header.stamp)
        self._parts.add(stamp, topic, message)
        self._join(stamp)

    def _join(self, stamp: int) -> None:
        companion = self._parts.get({topics.CHUNK_INFO: stamp})
        if companion is None:
            return
        info = companion[topics.CHUNK_INFO]
        trajectory = self._parts.get({info.topic: stamp})
        if trajectory is not None:
            self._parts.forget_before({topics.CHUNK_INFO: stamp + 1, info.topic: stamp + 1})
            self._on_chunk(trajectory[info.topic], info)
