"""What the clients of all dialects share: contract, budgets, and the way from an observation to a checked chunk."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from policy_server.dialects.address import Address
from policy_server.dialects.translate import Question, chunk_from, question
from policy_server.wire import WireError
from touchstone.errors import PolicyFailure, UsageError
from touchstone.policy import Chunk, Timing
from touchstone.policy_checks import check_answer
from touchstone.spec import Brief
from touchstone.world import Observation

CONNECT_S = 5.0


@dataclass(frozen=True)
class Answer:
    """rows: numbers[N,width], as the server wrote them. infer_ms: its own measure, 0 = none."""

    rows: np.ndarray
    infer_ms: float = 0.0


class RemotePolicy(ABC):
    """Implements Policy over another stack's server. For one thread. Subclasses speak the dialect."""

    def __init__(self, address: Address):
        self._address = address
        self._mapping = address.mapping
        self._brief: Brief | None = None
        self._answered = False
        self.contract = self._declare()

    def infer(self, observation: Observation, budget_ms: float | None = None) -> Chunk:
        """The chunk that answers this observation; total_ms is the round trip from here.

        budget_ms: for this call; unless said, the mapping's. Raises DeadlineExceeded, ContractMismatch, PolicyFailure.
        """
        if self._brief is None:
            raise PolicyFailure(f"The policy at {self._address.url} was asked before its first reset.")
        mapping = self._mapping
        unless_said = mapping.budget_s if self._answered else max(mapping.budget_s, mapping.first_budget_s)
        started = time.monotonic()
        budget_s = unless_said if budget_ms is None else budget_ms / 1e3
        with self._named():
            answer = self._ask(question(mapping, observation), started + budget_s)
            chunk = chunk_from(mapping, answer.rows, observation, self._brief.rate_hz)
        check_answer(self.contract, observation, chunk)
        self._answered = True
        total_ms = (time.monotonic() - started) * 1e3
        return replace(chunk, timing=Timing(infer_ms=answer.infer_ms, total_ms=total_ms))

    def reset(self, brief: Brief) -> None:
        """A new episode begins. Raises as `infer` does."""
        with self._named():
            self._begin(brief, time.monotonic() + self._mapping.first_budget_s)
        self._brief = brief

    @abstractmethod
    def close(self) -> None:
        """Ends the link; may be called twice."""

    @abstractmethod
    def _ask(self, asked: Question, deadline: float) -> Answer:
        """What the server answers. deadline: time.monotonic() [s]. May raise WireError for nonsense."""

    @abstractmethod
    def _begin(self, brief: Brief, deadline: float) -> None:
        """Tells the server of a new episode, in whatever way it knows."""

    def _declare(self, chunk_length: int | None = None):
        return self._mapping.contract(self._address.scheme, self._address.mapping_name, chunk_length)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except WireError as error:
            raise PolicyFailure(f"The server at {self._address.url} answered nonsense: {error}") from error


@contextmanager
def meeting(address: Address, start_with: str) -> Iterator[None]:
    """Makes the failure to meet a server the user's: the sentence says what did not answer and what to do."""
    try:
        yield
    except WireError as error:
        raise UsageError(f"What answers at {address.url} is no {address.scheme} server: {error}") from error
    except PolicyFailure as error:
        raise UsageError(f"{str(error).rstrip('.')}; {start_with}.") from error


def rows_of(values: object) -> np.ndarray:
    """numbers[N,D] of one array: [D] is one row, [1,N,D] a batch of one. Raises WireError for anything else."""
    if not isinstance(values, np.ndarray):
        raise WireError(f"Its actions are {type(values).__name__} and no array.")
    if values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if values.ndim not in (1, 2):
        raise WireError(f"Its actions have shape {values.shape}.")
    return np.atleast_2d(values)


def first_line(text: object, last: bool = False) -> str:
    """One line of a server's error text, cut to a readable length: the first that says something, or the last."""
    lines = [line.strip() for line in str(text).splitlines() if line.strip()] or ["it does not say why"]
    return lines[-1 if last else 0][:300]
