"""Observations and chunks for property tests, and equality bit by bit."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from touchstone.cameras import CameraModel
from touchstone.geometry import Pose
from touchstone.policy import ACTION_WIDTH, Chunk, Timing
from touchstone.robots.base import arm
from touchstone.world import CameraFrame, GripperState, JointState, Observation

ARM = arm("wx250s")
JOINTS = len(ARM.joint_names)

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
stamps = st.integers(0, 10**18)


def vectors(size: int, elements=finite):
    return arrays(np.float64, size, elements=elements)


poses = st.builds(Pose, vectors(3), vectors(4))


@st.composite
def frames(draw) -> CameraFrame:
    height, width = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    model = CameraModel(width, height, draw(vectors(9)).reshape(3, 3), draw(vectors(5)), draw(poses))
    image = draw(arrays(np.uint8, (height, width, 3)))
    return CameraFrame(image, draw(stamps), draw(st.sampled_from(["sim", "monotonic"])), model, draw(st.booleans()))


@st.composite
def observations(draw) -> Observation:
    return Observation(
        id=draw(st.integers(0, 2**53)),
        episode=draw(st.text(st.characters(codec="utf-8"), max_size=20)),
        step=draw(st.integers(0, 1000)),
        stamp_ns=draw(stamps),
        clock="sim",
        cameras={name: draw(frames()) for name in draw(st.sampled_from([("scene",), ("scene", "wrist")]))},
        joints=JointState(ARM.joint_names, draw(vectors(JOINTS)), draw(vectors(JOINTS)), draw(vectors(JOINTS))),
        ee=draw(poses),
        ee_commanded=draw(poses),
        gripper=GripperState(draw(finite), draw(finite), draw(st.none() | finite)),
        instruction=draw(st.text(st.characters(codec="utf-8"), max_size=40)),
        temperatures=tuple(draw(st.lists(finite, max_size=3))),
    )


@st.composite
def chunks(draw, elements=finite) -> Chunk:
    kind = draw(st.sampled_from(sorted(ACTION_WIDTH)))
    width, length = ACTION_WIDTH[kind] or JOINTS, draw(st.integers(1, 5))
    return Chunk(
        answers=draw(st.integers(0, 2**53)),
        t0_ns=draw(stamps),
        dt=draw(st.floats(1e-3, 10.0)),
        kind=kind,
        actions=draw(arrays(np.float64, (length, width), elements=elements)),
        gripper=draw(vectors(length, elements)),
        frame=draw(st.sampled_from(["base", "camera"])),
        gripper_force=draw(st.none() | finite),
        terminate=draw(st.booleans()),
        timing=Timing(*draw(st.tuples(*[st.floats(0, 1e6)] * 3))),
    )


def assert_same(one, other, where: str = "") -> None:
    """Fails unless both are equal down to the last bit of every number."""
    if dataclasses.is_dataclass(one):
        assert type(one) is type(other), where
        for f in dataclasses.fields(one):
            assert_same(getattr(one, f.name), getattr(other, f.name), f"{where}.{f.name}")
    elif isinstance(one, np.ndarray):
        assert one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes(), where
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_same(one[key], other[key], f"{where}[{key}]")
    elif isinstance(one, float):
        assert np.float64(one).tobytes() == np.float64(other).tobytes(), where
    elif isinstance(one, tuple):
        assert len(one) == len(other), where
        for k, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_same(a, b, f"{where}[{k}]")
    else:
        assert one == other, where
