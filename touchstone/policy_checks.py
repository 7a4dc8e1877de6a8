"""Whether an observation and an answer are what the policy's contract says; asked around every inference.

What an answer's numbers are worth (finite, in range, reachable) is not judged here: a policy that puts out a NaN fails
its episode, not the session. The embodiment refuses such numbers, holds, and says why.
"""

from __future__ import annotations

from touchstone.errors import ContractMismatch, PolicyFailure
from touchstone.policy import Chunk, PolicyContract
from touchstone.safety.actions import form_problem
from touchstone.world import Observation


def check_observation(contract: PolicyContract, observation: Observation) -> None:
    """Raises ContractMismatch where the policy needs something that this observation lacks."""
    if contract.needs_privileged and observation.privileged is None:
        raise ContractMismatch(f"Policy '{contract.name}' needs privileged facts and there are none.")
    for need in contract.cameras:
        frame = observation.cameras.get(need.name)
        if frame is None:
            there = ", ".join(observation.cameras) or "no camera"
            raise ContractMismatch(
                f"Policy '{contract.name}' needs camera '{need.name}' and the observation has {there}."
            )
        height, width = frame.image.shape[:2]
        if need.resize == "none" and (width, height) != (need.width, need.height):
            raise ContractMismatch(
                f"Policy '{contract.name}' needs camera '{need.name}' at {need.width}x{need.height} and the "
                f"picture is {width}x{height}."
            )


def check_answer(contract: PolicyContract, observation: Observation, chunk: Chunk) -> None:
    """Raises PolicyFailure, in one sentence, for an answer that is not of the form that the contract declares."""

    def refuse(problem: str) -> None:
        where = f"step {observation.step}"
        raise PolicyFailure(f"Policy '{contract.name}' answered nonsense in {where}: {problem}.")

    if not isinstance(chunk, Chunk):
        refuse(f"a {type(chunk).__name__} instead of a Chunk")
    if chunk.kind != contract.action_kind:
        refuse(f"'{chunk.kind}' actions where its contract says '{contract.action_kind}'")
    problem = form_problem(chunk, len(observation.joints.names))
    if problem is not None:
        refuse(problem)
    if not contract.execute <= chunk.length <= contract.chunk_length:
        refuse(
            f"{chunk.length} actions where its contract says {contract.chunk_length}, of which "
            f"{contract.execute} are executed"
        )
    if chunk.answers != observation.id:
        refuse(f"it answers observation {chunk.answers} and was asked about {observation.id}")
