"""INT-ACT's expert: brings the source to the target; in the negated task, takes it away and keeps it."""

from __future__ import annotations

from policy_server.policies.int_act.moves import Script
from policy_server.policies.int_act.script_policy import ScriptPolicy
from policy_server.policies.int_act.tasks import pick_and_keep, pick_and_place
from policy_server.policies.int_act.view import View
from touchstone.policy import PolicyContract
from touchstone.tasks.int_act.suite import SuiteTask


class IntActExpertPolicy(ScriptPolicy):
    """Every task of the suite; the registered `expert` uses it for these."""

    contract = PolicyContract(name="expert", version="3", needs_privileged=True)

    def script(self, task: SuiteTask, view: View) -> Script:
        source, target = task.objects.source, task.objects.target
        return pick_and_keep(view, source, target) if task.rule.negated else pick_and_place(view, source, target)
