"""What must not grow, and what must never break, over many turns."""

import random
import resource

import numpy as np
import pytest

from policy_server.wire import Header, WireError, pack, unpack
from touchstone.robots.wx250s import ARM
from touchstone.tasks.emoji.touch import TouchEmoji
from touchstone.world import WorldRequest

pytestmark = pytest.mark.long

MIB = 1024  # ru_maxrss is in KiB


def test_the_twin_does_not_grow_over_hundreds_of_resets():
    from sim_twin.world import make_world

    world, task = make_world(WorldRequest("wx250s", "grinningface")), TouchEmoji()

    def play(first: int, last: int) -> int:
        for index in range(first, last):
            world.reset(task.plan("train", 0, index, ARM))
            world.observe()
            world.advance(1_000_000_000)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    # by then every texture of the split is on the device
    settled = play(0, 200)
    assert play(200, 500) - settled < 60 * MIB
    world.close()


def test_half_a_million_damaged_messages_raise_nothing_but_wire_errors():
    draw = random.Random(0)
    header = Header(op="infer", id=1, session="s", budget_ms=10.0, body={"a": [1, 2.5, "x"]})
    whole = [bytes(frame) for frame in pack(header, {"image": np.arange(48, dtype=np.uint8).reshape(4, 4, 3)})]
    survived = 0
    for _ in range(500_000):
        frames = [bytearray(frame) for frame in whole]
        for _ in range(draw.randint(1, 4)):
            frame = draw.choice(frames)
            what = draw.random()
            if frame and what < 0.7:
                frame[draw.randrange(len(frame))] = draw.randrange(256)
            elif what < 0.85:
                del frame[draw.randrange(len(frame) + 1) :]
            else:
                frame += bytes(draw.randrange(256) for _ in range(draw.randint(1, 8)))
        try:
            unpack([bytes(frame) for frame in frames])
            survived += 1
        except WireError:
            pass
    assert survived < 500_000
