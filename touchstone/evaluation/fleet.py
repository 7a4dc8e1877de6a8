"""Many episodes at once in one process, for a policy that answers several observations in one go.

Every episode is carried out by the same code as alone; it only halts where it asks the policy or lets its world move
on. When all have halted, what they ask is answered together: one inference for all that want one, one step for all that
move on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from touchstone.data.journal import EpisodeLine
from touchstone.errors import ContractMismatch, PolicyFailure
from touchstone.evaluation.fleet_worlds import WorldsInStep
from touchstone.evaluation.hands import Alone, Hands, Setup
from touchstone.evaluation.routine import Routine
from touchstone.policy import Chunk, Policy, PolicyContract, Prior, SharedPolicy, Timing
from touchstone.spec import Brief, Spec
from touchstone.world import Observation, World

#: who carries out one episode in a member world with a member's policy; a session's options are in it
OpenHands = Callable[[World, Policy], Hands]


def check_shared(policy: Policy) -> None:
    """Raises ContractMismatch, in one sentence, for a policy that cannot serve several episodes at once."""
    contract = policy.contract
    if not isinstance(policy, SharedPolicy):
        raise ContractMismatch(
            f"Policy '{contract.name}' serves one episode at a time (it has no `session`); use --workers for several "
            "at once, or give the policy `session` and `infer_batch`."
        )
    if contract.batch > 1 and not callable(getattr(policy, "infer_batch", None)):
        raise ContractMismatch(
            f"Policy '{contract.name}' says that it takes {contract.batch} observations at once and has no "
            "`infer_batch`; write it, or declare batch=1."
        )


class Fleet:
    """As many episodes at once as there are worlds, with one policy; owns neither.

    A policy whose contract says `batch` is asked for up to that many chunks at once, one that only shares its weights
    (`session`) for one after the other. Facts, pictures and verdicts of an episode are those that it has alone, if the
    policy's answer does not depend on what else is in its batch; its stages' times hold the waiting for the others. An
    episode that ends is replaced by the next; where worlds reset together, when all have ended.
    Raises ContractMismatch as `check_shared` does.
    """

    def __init__(self, worlds: WorldsInStep, policy: Policy, open_hands: OpenHands = Alone) -> None:
        check_shared(policy)
        self._worlds, self._contract, self._policy = worlds, policy.contract, policy
        self._policies = [policy.session() for _ in worlds.members]
        self._open_hands = open_hands

    def setup(self) -> Setup:
        return self._open_hands(self._worlds.members[0], self._policies[0]).setup()

    def run(self, out: Path, specs: Iterable[Spec]) -> Iterator[EpisodeLine]:
        waiting, together = iter(specs), self._worlds.resets_together
        routines = {
            place: Routine(partial(self._play, place, out, waiting), name=f"episodes-{place}")
            for place in range(len(self._policies))
        }
        asked: dict[int, Any] = {}
        failures: list[Exception] = []

        def resume(answers: dict[int, Any]) -> None:
            for place, answer in answers.items():
                try:
                    asked[place] = routines[place].resume(answer)
                except Exception as error:
                    # raised later: another episode may just have ended, and its line must not be lost
                    failures.append(error)
                if not routines[place].alive:
                    del asked[place]

        try:
            asked |= dict.fromkeys(routines)
            resume(dict.fromkeys(routines))
            while asked or failures:
                lines = _only(EpisodeLine, asked)
                yield from lines.values()
                if failures:
                    raise failures[0]
                # worlds move on only when nobody has anything else to do, so that all move on together
                if lines:
                    resume(dict.fromkeys(lines))
                elif (starts := _only(_Start, asked)) and (len(starts) == len(asked) or not together):
                    self._worlds.reset({place: start.spec for place, start in starts.items()})
                    resume(dict.fromkeys(starts))
                elif inferences := _only(_Inference, asked):
                    resume(self._answers(inferences))
                else:
                    moves = _only(_Move, asked)
                    self._worlds.advance({place: move.until_ns for place, move in moves.items()})
                    resume(dict.fromkeys(moves))
        finally:
            for routine in routines.values():
                routine.close()

    def _play(self, place: int, out: Path, waiting: Iterator[Spec], ask: Callable[[Any], Any]) -> None:
        world = _HaltingWorld(self._worlds.members[place], ask)
        hands = self._open_hands(world, _HaltingPolicy(self._policies[place], self._contract, ask))
        for spec in waiting:
            for line in hands.run(out, [spec]):
                ask(line)

    def _infer(self, places: list[int], observations: list[Observation]) -> Sequence[Chunk]:
        sessions = [self._policies[place] for place in places]
        if self._contract.batch == 1:
            return [sessions[0].infer(observations[0])]
        return self._policy.infer_batch(sessions, observations)

    def _answers(self, inferences: dict[int, _Inference]) -> dict[int, Chunk | Exception]:
        """The chunk for each member that asked, or what its inference raised."""
        answers: dict[int, Chunk | Exception] = {}
        places = list(inferences)
        for first in range(0, len(places), self._contract.batch):
            batch = places[first : first + self._contract.batch]
            started = time.perf_counter()
            try:
                chunks = self._infer(batch, [inferences[place].observation for place in batch])
                if len(chunks) != len(batch):
                    raise PolicyFailure(
                        f"Policy '{self._contract.name}' answered {len(batch)} observations with {len(chunks)} chunks."
                    )
            except Exception as error:
                answers |= dict.fromkeys(batch, error)
                continue
            infer_ms = (time.perf_counter() - started) * 1e3
            for place, chunk in zip(batch, chunks, strict=True):
                answers[place] = _timed(chunk, (started - inferences[place].asked_s) * 1e3, infer_ms)
        return answers


def _only(kind: type, asked: dict[int, Any]) -> dict[int, Any]:
    return {place: question for place, question in asked.items() if isinstance(question, kind)}


def _timed(chunk: Chunk, queue_ms: float, infer_ms: float) -> Chunk:
    """queue_ms: until the batch began, waiting for the other episodes. infer_ms: of the whole batch."""
    # what is no chunk is refused where the answer is checked
    if not isinstance(chunk, Chunk):
        return chunk
    return replace(chunk, timing=Timing(round(queue_ms, 3), round(infer_ms, 3), round(queue_ms + infer_ms, 3)))


@dataclass(frozen=True)
class _Start:
    spec: Spec


@dataclass(frozen=True)
class _Inference:
    """asked_s: on `time.perf_counter`."""

    observation: Observation
    asked_s: float


@dataclass(frozen=True)
class _Move:
    until_ns: int


class _HaltingPolicy:
    """A member's policy as its episode sees it: an inference halts the episode until the batch is answered."""

    def __init__(self, policy: Policy, contract: PolicyContract, ask: Callable[[Any], Any]) -> None:
        self._policy, self.contract, self._ask = policy, contract, ask

    def reset(self, brief: Brief) -> None:
        self._policy.reset(brief)

    def infer(self, observation: Observation, prior: Prior | None = None) -> Chunk:
        # a batch has no place for what is being carried out; in-painting goes one by one
        if prior is not None:
            return self._policy.infer(observation, prior)
        return self._ask(_Inference(observation, time.perf_counter()))


class _HaltingWorld:
    """A member's world as its episode sees it: a start and each move halt it until the fleet carries them out."""

    def __init__(self, world: World, ask: Callable[[Any], Any]) -> None:
        self._world, self._ask = world, ask

    def reset(self, spec: Spec) -> None:
        self._ask(_Start(spec))

    def advance(self, until_ns: int) -> None:
        self._ask(_Move(until_ns))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)
