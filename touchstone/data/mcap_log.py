"""One episode as an MCAP file: `ros2msg` schemas and CDR in every world; opens in Foxglove and in `ros2 bag`.

publish_time is the capture stamp on the world's clock; log_time is wall-clock time (UTC) when it was written.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

from touchstone import topics
from touchstone.data import cdr
from touchstone.data.json_messages import chunk_from_json, chunk_to_json, decode, decode_record, encode
from touchstone.errors import TouchstoneError
from touchstone.facts import Event, Facts
from touchstone.policy import Chunk
from touchstone.robots.base import arm as find_arm
from touchstone.schema import SCHEMA
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict
from touchstone.world import CameraFrame, Observation

JPEG_QUALITY = 90
_JSON_TOPICS = ("/spec", "/facts", "/events", "/action", "/stages", "/verdict")


@dataclass
class EpisodeLog:
    """An episode read back.

    facts, stages_ms: one per tick. chunks: as they came. verdict: the live one, None if it never ended.
    """

    spec: Spec
    facts: list[Facts] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    stages_ms: list[dict[str, float]] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    verdict: Verdict | None = None


def read_episode(path: Path) -> EpisodeLog:
    """All but the pictures of an episode's MCAP. Raises TouchstoneError if it is missing or damaged."""
    log: EpisodeLog | None = None
    try:
        with Path(path).open("rb") as stream:
            for _, channel, message in make_reader(stream).iter_messages(topics=_JSON_TOPICS, log_time_order=False):
                text = cdr.deserialise(message.data, "std_msgs/msg/String").data
                if channel.topic == "/spec":
                    log = EpisodeLog(decode_record("spec", text, Spec))
                elif log is not None:
                    _add(log, channel.topic, text)
    except (OSError, McapError) as error:
        raise TouchstoneError(f"The episode {path} cannot be read ({error}); run the session again.") from error
    if log is None:
        raise TouchstoneError(f"The episode {path} holds no spec; run the session again.")
    return log


def read_images(path: Path, camera: str = "scene") -> list[np.ndarray]:
    """The pictures of one camera, uint8[H,W,3] RGB each, decoded from their JPEGs."""
    images = []
    with Path(path).open("rb") as stream:
        for _, _, message in make_reader(stream).iter_messages(
            topics=[topics.compressed_image(camera)], log_time_order=False
        ):
            data = cdr.deserialise(message.data, "sensor_msgs/msg/CompressedImage").data
            images.append(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))
    return images


class EpisodeWriter:
    """Writes one episode tick by tick; `close` makes the file whole."""

    def __init__(self, path: Path, spec: Spec) -> None:
        self._spec = spec
        self._arm = find_arm(spec.robot)
        self._stream = path.open("wb")
        self._writer = Writer(self._stream, compression=CompressionType.ZSTD)
        self._writer.start(profile="ros2", library="touchstone")
        self._channels: dict[str, int] = {}
        self._schemas: dict[str, int] = {}
        self._stamp_ns: int | None = None

    def tick(
        self,
        observation: Observation,
        facts: Facts,
        events: list[Event],
        chunk: Chunk | None,
        stages_ms: dict[str, float],
    ) -> None:
        """Everything of one tick; `chunk` None when no inference answered this observation."""
        if self._stamp_ns is None:
            self._begin(observation)
        self._stamp_ns = stamp = observation.stamp_ns
        for name, frame in observation.cameras.items():
            self._camera(name, frame)
        base = self._arm.base_link
        joints = cdr.joint_states(observation.joints, observation.gripper, self._arm, stamp)
        self._put(topics.JOINT_STATES, joints, stamp)
        self._put(topics.EE_POSE, cdr.pose_stamped(observation.ee, stamp, base), stamp)
        self._put(topics.EE_POSE_COMMANDED, cdr.pose_stamped(observation.ee_commanded, stamp, base), stamp)
        self._put(topics.GRIPPER_STATE, cdr.gripper_state(observation.gripper, base, stamp), stamp)
        self._json("/facts", facts, facts.stamp_ns)
        for event in events:
            self._json("/events", event, event.stamp_ns)
        if chunk is not None:
            self._json("/action", chunk_to_json(chunk), stamp)
        self._json("/stages", stages_ms, stamp)

    def verdict(self, verdict: Verdict) -> None:
        self._json("/verdict", verdict, self._stamp_ns or 0)

    def close(self) -> None:
        self._writer.finish()
        self._stream.close()

    def abandon(self) -> None:
        """Closes the file as it is."""
        self._stream.close()

    def _begin(self, observation: Observation) -> None:
        stamp = observation.stamp_ns
        self._writer.add_metadata(
            "touchstone",
            {
                "schema": str(SCHEMA),
                "episode": self._spec.episode,
                "clock": observation.clock,
                "publish_time": "capture stamp on the world's clock, ns",
                "log_time": "wall clock, ns since 1970 UTC",
            },
        )
        self._json("/spec", self._spec, stamp)
        self._json("/instruction", observation.instruction, stamp)
        for name, frame in observation.cameras.items():
            transform = cdr.static_transform(
                frame.model.base_from_camera, stamp, self._arm.base_link, topics.optical_frame(name)
            )
            self._put("/tf_static", transform, stamp)

    def _camera(self, name: str, frame: CameraFrame) -> None:
        bgr = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        stamp, frame_id = frame.stamp_ns, topics.optical_frame(name)
        self._put(topics.compressed_image(name), cdr.compressed_image(jpeg, stamp, frame_id), stamp)
        self._put(topics.camera_info(name), cdr.camera_info(frame.model, stamp, frame_id), stamp)

    def _json(self, topic: str, data, stamp_ns: int) -> None:
        self._put(topic, cdr.string(encode(topic[1:], data)), stamp_ns)

    def _put(self, topic: str, message, stamp_ns: int) -> None:
        if topic not in self._channels:
            self._channels[topic] = self._writer.register_channel(topic, "cdr", self._schema(message.__msgtype__))
        self._writer.add_message(self._channels[topic], time.time_ns(), cdr.serialise(message), stamp_ns)

    def _schema(self, type_name: str) -> int:
        if type_name not in self._schemas:
            text = cdr.definition(type_name).encode()
            self._schemas[type_name] = self._writer.register_schema(type_name, "ros2msg", text)
        return self._schemas[type_name]


def _add(log: EpisodeLog, topic: str, text: str) -> None:
    if topic == "/facts":
        log.facts.append(decode_record("facts", text, Facts))
    elif topic == "/events":
        log.events.append(decode_record("events", text, Event))
    elif topic == "/action":
        log.chunks.append(chunk_from_json(decode("action", text)))
    elif topic == "/stages":
        log.stages_ms.append(decode("stages", text))
    elif topic == "/verdict":
        log.verdict = decode_record("verdict", text, Verdict)
