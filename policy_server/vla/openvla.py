# /// script
# requires-python = ">=3.10,<3.12"
# dependencies = [
#     "transformers==4.40.1",
#     "tokenizers==0.19.1",
#     "timm==0.9.10",
#     "torch==2.2.0",
#     "torchvision==0.17.0",
#     "accelerate==0.30.1",
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
"""Serves OpenVLA (openvla/openvla-7b and models fine-tuned from it, in their Hugging Face form)."""

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
from policy_server.vla.options import BridgeOptions, from_address
from policy_server.vla.pictures import area
from policy_server.vla.running import run
from touchstone.errors import UsageError
from touchstone.spec import Brief
from touchstone.world import Observation

SIZE = 224

#: what it was trained with; its authors' evaluators put the instruction into lower case (openvla_utils.py)
PROMPT = "In: What action should the robot take to {instruction}?\nOut:"


class OpenVlaOptions(BridgeOptions):
    """For OpenVLA."""

    unnorm_key: str = "bridge_orig"
    """whose statistics turn its tokens into metres and radians"""


def connect(url: str, timeout_s: float | None = None) -> VlaPolicy:
    """The policy of `openvla://CHECKPOINT?...`, loaded here; loading takes what it takes, whatever `timeout_s` says.

    Raises UsageError or MissingPart.
    """
    return VlaPolicy(load(from_address(url, OpenVlaOptions)))


def load(options: OpenVlaOptions) -> OpenVla:
    """Loads processor and weights. Raises MissingPart without the libraries, else UsageError."""
    with loading("openvla", options):
        import torch
        from transformers import AutoModelForVision2Seq, AutoProcessor

        where = {"revision": options.revision, "trust_remote_code": True}
        processor = AutoProcessor.from_pretrained(options.checkpoint, **where)
        weights = AutoModelForVision2Seq.from_pretrained(
            options.checkpoint, torch_dtype=torch.bfloat16, low_cpu_mem_usage=True, **where
        )
        return OpenVla(weights.to(torch_device(options.device)).eval(), processor, options, torch.bfloat16)


class OpenVla:
    """Implements Model. weights: with `predict_action` and `norm_stats`; processor: called with prompt and picture."""

    def __init__(self, weights: Any, processor: Any, options: OpenVlaOptions, dtype: Any) -> None:
        if options.unnorm_key not in weights.norm_stats:
            raise UsageError(
                f"'{options.checkpoint}' has no statistics '{options.unnorm_key}'; set unnorm_key to one of: "
                f"{', '.join(weights.norm_stats)}."
            )
        self._weights, self._processor, self._options, self._dtype = weights, processor, options, dtype
        self.contract = bridge_contract(
            "openvla",
            options.checkpoint,
            options,
            SIZE,
            normalisation_key=options.unnorm_key,
            prompt_template=PROMPT,
        )

    def begin(self, brief: Brief) -> None:
        return None

    def answer(self, memories: Sequence[None], observations: Sequence[Observation]) -> list[Actions]:
        return [self._answer(observation) for observation in observations]

    def _answer(self, observation: Observation) -> Actions:
        picture = Image.fromarray(area(observation.cameras[self._options.camera].image, SIZE, SIZE))
        prompt = PROMPT.format(instruction=observation.instruction.lower())
        inputs = self._processor(prompt, picture).to(self._weights.device, dtype=self._dtype)
        # the published method turns tokens into physical numbers itself, greedily, one picture at a time
        raw = self._weights.predict_action(**inputs, unnorm_key=self._options.unnorm_key, do_sample=False)
        return to_actions(np.asarray(raw, dtype=np.float64)[None])


if __name__ == "__main__":
    raise SystemExit(run("openvla", OpenVlaOptions, load))
