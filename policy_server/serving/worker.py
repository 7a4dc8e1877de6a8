"""The thread in which the policy works, so that the server's front always answers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from policy_server.bodies import InferReply, ResetReply, TimingBody
from policy_server.codec import encode_chunk
from policy_server.serving.host import digest
from policy_server.serving.jobs import Answer, Job, JobQueue, expired_sentence, refusal, reply_header
from policy_server.serving.tally import Tally
from policy_server.wire import ErrorCode, pack
from touchstone.errors import ContractMismatch, PolicyFailure
from touchstone.policy import Chunk, PolicyContract
from touchstone.policy_checks import check_answer, check_observation

log = logging.getLogger(__name__)

#: a batch waits for late companions at most this part of what an inference takes, and never longer than 5 ms
PATIENCE, PATIENCE_S = 0.2, 0.005


class PolicyWorker(threading.Thread):
    """Takes jobs until the queue closes, and answers them; only one thread at a time is in the policy."""

    def __init__(self, jobs: JobQueue, tally: Tally) -> None:
        super().__init__(name="policy", daemon=True)
        self._jobs, self._tally = jobs, tally
        self._turn = threading.Lock()
        self._usual_s = 0.0
        self.under_way: tuple[Job, ...] = ()

    def run(self) -> None:
        while (first := self._jobs.take()) is not None:
            with self._turn:
                self._serve(first)
            # pictures in shared memory go back to their client once nothing here holds them
            del first

    def accept(self, job: Job, here: bool) -> None:
        """Does the job in the calling thread if `here` and the policy is free, otherwise queues it."""
        job.seat.count(+1)
        if here and not len(self._jobs) and _contract(job).batch == 1 and self._turn.acquire(blocking=False):
            try:
                self._serve(job)
            finally:
                self._turn.release()
            return
        taken, expired = self._jobs.put(job)
        for old in expired:
            self._settle(old, _refuse(old, "deadline", expired_sentence(old)))
        if not taken:
            sentence = f"The policy is behind: {len(self._jobs)} requests wait already."
            self._settle(job, _refuse(job, "busy", sentence))

    def _serve(self, first: Job) -> None:
        self.under_way = (first, *self._companions(first))
        answers = {job: early for job in self.under_way if (early := self._early(job)) is not None}
        live = [job for job in self.under_way if job not in answers]
        if live:
            answers.update(self._infer(live))
        served, self.under_way = self.under_way, ()
        for job in served:
            self._settle(job, answers[job])

    def _settle(self, job: Job, answer: Answer) -> None:
        waited_s = job.waited_ms() / 1e3
        if answer.frames is not None:
            job.reply(answer.frames)
        # counted when the client has its answer already
        job.seat.count(-1)
        self._tally.settled(job.header.op, answer.code, waited_s, said=answer.frames is not None)

    def _companions(self, first: Job) -> list[Job]:
        table = first.seat.table
        most = table.policy.contract.batch - 1
        if most < 1 or first.header.op != "infer":
            return []
        patience_s = min(PATIENCE * self._usual_s, PATIENCE_S)
        return self._jobs.take_more(first, most, hoped=table.lively() - 1, patience_s=patience_s)

    def _early(self, job: Job) -> Answer | None:
        """The answer to a job that needs no inference; None for one that does."""
        if job.cancelled:
            return Answer(None)
        if job.expired():
            return _refuse(job, "deadline", expired_sentence(job))
        if job.header.op == "reset":
            return _guarded(job, _reset, job)
        refused = _guarded(job, check_observation, _contract(job), job.payload)
        return refused if isinstance(refused, Answer) else None

    def _infer(self, jobs: list[Job]) -> dict[Job, Answer]:
        waits_ms = [job.waited_ms() for job in jobs]
        started = time.perf_counter()
        chunks = _guarded(jobs[0], _chunks, jobs)
        infer_s = time.perf_counter() - started
        self._usual_s = 0.8 * self._usual_s + 0.2 * infer_s
        self._tally.inference(infer_s, len(jobs))
        if isinstance(chunks, Answer):
            sentence = (
                "The policy raised while it answered several clients together; the server's log has the traceback."
            )
            return {jobs[0]: chunks} | {job: _refuse(job, "policy_error", sentence) for job in jobs[1:]}
        return {
            job: _guarded(job, _reply, job, chunk, queue_ms, infer_s * 1e3)
            for job, chunk, queue_ms in zip(jobs, chunks, waits_ms, strict=True)
        }


def _reset(job: Job) -> Answer:
    job.seat.sit().reset(job.payload)
    return Answer(pack(reply_header(job.header, ResetReply(digest(_contract(job))))))


def _reply(job: Job, chunk: Chunk, queue_ms: float, infer_ms: float) -> Answer:
    check_answer(_contract(job), job.payload, chunk)
    if job.cancelled:
        return Answer(None)
    if job.expired():
        return _refuse(job, "deadline", expired_sentence(job))
    body, arrays = encode_chunk(chunk)
    timing = TimingBody(queue_ms, infer_ms, job.waited_ms())
    return Answer(pack(reply_header(job.header, InferReply(body, timing)), arrays))


def _guarded(job: Job, work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` returns, or the Answer that tells the client what it raised."""
    try:
        return work(*arguments)
    except ContractMismatch as error:
        return _refuse(job, "contract", str(error))
    except PolicyFailure as error:
        log.error("%s", error)
        return _refuse(job, "policy_error", str(error))
    except Exception as error:
        log.exception("the policy raised in %s", job.header.op)
        sentence = (
            f"Policy '{_contract(job).name}' raised {type(error).__name__} in {job.header.op}: "
            f"{' '.join(str(error).split())[:300]}; the server's log has the traceback."
        )
        return _refuse(job, "policy_error", sentence)


def _refuse(job: Job, code: ErrorCode, sentence: str) -> Answer:
    return Answer(refusal(job.header, code, sentence), code)


def _contract(job: Job) -> PolicyContract:
    return job.seat.table.policy.contract


def _chunks(jobs: list[Job]) -> Sequence[Chunk]:
    if len(jobs) > 1:
        chunks = jobs[0].seat.table.policy.infer_batch([job.seat.sit() for job in jobs], [job.payload for job in jobs])
        if len(chunks) != len(jobs):
            raise PolicyFailure(f"The policy gave {len(chunks)} answers to {len(jobs)} observations.")
        return chunks
    job = jobs[0]
    policy = job.seat.sit()
    if job.prior is not None and _contract(job).inpaints:
        return [policy.infer(job.payload, job.prior)]
    return [policy.infer(job.payload)]
