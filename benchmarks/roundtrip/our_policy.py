"""The policies that `touchstone serve` hosts here: one answers at once, one takes 20 ms for a batch of up to eight."""

from __future__ import annotations

import time
from collections.abc import Sequence

from roundtrip.payload import CAMERAS, CHUNK, HEIGHT, THINKING_S, WIDTH, chunk_for
from touchstone.policy import CameraNeed, Chunk, PolicyContract
from touchstone.spec import Brief
from touchstone.world import Observation


class Instant:
    """Answers at once."""

    contract = PolicyContract(
        name="instant",
        version="1",
        cameras=tuple(CameraNeed(name=name, width=WIDTH, height=HEIGHT) for name in CAMERAS),
        chunk_length=CHUNK[0],
    )

    def reset(self, brief: Brief) -> None:
        pass

    def session(self) -> Instant:
        return type(self)()

    def infer(self, observation: Observation) -> Chunk:
        return _answer(observation)


class Batching(Instant):
    """20 ms for one observation, 20 ms for eight."""

    contract = Instant.contract.model_copy(update={"name": "batching", "batch": 8})

    def infer(self, observation: Observation) -> Chunk:
        time.sleep(THINKING_S)
        return _answer(observation)

    def infer_batch(self, sessions: Sequence[Batching], observations: Sequence[Observation]) -> list[Chunk]:
        time.sleep(THINKING_S)
        return [_answer(observation) for observation in observations]


def _answer(observation: Observation) -> Chunk:
    actions = chunk_for(*(observation.cameras[name].image for name in CAMERAS))
    return Chunk(observation.id, observation.stamp_ns, 0.02, "target_delta", actions[:, :6], actions[:, 6])
