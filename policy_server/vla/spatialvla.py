# /// script
# requires-python = ">=3.10,<3.13"
# dependencies = [
#     "transformers==4.47.0",
#     "tokenizers==0.21.0",
#     "torch==2.5.1",
#     "torchvision==0.20.1",
#     "accelerate==1.0.1",
#     "numpy==1.26.4",
#     "scipy==1.14.1",
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
"""Serves SpatialVLA (IPEC-COMMUNITY/spatialvla-4b-224-sft-bridge and its siblings)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # a script's own folder comes first on the path, where octo.py and lerobot.py hide the libraries
    HERE = Path(__file__).resolve().parent
    sys.path[:] = [str(HERE.parents[1]), *(entry for entry in sys.path if Path(entry).resolve() != HERE)]

import numpy as np
from PIL import Image

from policy_server.vla.adapter import VlaPolicy, bridge_contract, loading, torch_device
from policy_server.vla.bridge import Actions, to_actions
from policy_server.vla.ensembling import TemporalEnsemble
from policy_server.vla.options import BridgeOptions, from_address
from policy_server.vla.pictures import area
from policy_server.vla.running import run
from touchstone.errors import UsageError
from touchstone.spec import Brief
from touchstone.world import Observation

SIZE = 224


class SpatialVlaOptions(BridgeOptions):
    """For SpatialVLA."""

    unnorm_key: str = "bridge_orig/1.0.0"
    """whose statistics turn its tokens into metres and radians"""
    temperature: float = -0.8
    """of the temporal ensemble; its authors' value, which weighs the newest prediction most"""


def connect(url: str, timeout_s: float | None = None) -> VlaPolicy:
    """The policy of `spatialvla://CHECKPOINT?...`, loaded here; loading takes what it takes, whatever `timeout_s` says.

    Raises UsageError or MissingPart.
    """
    return VlaPolicy(load(from_address(url, SpatialVlaOptions)))


def load(options: SpatialVlaOptions) -> SpatialVla:
    """Loads processor and weights. Raises MissingPart without the libraries, else UsageError."""
    with loading("spatialvla", options):
        import torch
        from transformers import AutoModel, AutoProcessor

        where = {"revision": options.revision or "main", "trust_remote_code": True}
        processor = AutoProcessor.from_pretrained(options.checkpoint, **where)
        weights = AutoModel.from_pretrained(options.checkpoint, torch_dtype=torch.bfloat16, **where)
        return SpatialVla(weights.to(torch_device(options.device)).eval(), processor, options)


class SpatialVla:
    """Implements Model. weights: with `predict_action`; processor: with `decode_actions`, `statistics` and
    `action_chunk_size`."""

    def __init__(self, weights: Any, processor: Any, options: SpatialVlaOptions) -> None:
        if options.unnorm_key not in processor.statistics:
            raise UsageError(
                f"'{options.checkpoint}' has no statistics '{options.unnorm_key}'; set unnorm_key to one of: "
                f"{', '.join(processor.statistics)}."
            )
        self._weights, self._processor, self._options = weights, processor, options
        self.contract = bridge_contract(
            "spatialvla", options.checkpoint, options, SIZE, normalisation_key=options.unnorm_key
        )

    def begin(self, brief: Brief) -> TemporalEnsemble:
        return TemporalEnsemble(self._processor.action_chunk_size, self._options.temperature)

    def answer(self, memories: Sequence[TemporalEnsemble], observations: Sequence[Observation]) -> list[Actions]:
        return [self._answer(*both) for both in zip(memories, observations, strict=True)]

    def _answer(self, ensemble: TemporalEnsemble, observation: Observation) -> Actions:
        picture = Image.fromarray(area(observation.cameras[self._options.camera].image, SIZE, SIZE))
        key = self._options.unnorm_key
        # the key also chooses the camera's intrinsics, which place the picture's points in space
        inputs = self._processor(
            images=[picture], text=observation.instruction, unnorm_key=key, return_tensors="pt", do_normalize=False
        )
        # the published method is greedy and moves its inputs to the weights itself
        tokens = self._weights.predict_action(inputs)
        predicted = np.asarray(self._processor.decode_actions(tokens, unnorm_key=key)["actions"], dtype=np.float64)
        # some published processors keep a leading axis of one
        return to_actions(ensemble.add(predicted.reshape(-1, predicted.shape[-1]))[None])


if __name__ == "__main__":
    raise SystemExit(run("spatialvla", SpatialVlaOptions, load))
