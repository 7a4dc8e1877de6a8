"""What every script of INT-ACT shares as a policy."""

from __future__ import annotations

from policy_server.policies.int_act.moves import Script, action_towards
from policy_server.policies.int_act.view import View
from touchstone.errors import PolicyFailure, UsageError
from touchstone.policy import Chunk, PolicyContract
from touchstone.spec import Brief
from touchstone.tasks.int_act.suite import SuiteTask, suite
from touchstone.tasks.int_act.task import FAMILY
from touchstone.world import Observation


def is_int_act(task: str) -> bool:
    """Whether a task's name is that of one of INT-ACT's."""
    return task.startswith(f"{FAMILY}:")


class ScriptPolicy:
    """Carries out `script` with the simulator's knowledge; journalled as privileged. A subclass gives both."""

    contract: PolicyContract

    def __init__(self) -> None:
        self._script: Script | None = None

    def session(self) -> ScriptPolicy:
        return type(self)()

    def reset(self, brief: Brief) -> None:
        if not is_int_act(brief.task):
            raise UsageError(
                f"{self.contract.name} knows INT-ACT's tasks alone, not {brief.task}; use --policy expert."
            )
        self._rate_hz = brief.rate_hz
        self._view = View()
        self._script = self.script(suite().task(brief.task.partition(":")[2]), self._view)

    def infer(self, observation: Observation) -> Chunk:
        if self._script is None:
            raise PolicyFailure(f"{self.contract.name} was asked before its first episode began; call reset first.")
        self._view.look(observation)
        return action_towards(observation, next(self._script), self._rate_hz)

    def script(self, task: SuiteTask, view: View) -> Script:
        """What to aim at, tick by tick, for as long as it is asked."""
        raise NotImplementedError
