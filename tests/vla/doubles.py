"""Test doubles of published models: objects with the methods that the adapters call, and no weights.

They stand for the libraries' objects, record what they were given and answer what the test says; that a real checkpoint
answers is not shown by them.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Inputs(dict):
    """Stands for transformers' BatchFeature: a dict that is moved to a device or a dtype."""

    def to(self, *where: Any, **dtype: Any) -> Inputs:
        return self


class OpenVlaWeights:
    """Stands for OpenVLAForActionPrediction."""

    device = "cpu"
    norm_stats = {"bridge_orig": {}, "other": {}}  # noqa: RUF012

    def __init__(self, answer):
        self.answer, self.calls = np.asarray(answer, dtype=np.float64), []

    def predict_action(self, input_ids=None, unnorm_key=None, **kwargs):
        self.calls.append((unnorm_key, kwargs))
        return self.answer


class OpenVlaProcessor:
    """Stands for PrismaticProcessor."""

    def __init__(self):
        self.calls = []

    def __call__(self, text, images, **kwargs):
        self.calls.append((text, images))
        return Inputs(input_ids=[1], pixel_values=[2])


class SpatialVlaWeights:
    """Stands for SpatialVLAForConditionalGeneration; its tokens are the number of the call."""

    def __init__(self):
        self.count = 0

    def predict_action(self, model_inputs):
        self.count += 1
        return self.count - 1


class SpatialVlaProcessor:
    """Stands for SpatialVLAProcessor; decodes the k-th tokens to the k-th of `chunks`, [4,7] each."""

    action_chunk_size = 4
    statistics = {"bridge_orig/1.0.0": {}}  # noqa: RUF012

    def __init__(self, chunks):
        self.chunks, self.calls = chunks, []

    def __call__(self, images=None, text=None, unnorm_key=None, **kwargs):
        self.calls.append((images, text, unnorm_key, kwargs))
        return Inputs()

    def decode_actions(self, generation_outputs, unnorm_key=None):
        return {"actions": np.asarray(self.chunks[generation_outputs]), "action_ids": None}


class OctoWeights:
    """Stands for OctoModel; answers `chunks` in turn, with a leading axis for the batch."""

    def __init__(self, chunks):
        self.chunks, self.tasks, self.seen, self.keys = list(chunks), [], [], []

    def create_tasks(self, goals=None, texts=None):
        self.tasks.append(texts)
        return {"text": texts}

    def sample_actions(self, observations, tasks, rng=None):
        self.seen.append({key: np.array(value) for key, value in observations.items()})
        self.keys.append(rng)
        return np.asarray(self.chunks[len(self.seen) - 1])[None]


class Randomness:
    """Stands for jax.random: a key is a tuple that names its origin."""

    @staticmethod
    def PRNGKey(seed):
        return (seed,)

    @staticmethod
    def split(key):
        return (*key, "next"), (*key, "use")


def magma_policy(tokens, vocabulary):
    """A policy on a double of MagmaForCausalLM and its processor that answers `tokens`, and what they were given."""
    from types import SimpleNamespace

    import torch

    from policy_server.vla.adapter import VlaPolicy
    from policy_server.vla.magma import Magma
    from policy_server.vla.options import BridgeOptions

    given: dict[str, Any] = {}

    def template(talk, tokenize, add_generation_prompt):
        return "\n".join(part["content"] for part in talk)

    def process(images, texts, return_tensors):
        given.update(picture=images, text=texts)
        return Inputs(pixel_values=torch.zeros(1, 3, 4, 4), image_sizes=torch.zeros(1, 2))

    def generate(**kwargs):
        given["generate"] = kwargs
        return tokens

    tokenizer = SimpleNamespace(vocab_size=vocabulary, pad_token_id=0, apply_chat_template=template)

    class Processor:
        def __call__(self, **kwargs):
            return process(**kwargs)

    processor = Processor()
    processor.tokenizer = tokenizer
    weights = SimpleNamespace(
        generation_config=SimpleNamespace(pad_token_id=None),
        config=SimpleNamespace(mm_use_image_start_end=True),
        device="cpu",
        generate=generate,
    )
    return VlaPolicy(Magma(weights, processor, BridgeOptions(checkpoint="a/b"), "bfloat16")), given
