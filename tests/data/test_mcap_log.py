from collections import Counter

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader

from tests.support.sessions import TICKS, episode, plan, write_session
from touchstone.cameras import preset
from touchstone.data.json_messages import chunk_from_json, chunk_to_json, decode, encode
from touchstone.data.mcap_log import EpisodeWriter, read_episode, read_images
from touchstone.errors import TouchstoneError
from touchstone.policy import Chunk
from touchstone.robots.wx250s import ARM

PER_TICK = {
    "/camera/scene/image_raw/compressed",
    "/camera/scene/camera_info",
    "/joint_states",
    "/ee_pose",
    "/ee_pose_commanded",
    "/gripper/state",
    "/facts",
    "/stages",
}


@pytest.fixture(scope="module")
def mcap(tmp_path_factory):
    out = write_session(tmp_path_factory.mktemp("session"), ["right"])
    return out / "episodes" / "val-s0-0000.mcap"


def decoded(path):
    with path.open("rb") as stream:
        yield from make_reader(stream, decoder_factories=[DecoderFactory()]).iter_decoded_messages()


def test_every_topic_is_there_and_ros_decoders_read_it(mcap):
    messages = list(decoded(mcap))
    counts = Counter(channel.topic for _, channel, _, _ in messages)
    assert {topic for topic in counts if counts[topic] == TICKS} == PER_TICK
    assert counts["/action"] == TICKS - 1
    assert {counts[topic] for topic in ("/spec", "/instruction", "/verdict", "/tf_static", "/events")} == {1}
    assert {(schema.encoding, channel.message_encoding) for schema, channel, _, _ in messages} == {("ros2msg", "cdr")}


def test_the_messages_carry_what_was_observed(mcap):
    ticks = episode(plan(0))
    model = preset("grinningface")
    by_topic = {}
    for _, channel, message, ros in decoded(mcap):
        by_topic.setdefault(channel.topic, []).append((message, ros))
    for (message, joints), tick in zip(by_topic["/joint_states"], ticks, strict=True):
        observation = tick.observation
        fingers = [ARM.gripper.finger_position(observation.gripper.opening)] * 2
        assert list(joints.name) == [*observation.joints.names, *ARM.gripper.joints]
        assert np.array_equal(joints.position, [*observation.joints.position, *fingers])
        stamp = joints.header.stamp.sec * 10**9 + joints.header.stamp.nanosec
        assert stamp == message.publish_time == observation.stamp_ns
    for (_, ros), tick in zip(by_topic["/ee_pose"], ticks, strict=True):
        pose = ros.pose
        back = [pose.position.x, pose.position.y, pose.position.z]
        back += [pose.orientation.w, pose.orientation.x, pose.orientation.y, pose.orientation.z]
        assert ros.header.frame_id == "base_link" and back == tick.observation.ee.to_list()
    _, info = by_topic["/camera/scene/camera_info"][0]
    assert (info.width, info.height) == (640, 480) and np.array_equal(info.k, model.K.ravel())


def test_pictures_survive_as_jpeg(mcap):
    images = read_images(mcap)
    assert len(images) == TICKS
    for image, tick in zip(images, episode(plan(0)), strict=True):
        original = tick.observation.cameras["scene"].image
        assert image.shape == original.shape and cv2.PSNR(image, original) > 30


def test_rosbags_reads_it_without_a_foreign_type_store(mcap):
    with AnyReader([mcap]) as reader:
        topics = {connection.topic for connection in reader.connections}
        connections = [c for c in reader.connections if c.topic == "/gripper/state"]
        values = [
            list(reader.deserialize(raw, c.msgtype).position) for c, _, raw in reader.messages(connections=connections)
        ]
    assert topics >= PER_TICK
    seen = [tick.observation.gripper for tick in episode(plan(0))]
    assert values == [[gripper.opening, gripper.width] for gripper in seen]


def test_ticks_keep_their_order_in_a_file_of_many_chunks(tmp_path):
    made = episode(plan(0), ticks=20)
    writer = EpisodeWriter(tmp_path / "noise.mcap", plan(0))
    noise = np.random.default_rng(0)
    for tick in made:
        tick.observation.cameras["scene"].image[:] = noise.integers(0, 256, (480, 640, 3), dtype=np.uint8)
        writer.tick(tick.observation, tick.facts, tick.events, tick.chunk, tick.stages_ms)
    writer.close()
    assert (tmp_path / "noise.mcap").stat().st_size > 5 * 2**20
    log = read_episode(tmp_path / "noise.mcap")
    assert log.facts == [tick.facts for tick in made] and log.verdict is None


number = st.floats(width=64, allow_nan=True, allow_infinity=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(number, min_size=6, max_size=6), min_size=1, max_size=4))
def test_chunks_come_back_exactly_even_when_not_finite(rows):
    actions = np.array(rows)
    chunk = Chunk(7, 10**15, 0.2, "target_delta", actions, actions[:, 0])
    text = encode("action", chunk_to_json(chunk))
    assert "NaN" not in text and "Infinity" not in text
    back = chunk_from_json(decode("action", text))
    assert np.array_equal(back.actions, actions, equal_nan=True)
    assert np.array_equal(back.gripper, actions[:, 0], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not JSON"),
        ("[1]", "not JSON"),
        ('{"schema":1,"kind":"spec","data":{}}', "'spec' message came"),
        ('{"schema":99,"kind":"facts","data":{}}', "has schema 99"),
    ],
)
def test_a_message_of_another_kind_or_schema_is_refused(text, complaint):
    with pytest.raises(TouchstoneError, match=complaint):
        decode("facts", text)
