"""The thread in which the policy works, so that the server's front always answers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from policy_server.codec import encode_chunk
from policy_server.jobs import Job, JobQueue
from policy_server.wire import ErrorCode, Header, pack
from touchstone.errors import ContractMismatch, PolicyFailure
from touchstone.policy import Policy
from touchstone.policy_checks import check_answer, check_observation

log = logging.getLogger(__name__)


class PolicyWorker(threading.Thread):
    """Takes jobs until the queue closes; calls `answer(peer, frames, refused)` in this thread for each."""

    def __init__(self, policy: Policy, jobs: JobQueue, answer: Callable[[bytes, list[Any], bool], None]):
        super().__init__(name="policy", daemon=True)
        self._policy, self._jobs, self._answer = policy, jobs, answer
        self.busy = False

    def run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self.busy = True
            frames, refused = self._work(job)
            self.busy = False
            self._answer(job.peer, frames, refused)

    def _work(self, job: Job) -> tuple[list[Any], bool]:
        queue_ms = job.waited_ms()
        if job.expired():
            return refusal(job.header, "deadline", expired_sentence(job)), True
        started = time.perf_counter()
        try:
            if job.header.op == "reset":
                self._policy.reset(job.payload)
                return pack(reply_header(job.header)), False
            check_observation(self._policy.contract, job.payload)
            chunk = self._policy.infer(job.payload)
            infer_ms = (time.perf_counter() - started) * 1e3
            check_answer(self._policy.contract, job.payload, chunk)
            body, arrays = encode_chunk(chunk)
            timing = {"queue_ms": queue_ms, "infer_ms": infer_ms, "total_ms": job.waited_ms()}
            return pack(reply_header(job.header, {"chunk": body, "timing": timing}), arrays), False
        except ContractMismatch as error:
            return refusal(job.header, "contract", str(error)), True
        except PolicyFailure as error:
            log.error("%s", error)
            return refusal(job.header, "policy_error", str(error)), True
        except Exception as error:
            log.exception("the policy raised in %s", job.header.op)
            return refusal(
                job.header,
                "policy_error",
                f"Policy '{self._policy.contract.name}' raised {type(error).__name__} in {job.header.op}: "
                f"{' '.join(str(error).split())[:300]}; the server's log has the traceback.",
            ), True


def expired_sentence(job: Job) -> str:
    waited, budget = job.waited_ms(), job.header.budget_ms
    return f"The request waited {waited:.0f} ms for the policy and its budget was {budget:g} ms."


def reply_header(request: Header, body: dict | None = None) -> Header:
    """The header that answers `request`."""
    return Header.model_construct(op=request.op, id=request.id, session=request.session, body=body or {})


def refusal(request: Header, code: ErrorCode, sentence: str) -> list[Any]:
    """The frames that answer `request` with an error."""
    return pack(reply_header(request, {"sentence": sentence}).model_copy(update={"error": code}))
