# /// script
# requires-python = ">=3.10,<3.13"
# dependencies = [
#     "transformers==4.49.0",
#     "torch==2.6.0",
#     "torchvision==0.21.0",
#     "open-clip-torch==2.32.0",
#     "accelerate==1.6.0",
#     "sentencepiece==0.2.0",
#     "protobuf==3.20.3",
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
"""Serves Magma (microsoft/Magma-8B)."""

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
from policy_server.vla.bridge import ACTION, Actions, from_bounds, to_actions
from policy_server.vla.options import BridgeOptions, from_address
from policy_server.vla.pictures import bicubic
from policy_server.vla.running import run
from touchstone.spec import Brief
from touchstone.world import Observation

SIZE = 224

#: INT-ACT's words for it (policy_wrapper.py), which are its authors'
SYSTEM = "You are agent that can see, talk and act."
PROMPT = "<image>\nWhat action should the robot take to {instruction}?"

#: the last tokens of the vocabulary are action bins: the centres of 256 edges from -1 to 1
EDGES = np.linspace(-1.0, 1.0, 256)
CENTRES = (EDGES[:-1] + EDGES[1:]) / 2.0

#: seven action tokens stand before the end token of its answer
ACTION_TOKENS = slice(-8, -1)


def connect(url: str, timeout_s: float | None = None) -> VlaPolicy:
    """The policy of `magma://CHECKPOINT?...`, loaded here; loading takes what it takes, whatever `timeout_s` says.

    Raises UsageError or MissingPart.
    """
    return VlaPolicy(load(from_address(url, BridgeOptions)))


def load(options: BridgeOptions) -> Magma:
    """Loads processor and weights. Raises MissingPart without the libraries, else UsageError."""
    with loading("magma", options):
        import torch
        from transformers import AutoModelForCausalLM, AutoProcessor

        where = {"revision": options.revision, "trust_remote_code": True}
        processor = AutoProcessor.from_pretrained(options.checkpoint, **where)
        weights = AutoModelForCausalLM.from_pretrained(
            options.checkpoint, torch_dtype=torch.bfloat16, low_cpu_mem_usage=True, **where
        )
        return Magma(weights.to(torch_device(options.device)).eval(), processor, options, torch.bfloat16)


def decode(tokens: np.ndarray, vocabulary: int) -> np.ndarray:
    """Action tokens int[7] as numbers in [-1, 1], float64[7]; the last token of the vocabulary is the lowest bin."""
    bins = vocabulary - np.asarray(tokens, dtype=np.int64) - 1
    return CENTRES[np.clip(bins, 0, len(CENTRES) - 1)]


class Magma:
    """Implements Model. weights: with `generate`; processor: called with `texts`; its tokenizer has a chat template."""

    def __init__(self, weights: Any, processor: Any, options: BridgeOptions, dtype: Any) -> None:
        self._weights, self._processor, self._options, self._dtype = weights, processor, options, dtype
        weights.generation_config.pad_token_id = processor.tokenizer.pad_token_id
        self.contract = bridge_contract(
            "magma", options.checkpoint, options, SIZE, normalisation_key="bridge", prompt_template=PROMPT
        )

    def begin(self, brief: Brief) -> None:
        return None

    def answer(self, memories: Sequence[None], observations: Sequence[Observation]) -> list[Actions]:
        return [self._answer(observation) for observation in observations]

    def _answer(self, observation: Observation) -> Actions:
        picture = Image.fromarray(bicubic(observation.cameras[self._options.camera].image, SIZE, SIZE))
        inputs = self._processor(images=picture, texts=self._prompt(observation.instruction), return_tensors="pt")
        for name in ("pixel_values", "image_sizes"):
            inputs[name] = inputs[name].unsqueeze(0)
        inputs = inputs.to(self._weights.device).to(self._dtype)
        tokens = self._weights.generate(**inputs, do_sample=False, num_beams=1, max_new_tokens=1000, use_cache=False)
        normalised = decode(tokens[0, ACTION_TOKENS].cpu().numpy(), self._processor.tokenizer.vocab_size)
        # the gripper is scaled with the rest: its percentiles are 0 and 1
        return to_actions(from_bounds(normalised, ACTION)[None])

    def _prompt(self, instruction: str) -> str:
        talk = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": PROMPT.format(instruction=instruction)},
        ]
        prompt = self._processor.tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True)
        if self._weights.config.mm_use_image_start_end:
            prompt = prompt.replace("<image>", "<image_start><image><image_end>")
        return prompt


if __name__ == "__main__":
    raise SystemExit(run("magma", BridgeOptions, load))
