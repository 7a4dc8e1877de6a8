"""What goes over the topics comes back bit by bit, and what does not fit is refused in one sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from robot_bridge import chunks as chunk_messages
from robot_bridge import observations as observation_messages
from robot_bridge import topics
from robot_bridge.assembly import Assembler
from robot_bridge.records import (
    ChunkInfo,
    ObservationIndex,
    Status,
    error_of,
    failure_of,
    from_string,
    to_string,
)
from robot_bridge.stamps import to_ns
from std_msgs.msg import String

from tests.ros.strategies import ARM, assert_same, chunks, finite, observations, stamps
from touchstone.data import cdr
from touchstone.errors import DeadlineExceeded, PolicyFailure, TouchstoneError, UsageError
from touchstone.policy import Chunk


def over_the_wire(message):
    return deserialize_message(serialize_message(message), type(message))


@settings(max_examples=60, deadline=None)
@given(observations(), stamps)
def test_an_observation_survives_its_topics_bit_by_bit(observation, stamp):
    index = over_the_wire(to_string(observation_messages.index_of(observation, "r-1", stamp)))
    messages = observation_messages.to_messages(observation, ARM, stamp)
    assert messages.keys() == observation_messages.message_types(tuple(observation.cameras)).keys()
    arrived = {topic: over_the_wire(message) for topic, message in messages.items()}
    assert {to_ns(message.header.stamp) for message in arrived.values()} == {stamp}
    read = observation_messages.to_observation(from_string(index, ObservationIndex), arrived)
    assert_same(observation, read)


@settings(max_examples=100, deadline=None)
@given(chunks(), stamps)
def test_a_chunk_survives_its_topics_bit_by_bit(chunk, stamp):
    trajectory, info = chunk_messages.to_messages(chunk, ARM, "r-1", stamp)
    assert type(trajectory) is chunk_messages.TRAJECTORY_TYPES[info.topic]
    arrived = over_the_wire(trajectory)
    assert to_ns(arrived.header.stamp) == stamp
    due = [to_ns(point.time_from_start) for point in arrived.points]
    assert due == [k * round(chunk.dt * 1e9) for k in range(chunk.length)]
    read = chunk_messages.to_chunk(arrived, from_string(over_the_wire(to_string(info)), ChunkInfo), ARM)
    assert_same(chunk, read)


@settings(max_examples=50, deadline=None)
@given(chunks(finite | st.sampled_from([float("nan"), float("inf"), float("-inf")])), stamps)
def test_actions_that_are_no_numbers_arrive_as_such_for_the_world_to_refuse(chunk, stamp):
    trajectory, info = chunk_messages.to_messages(chunk, ARM, "r-1", stamp)
    info = from_string(over_the_wire(to_string(info)), ChunkInfo)
    read = chunk_messages.to_chunk(over_the_wire(trajectory), info, ARM)
    np.testing.assert_array_equal(read.actions, chunk.actions)
    np.testing.assert_array_equal(read.gripper, chunk.gripper)


def delta(**changes) -> Chunk:
    turn = np.array([[0.01, 0, 0, 0, 0, 0.3]])
    return replace(Chunk(3, 400_000_000, 0.2, "target_delta", turn, np.ones(1)), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"actions": np.zeros((1, 5))},
        {"actions": np.zeros(6)},
        {"actions": np.zeros((0, 6)), "gripper": np.zeros(0)},
        {"gripper": np.ones(2)},
        {"gripper": np.ones((1, 1))},
        {"kind": "guess"},
        {"dt": float("nan")},
    ],
)
def test_a_chunk_that_no_trajectory_can_carry_is_the_policys_failure(changes):
    with pytest.raises(PolicyFailure):
        chunk_messages.to_messages(delta(**changes), ARM, "r-1", 0)


def test_a_trajectory_and_a_companion_that_contradict_each_other_are_refused():
    trajectory, info = chunk_messages.to_messages(delta(), ARM, "r-1", 0)
    with pytest.raises(TouchstoneError, match="turns otherwise"):
        chunk_messages.to_chunk(trajectory, info.model_copy(update={"rotation_vectors": ((0.0, 0.0, 0.2),)}), ARM)
    with pytest.raises(TouchstoneError, match="points"):
        chunk_messages.to_chunk(trajectory, info.model_copy(update={"gripper": (1.0, 1.0)}), ARM)


def test_joints_of_another_arm_are_refused():
    trajectory, info = chunk_messages.to_messages(
        delta(kind="joint_abs", actions=np.zeros((1, len(ARM.joint_names)))), ARM, "r-1", 0
    )
    trajectory.joint_names = [f"joint_{k}" for k in range(len(ARM.joint_names))]
    with pytest.raises(TouchstoneError, match="joint_0"):
        chunk_messages.to_chunk(trajectory, info, ARM)


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"schema":1,"kind":"offer","data":{}}', '{"schema":9,"kind":"status","data":{}}']
)
def test_a_string_that_is_not_the_expected_record_is_refused(text):
    with pytest.raises(TouchstoneError):
        from_string(String(data=text), Status)


@pytest.mark.parametrize("kind", [PolicyFailure, DeadlineExceeded, UsageError])
def test_an_error_keeps_its_class_sentence_and_exit_code_on_its_way_through_a_topic(kind):
    status = from_string(to_string(Status(request="r", failure=failure_of(kind("What went wrong.")))), Status)
    error = error_of(status.failure)
    assert (type(error), str(error), error.exit_code) == (kind, "What went wrong.", kind.exit_code)


def test_messages_are_joined_by_stamp_whatever_their_order():
    parts = Assembler()
    parts.add(2, topics.EE_POSE, "new")
    parts.add(1, topics.EE_POSE, "old")
    parts.add(1, topics.GRIPPER_STATE, "old")
    old, new = ({topics.EE_POSE: stamp, topics.GRIPPER_STATE: stamp} for stamp in (1, 2))
    assert parts.get(new) is None
    assert parts.missing(new) == [topics.GRIPPER_STATE]
    assert parts.get(old) == dict.fromkeys(old, "old")
    parts.forget_before(new)
    assert parts.get(old) is None
    parts.add(2, topics.GRIPPER_STATE, "new")
    assert parts.get(new) == dict.fromkeys(new, "new")


def test_a_topic_keeps_its_newest_messages_however_many_come():
    parts = Assembler(kept=4, fewer={"/picture": 2})
    for stamp in (5, 1, 2, 6, 3, 4):
        parts.add(stamp, "/state", stamp)
        parts.add(stamp, "/picture", stamp)
    assert [stamp for stamp in range(1, 7) if parts.get({"/state": stamp})] == [3, 4, 5, 6]
    assert [stamp for stamp in range(1, 7) if parts.get({"/picture": stamp})] == [5, 6]
    assert parts.get({"/state": 6, "/picture": 5}) == {"/state": 6, "/picture": 5}


@settings(max_examples=20, deadline=None)
@given(observations(), stamps)
def test_the_journal_writes_the_very_messages_of_the_graph(observation, stamp):
    """So that a session's MCAP and a bag recorded on the graph look the same to every tool."""
    live = observation_messages.to_messages(observation, ARM, stamp)
    kept = {
        topics.JOINT_STATES: cdr.joint_states(observation.joints, observation.gripper, ARM, stamp),
        topics.EE_POSE: cdr.pose_stamped(observation.ee, stamp, ARM.base_link),
        topics.GRIPPER_STATE: cdr.gripper_state(observation.gripper, ARM.base_link, stamp),
    }
    for name, frame in observation.cameras.items():
        kept[topics.camera_info(name)] = cdr.camera_info(frame.model, stamp, topics.optical_frame(name))
    for topic, message in kept.items():
        # as text, because NaN is not equal to itself
        assert str(deserialize_message(cdr.serialise(message), type(live[topic]))) == str(live[topic]), topic
