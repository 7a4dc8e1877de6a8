from dataclasses import fields, is_dataclass, replace

import msgspec
import numpy as np
import pytest
from pydantic import BaseModel

from policy_server.bodies import ChunkBody, ObservationBody
from policy_server.codec import decode_chunk, decode_observation, encode_chunk, encode_observation, parse
from policy_server.wire import Header, WireError, pack, unpack
from tests.policy_server.samples import observation, privileged
from touchstone.policy import Chunk


def assert_same(a, b, where="observation"):
    assert type(a) is type(b), where
    if isinstance(a, BaseModel):
        assert a == b, where
    elif is_dataclass(a):
        for item in fields(a):
            assert_same(getattr(a, item.name), getattr(b, item.name), f"{where}.{item.name}")
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes(), where
    elif isinstance(a, dict):
        assert list(a) == list(b), where
        for key in a:
            assert_same(a[key], b[key], f"{where}[{key}]")
    elif isinstance(a, tuple):
        assert len(a) == len(b), where
        for k, pair in enumerate(zip(a, b, strict=True)):
            assert_same(*pair, f"{where}[{k}]")
    else:
        assert a == b, where


def through_the_wire(seen):
    body, arrays = encode_observation(seen)
    frames = [bytes(f) for f in pack(Header(op="infer", id=1, body=body), arrays)]
    header, back = unpack(frames)
    return decode_observation(parse(ObservationBody, header.body), back)


def full_observation():
    seen = observation(5, temperatures=(31.5, 0.1), privileged=privileged(), instruction="Touch 🐱.")
    frame = seen.cameras["scene"]
    depth = np.random.default_rng(0).integers(0, 65536, (480, 640), dtype=np.uint16)
    model = replace(frame.model, distortion=np.array([0.1, -1 / 3, 1e-9, 0.0, 7.0]))
    wrist = replace(frame, depth=depth, depth_scale=0.001, model=model, stale=True, image=frame.image[:, ::-1])
    gripper = replace(seen.gripper, force=1 / 7)
    cameras = seen.cameras | {"wrist": wrist}
    return replace(seen, cameras=cameras, gripper=gripper, history=(observation(3), observation(4, cameras=cameras)))


def test_everything_in_an_observation_survives_exactly():
    seen = full_observation()
    assert_same(through_the_wire(seen), seen)


def test_a_bare_observation_survives_exactly():
    seen = observation(1, cameras={})
    assert_same(through_the_wire(seen), seen)


def test_a_chunk_survives_exactly():
    values = np.random.default_rng(1)
    chunk = Chunk(
        answers=4,
        t0_ns=2**62 + 1,
        dt=0.1 + 0.2,
        kind="ee_abs",
        actions=values.normal(size=(3, 7)),
        gripper=values.random(3),
        gripper_force=1 / 3,
        terminate=True,
    )
    body, arrays = encode_chunk(chunk)
    header, back = unpack([bytes(f) for f in pack(Header(op="infer", id=1, body=body), arrays)])
    assert_same(decode_chunk(parse(ChunkBody, header.body), back), chunk)


def _without_picture(body, arrays):
    arrays.clear()


def _wrong_size(body, arrays):
    body["cameras"]["scene"]["width"] = 320


def _joint_missing(body, arrays):
    body["joint_effort"].pop()


def _short_pose(body, arrays):
    body["ee"].pop()


def _unknown_field(body, arrays):
    body["extra"] = 1


def _text_for_number(body, arrays):
    body["opening"] = "0.5"


def _broken_facts(body, arrays):
    body["privileged"] = {"spec": {}, "facts": {}}


@pytest.mark.parametrize(
    "damage",
    [
        _without_picture,
        _wrong_size,
        _joint_missing,
        _short_pose,
        _unknown_field,
        _text_for_number,
        _broken_facts,
    ],
)
def test_a_damaged_body_is_refused_in_one_sentence(damage):
    encoded, arrays = encode_observation(observation())
    body = msgspec.to_builtins(encoded)
    damage(body, arrays)
    with pytest.raises(WireError) as caught:
        decode_observation(parse(ObservationBody, msgspec.Raw(msgspec.msgpack.encode(body))), arrays)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
