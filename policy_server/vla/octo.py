# /// script
# requires-python = "==3.10.*"
# dependencies = [
#     "octo @ git+https://github.com/octo-models/octo@241fb3514b7c40957a86d869fecb7c7fc353f540",
#     "dlimp @ git+https://github.com/kvablack/dlimp@5edaa4691567873d495633f2708982b42edf1972",
#     "jax==0.4.20",
#     "jaxlib==0.4.20",
#     "flax==0.7.5",
#     "chex==0.1.85",
#     "optax==0.1.5",
#     "orbax-checkpoint==0.4.4",
#     "distrax==0.1.5",
#     "tensorflow==2.15.0",
#     "tensorflow-probability==0.23.0",
#     "tensorflow-hub==0.16.1",
#     "tensorflow-text==2.15.0",
#     "tensorflow-datasets==4.9.2",
#     "ml-collections==1.0.0",
#     "ml-dtypes==0.2.0",
#     "einops==0.8.0",
#     "transformers==4.38.2",
#     "numpy==1.24.3",
#     "scipy==1.12.0",
#     "opencv-python-headless==4.10.0.84",
#     "pillow==11.0.0",
#     "pydantic==2.14.3",
#     "tyro==1.0.17",
#     "pyzmq==27.3.0",
#     "msgpack==1.2.4",
#     "msgspec==0.22.0",
#     "prometheus-client==0.26.0",
# ]
# ///
"""Serves Octo (rail-berkeley/octo-small-1.5, octo-base-1.5, octo-small, octo-base)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # a script's own folder comes first on the path, where octo.py and lerobot.py hide the libraries
    HERE = Path(__file__).resolve().parent
    sys.path[:] = [str(HERE.parents[1]), *(entry for entry in sys.path if Path(entry).resolve() != HERE)]

from collections import deque
from dataclasses import dataclass

import numpy as np

from policy_server.vla.adapter import VlaPolicy, bridge_contract, loading
from policy_server.vla.bridge import ACTION, Actions, from_gaussian, to_actions
from policy_server.vla.ensembling import TemporalEnsemble
from policy_server.vla.options import BridgeOptions, from_address, is_folder
from policy_server.vla.pictures import smooth_lanczos
from policy_server.vla.running import run
from touchstone.errors import UsageError
from touchstone.spec import Brief
from touchstone.world import Observation

SIZE = 256

#: INT-ACT's configuration (octo.json): pictures that it sees, actions that it predicts, the plain mean of them
PICTURES, HORIZON, TEMPERATURE = 2, 4, 0.0


def connect(url: str, timeout_s: float | None = None) -> VlaPolicy:
    """The policy of `octo://CHECKPOINT?...`, loaded here; loading takes what it takes, whatever `timeout_s` says.

    Raises UsageError or MissingPart.
    """
    return VlaPolicy(load(from_address(url, BridgeOptions)))


def load(options: BridgeOptions) -> Octo:
    """Loads the model. Raises MissingPart without the libraries, else UsageError."""
    if options.device != "auto" or options.revision is not None:
        raise UsageError(
            "octo:// takes no device and no revision: JAX chooses the one (JAX_PLATFORMS), Octo the other."
        )
    with loading("octo", options):
        import jax
        from octo.model.octo_model import OctoModel

        where = options.checkpoint if is_folder(options.checkpoint) else f"hf://{options.checkpoint}"
        return Octo(OctoModel.load_pretrained(where), jax.random, options)


@dataclass
class Memory:
    """Of one episode. key: of JAX's randomness. task: the instruction for Octo, made at the first observation."""

    key: Any
    pictures: deque[np.ndarray]
    ensemble: TemporalEnsemble
    task: Any = None


class Octo:
    """Implements Model. weights: with `create_tasks` and `sample_actions`; randomness: with `PRNGKey` and `split`."""

    def __init__(self, weights: Any, randomness: Any, options: BridgeOptions) -> None:
        self._weights, self._randomness, self._options = weights, randomness, options
        self.contract = bridge_contract("octo", options.checkpoint, options, SIZE, normalisation_key="bridge")

    def begin(self, brief: Brief) -> Memory:
        key = self._randomness.PRNGKey(brief.seed % 2**32)
        return Memory(key, deque(maxlen=PICTURES), TemporalEnsemble(HORIZON, TEMPERATURE))

    def answer(self, memories: Sequence[Memory], observations: Sequence[Observation]) -> list[Actions]:
        return [self._answer(*both) for both in zip(memories, observations, strict=True)]

    def _answer(self, memory: Memory, observation: Observation) -> Actions:
        if memory.task is None:
            memory.task = self._weights.create_tasks(texts=[observation.instruction])
        memory.pictures.append(smooth_lanczos(observation.cameras[self._options.camera].image, SIZE, SIZE))
        pictures = np.stack(memory.pictures)[None]
        # the first picture comes alone, not padded: the mask is true for all that is there
        seen = {"image_primary": pictures, "timestep_pad_mask": np.ones(pictures.shape[:2], dtype=bool)}
        # a new key each time: Octo samples, and the same noise at every tick makes it worse (SimplerEnv, octo_model.py)
        memory.key, key = self._randomness.split(memory.key)
        normalised = np.asarray(self._weights.sample_actions(seen, memory.task, rng=key), dtype=np.float64)[0]
        raw = np.concatenate([from_gaussian(normalised[:, :6], ACTION), normalised[:, 6:7]], axis=1)
        return to_actions(memory.ensemble.add(raw)[None])


if __name__ == "__main__":
    raise SystemExit(run("octo", BridgeOptions, load))
