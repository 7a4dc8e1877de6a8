"""The expert, batched: it carries out tasks without looking, so that fleets are tested without pictures too."""

from __future__ import annotations

from policy_server.policies.card_matcher import CardMatcherPolicy
from policy_server.policies.expert import ExpertPolicy


def batching(policy: type, most: int) -> type:
    """A policy class that answers up to `most` sessions of `policy` at once, by asking one after the other."""

    class Batching(policy):
        contract = policy.contract.model_copy(update={"batch": most})

        def __init__(self):
            super().__init__()
            self.batches: list[int] = []

        def session(self):
            return policy()

        def infer_batch(self, sessions, observations):
            self.batches.append(len(observations))
            return [one.infer(observation) for one, observation in zip(sessions, observations, strict=True)]

    return Batching


BatchingExpert = batching(ExpertPolicy, 4)
BatchingMatcher = batching(CardMatcherPolicy, 16)


class SharedExpert(ExpertPolicy):
    """Shares, and takes one observation at a time."""

    def session(self):
        return ExpertPolicy()
