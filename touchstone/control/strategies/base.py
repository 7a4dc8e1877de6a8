"""The contract of a strategy: when a policy is asked, and what of its answer is commanded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from touchstone.errors import ContractMismatch, PolicyFailure
from touchstone.policy import Chunk, PolicyContract, Prior


@dataclass(frozen=True)
class Ask:
    """An inference is wanted. prior: what is being carried out meanwhile, for policies that fill in the rest."""

    prior: Prior | None = None


class Strategy(Protocol):
    """Decides from stamps alone; it has no clock, no thread and no world. One object lasts one episode.

    Stamps are those of the observations' clock [ns]. The caller has at most one inference under way that it still waits
    for; answers that it gave up on may come later, twice, or never. No strategy ever makes up an action: where nothing
    is left of what it handed on, the embodiment holds.
    """

    def begin(self, contract: PolicyContract, dt_ns: int) -> None:
        """Before the first observation; dt_ns: the control tick. Raises ContractMismatch for a policy that this
        strategy cannot serve."""

    def ask(self, now_ns: int) -> Ask | None:
        """Whether the policy is to be asked about the observation of `now_ns`; called when nothing is waited for."""

    def answer(self, chunk: Chunk, now_ns: int) -> Chunk | None:
        """What is to be commanded from `now_ns` on, now that this answer came; None to leave all as it is.

        Its elements are due at `t0_ns + k dt`, the first of them not later than now, and none of them is over. An
        answer to an older observation than the last one, or the same answer again, changes nothing.
        """


class NewestOnly:
    """Tells new answers from old ones and from repeats, by the ids of the observations that they answer."""

    def __init__(self) -> None:
        self._newest: int | None = None

    def admits(self, chunk: Chunk) -> bool:
        """Whether the chunk answers a later observation than any that was admitted before; it is admitted then."""
        if self._newest is not None and chunk.answers <= self._newest:
            return False
        self._newest = chunk.answers
        return True


def refuse_short_chunks(contract: PolicyContract, strategy: str) -> None:
    """Raises ContractMismatch for single actions, of which none is left to join to the next answer's."""
    if contract.chunk_length < 2:
        raise ContractMismatch(
            f"Policy '{contract.name}' answers one action at a time and the strategy '{strategy}' joins chunks of "
            "several; use --strategy receding."
        )


def refuse_other_rates(chunk: Chunk, dt_ns: int, strategy: str) -> None:
    """Raises PolicyFailure for a chunk whose elements cannot be matched with the control ticks one by one."""
    if round(chunk.dt * 1e9) != dt_ns:
        raise PolicyFailure(
            f"A chunk has an action every {chunk.dt:g} s, the control tick is {dt_ns / 1e9:g} s, and the strategy "
            f"'{strategy}' joins chunks action by action; answer at the control rate, or use --strategy receding."
        )
