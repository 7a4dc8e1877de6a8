"""A model's weights become a policy: one object for each client, all on the same weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from policy_server.vla.bridge import Actions
from policy_server.vla.options import BridgeOptions, Options
from touchstone.errors import MissingPart, PolicyFailure, TouchstoneError, UsageError
from touchstone.policy import CameraNeed, Chunk, PolicyContract
from touchstone.spec import Brief
from touchstone.world import Observation


class Model(Protocol):
    """Weights and how they are asked; nothing in it belongs to one episode, so that clients can share it."""

    contract: PolicyContract

    def begin(self, brief: Brief) -> Any:
        """The memory of a new episode: random numbers, earlier pictures or predictions; None if there is none."""

    def answer(self, memories: Sequence[Any], observations: Sequence[Observation]) -> Sequence[Actions]:
        """The actions for each observation; at most `contract.batch` of them, each with its own episode's memory."""


class VlaPolicy:
    """Implements BatchPolicy on a Model; `infer_batch` is asked only where the contract's `batch` is over 1."""

    def __init__(self, model: Model) -> None:
        self.contract = model.contract
        self._model = model
        self._brief: Brief | None = None
        self._memory: Any = None

    def session(self) -> VlaPolicy:
        return VlaPolicy(self._model)

    def reset(self, brief: Brief) -> None:
        self._brief, self._memory = brief, self._model.begin(brief)

    def infer(self, observation: Observation) -> Chunk:
        return self.infer_batch([self], [observation])[0]

    def infer_batch(self, sessions: Sequence[VlaPolicy], observations: Sequence[Observation]) -> list[Chunk]:
        rates = [session._rate_hz() for session in sessions]
        answers = self._model.answer([session._memory for session in sessions], observations)
        return [
            Chunk(
                answers=observation.id,
                t0_ns=observation.stamp_ns,
                dt=1.0 / rate_hz,
                kind=self.contract.action_kind,
                actions=answer.actions,
                gripper=answer.gripper,
            )
            for observation, answer, rate_hz in zip(observations, answers, rates, strict=True)
        ]

    def _rate_hz(self) -> float:
        if self._brief is None:
            raise PolicyFailure(f"Policy '{self.contract.name}' was asked before its first reset; reset it first.")
        return self._brief.rate_hz


def bridge_contract(name: str, version: str, options: BridgeOptions, size: int, **fields: Any) -> PolicyContract:
    """The declaration of a model trained on Bridge V2: one picture `size` x `size`, stretched; a WidowX; 5 Hz."""
    return PolicyContract(
        name=name,
        version=version,
        cameras=(CameraNeed(name=options.camera, width=size, height=size, resize="stretch"),),
        action_kind=options.action_kind,
        rate_hz=options.rate_hz,
        embodiments=("wx250s",),
        **{"state": (), **fields},
    )


@contextmanager
def loading(scheme: str, options: Options) -> Iterator[None]:
    """Around the imports and the loading: whatever fails there becomes one sentence, MissingPart or UsageError."""
    try:
        yield
    except TouchstoneError:
        raise
    except ImportError as error:
        raise MissingPart(
            f"{scheme}:// lacks a library here, or its right version ({_line(error)}); serve it from an environment of "
            f"its own with `uv run policy_server/vla/{scheme}.py --checkpoint {options.checkpoint} --bind "
            "tcp://127.0.0.1:5555`, and evaluate with --policy tcp://127.0.0.1:5555."
        ) from error
    except Exception as error:
        raise UsageError(
            f"'{options.checkpoint}' could not be loaded as a model for {scheme}://: {type(error).__name__}: "
            f"{_line(error)}"
        ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def torch_device(name: str) -> str:
    """`auto` resolved to `cuda` or `cpu`. Needs torch."""
    import torch

    return name if name != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
