"""Where an openpi client's messages become the policy's work: episodes, deadlines, and a thread for the policy."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from policy_server.dialects.mapping import Mapping
from policy_server.dialects.openpi_observation import Place, observation_from, prompt_of
from policy_server.dialects.translate import rows_from
from touchstone.errors import DeadlineExceeded, PolicyFailure, TouchstoneError
from touchstone.policy import Policy
from touchstone.policy_checks import check_answer, check_observation
from touchstone.spec import Brief

log = logging.getLogger(__name__)

#: what a policy is told where the protocol says nothing
RATE_HZ = 5.0
STEP_LIMIT = 1_000_000


class Desk:
    """One policy and its present episode. For one event loop; the policy itself works in a thread."""

    def __init__(self, policy: Policy, mapping: Mapping):
        self._policy, self._mapping = policy, mapping
        self._episodes = self._number = self._step = 0
        self._instruction: str | None = None
        self._answered = False
        self._work: queue.SimpleQueue = queue.SimpleQueue()
        self._closing = asyncio.Event()
        self.busy = False
        # a daemon: a policy that hangs must not keep the process alive
        threading.Thread(target=self._run, name="policy", daemon=True).start()

    def next_client(self) -> None:
        """The next message begins an episode, whatever its prompt."""
        self._instruction = None

    def close(self) -> None:
        """Lets go of a client that waits."""
        self._closing.set()
        self._work.put(None)

    async def answer(self, fields: Any) -> dict[str, Any]:
        """What the client gets. Raises TouchstoneError, in one sentence."""
        instruction = prompt_of(self._mapping, fields)
        deadline = time.monotonic() + (self._mapping.budget_s if self._answered else self._mapping.first_budget_s)
        if instruction != self._instruction:
            self._instruction = None
            self._episodes, self._step = self._episodes + 1, 0
            await self._do("reset", lambda: self._policy.reset(self._brief(instruction)), deadline)
            self._instruction = instruction
        self._number += 1
        place = Place(self._number, f"openpi-{self._episodes:04d}", self._step)
        observation = observation_from(self._mapping, fields, instruction, place)
        check_observation(self._policy.contract, observation)
        started = time.monotonic()
        chunk = await self._do("infer", lambda: self._policy.infer(observation), deadline)
        infer_ms = (time.monotonic() - started) * 1e3
        check_answer(self._policy.contract, observation, chunk)
        self._step += 1
        self._answered = True
        (key,) = self._mapping.actions.keys
        return {key: rows_from(self._mapping, chunk), "server_timing": {"infer_ms": infer_ms}}

    def _brief(self, instruction: str) -> Brief:
        return Brief(
            episode=f"openpi-{self._episodes:04d}",
            task=self._mapping.task,
            instruction=instruction,
            rate_hz=self._mapping.rate_hz or RATE_HZ,
            step_limit=STEP_LIMIT,
            seed=self._episodes,
        )

    async def _do(self, what: str, work: Callable[[], Any], deadline: float) -> Any:
        name = self._policy.contract.name
        if self.busy:
            raise PolicyFailure(f"Policy '{name}' still works on what was asked before.")
        future = asyncio.get_running_loop().create_future()
        self.busy = True
        self._work.put((work, asyncio.get_running_loop(), future))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait(
                {future, closing},
                timeout=max(0.0, deadline - time.monotonic()),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            closing.cancel()
        if not future.done():
            future.cancel()
            if self._closing.is_set():
                raise PolicyFailure("The server ends.")
            raise DeadlineExceeded(f"Policy '{name}' did not finish '{what}' in its time.")
        try:
            return future.result()
        except TouchstoneError:
            raise
        except Exception as error:
            log.error("the policy raised in %s", what, exc_info=error)
            raise PolicyFailure(
                f"Policy '{name}' raised {type(error).__name__} in {what}: {' '.join(str(error).split())[:300]}; the "
                "server's log has the traceback."
            ) from error

    def _run(self) -> None:
        while (job := self._work.get()) is not None:
            work, loop, future = job
            result, error = None, None
            try:
                result = work()
            except Exception as raised:
                # a future takes no StopIteration
                error = RuntimeError(str(raised)) if isinstance(raised, StopIteration) else raised
            self.busy = False
            # the loop is closed when the server ended meanwhile
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: asyncio.Future, result: Any, error: Exception | None) -> None:
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
