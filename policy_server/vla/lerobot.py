# /// script
# requires-python = "==3.12.*"
# dependencies = [
#     "lerobot[pi,smolvla]==0.6.1",
#     "numpy==2.2.6",
#     "scipy==1.16.3",
#     "pydantic==2.14.3",
#     "tyro==1.0.17",
#     "pyzmq==27.3.0",
#     "msgpack==1.2.4",
#     "msgspec==0.22.0",
#     "prometheus-client==0.26.0",
# ]
# ///
"""Serves LeRobot checkpoints: ACT, SmolVLA, pi0 and pi0.5, with LeRobot's own factory and processors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # a script's own folder comes first on the path, where octo.py and lerobot.py hide the libraries
    HERE = Path(__file__).resolve().parent
    sys.path[:] = [str(HERE.parents[1]), *(entry for entry in sys.path if Path(entry).resolve() != HERE)]

from typing import Literal

import numpy as np
from pydantic import Field

from policy_server.vla.adapter import VlaPolicy, loading, torch_device
from policy_server.vla.bridge import Actions, Polarity
from policy_server.vla.lerobot_features import Checkpoint, declared, features, to_chunk
from policy_server.vla.options import Options, from_address
from policy_server.vla.running import run
from touchstone.errors import UsageError
from touchstone.spec import Brief
from touchstone.world import Observation

#: whose `predict_action_chunk` was read: all without memory between calls
KINDS = ("act", "smolvla", "pi0", "pi05")


class LeRobotOptions(Options):
    """For LeRobot."""

    layout: Literal["touchstone", "bridge"] = "touchstone"
    """what its numbers mean: touchstone as `touchstone collect` writes them; bridge as INT-ACT's pi0 takes them"""
    action_kind: Literal["target_delta", "align2"] | None = None
    """what a rotation turns about: the commanded gripper or the measured one; the layout's own unless said"""
    rate_hz: float | None = Field(default=None, gt=0)
    """the control rate of its dataset; any for touchstone, 5 Hz for bridge unless said"""
    execute: int | None = Field(default=None, ge=1)
    """how many actions of a chunk are carried out; the checkpoint's n_action_steps unless said"""
    batch: int = Field(default=1, ge=1)
    """how many clients are answered at once, at most; over 1, the last digits depend on who else asks"""
    gripper: Literal["binary", "continuous"] = "binary"
    """binary: open over one half, else closed; continuous: the output itself, limited to 0..1"""
    gripper_polarity: Polarity = "open_is_one"
    """what 1 means to the model, in its state and in its actions"""


def connect(url: str, timeout_s: float | None = None) -> VlaPolicy:
    """The policy of `lerobot://CHECKPOINT?...`, loaded here; loading takes what it takes, whatever `timeout_s` says.

    Raises UsageError or MissingPart.
    """
    return VlaPolicy(load(from_address(url, LeRobotOptions)))


def load(options: LeRobotOptions) -> LeRobotModel:
    """Loads weights and processors. Raises MissingPart without LeRobot, else UsageError."""
    with loading("lerobot", options):
        from lerobot.configs import PreTrainedConfig
        from lerobot.policies.factory import get_policy_class, make_pre_post_processors
        from lerobot.processor.pipeline import ProcessorMigrationError

        where, revision = options.checkpoint, options.revision
        config = PreTrainedConfig.from_pretrained(where, revision=revision)
        if config.type not in KINDS:
            raise UsageError(f"'{where}' is a '{config.type}' policy; lerobot:// takes {', '.join(KINDS)}.")
        checkpoint = Checkpoint.of(config, options)
        config.device = torch_device(options.device)
        try:
            processors = make_pre_post_processors(
                config,
                pretrained_path=where,
                pretrained_revision=revision,
                preprocessor_overrides={"device_processor": {"device": config.device}},
            )
        except (FileNotFoundError, ProcessorMigrationError) as error:
            raise UsageError(
                f"'{where}' has no processors: it was saved by a LeRobot before 0.4; convert it with `python -m "
                f"lerobot.processor.migrate_policy_normalization --pretrained-path {where}`."
            ) from error
        weights = get_policy_class(config.type).from_pretrained(where, config=config, revision=revision)
        return LeRobotModel(weights, processors, checkpoint, options)


class LeRobotModel:
    """Implements Model. weights: a PreTrainedPolicy. processors: before and after it, as LeRobot saved them."""

    def __init__(
        self, weights: Any, processors: tuple[Any, Any], checkpoint: Checkpoint, options: LeRobotOptions
    ) -> None:
        self._weights, (self._before, self._after) = weights, processors
        self._checkpoint, self._options = checkpoint, options
        self.contract = declared(checkpoint, options)

    def begin(self, brief: Brief) -> Any:
        """The episode's generator of noise, so that an episode can be repeated."""
        import torch

        return torch.Generator().manual_seed(brief.seed % 2**63)

    def answer(self, memories: Sequence[Any], observations: Sequence[Observation]) -> list[Actions]:
        import torch

        rows = [features(self._checkpoint, observation, self._options) for observation in observations]
        batch: dict[str, Any] = {key: torch.from_numpy(np.stack([row[key] for row in rows])) for key in rows[0]}
        batch["task"] = [observation.instruction for observation in observations]
        with torch.inference_mode():
            chunks = self._after(self._weights.predict_action_chunk(self._before(batch), **self._noise(memories)))
        numbers = chunks.float().cpu().numpy().astype(np.float64)
        return [to_chunk(chunk, self._options) for chunk in numbers]

    def _noise(self, generators: Sequence[Any]) -> dict[str, Any]:
        """What a flow starts from, one draw from each episode's own generator; nothing for ACT, which has none."""
        import torch

        config = self._weights.config
        if not hasattr(config, "max_action_dim"):
            return {}
        shape = (config.chunk_size, config.max_action_dim)
        drawn = torch.stack([torch.randn(shape, generator=generator) for generator in generators])
        return {"noise": drawn.to(config.device)}


if __name__ == "__main__":
    raise SystemExit(run("lerobot", LeRobotOptions, load))
