import pytest

from tests.support.pick_sessions import CARRIED, pick_facts
from tests.support.pick_sessions import TASK as PICK
from tests.support.sessions import TASK as TOUCH
from tests.support.sessions import episode, plan
from touchstone.facts import Fact
from touchstone.robots.wx250s import ARM
from touchstone.scoring.gap.stages import stages_of
from touchstone.tasks.base import Verdict
from touchstone.tasks.emoji.pick_rule import CUBE


def passed(task, spec, facts):
    return stages_of(task.name).passed(spec, facts, task.judge(spec, facts, []))


@pytest.mark.parametrize(("ending", "stages"), [("right", 3), ("wrong", 2), ("never", 0), ("beside", 0)])
def test_touch(ending, stages):
    spec = plan(0)
    assert passed(TOUCH, spec, [tick.facts for tick in episode(spec, ending)]) == stages


def test_a_gripper_that_comes_over_a_card_and_does_not_close():
    spec = plan(0)
    assert passed(TOUCH, spec, [tick.facts for tick in episode(spec, "right")][:-3]) == 1


@pytest.mark.parametrize(("ending", "stages"), [("r", 4), ("w", 3), ("p", 0), ("n", 0)])
def test_pick(ending, stages):
    spec = PICK.plan("val", 0, 0, ARM)
    assert passed(PICK, spec, pick_facts(spec, ending)) == stages


def test_a_cube_that_is_lifted_and_not_laid_down():
    spec = PICK.plan("val", 0, 0, ARM)
    assert passed(PICK, spec, pick_facts(spec, "r")[:CARRIED]) == 2


def test_a_gripper_that_comes_to_the_cube_and_does_not_lift_it():
    spec = PICK.plan("val", 0, 0, ARM)
    facts = pick_facts(spec, "n")
    there = Fact(value=facts[0].objects[CUBE].value, source="sim", frame="base")
    assert passed(PICK, spec, [facts[0].model_copy(update={"tcp": there}), *facts[1:]]) == 1


def test_a_task_that_is_not_built_in_has_execution_and_recognition():
    stages = stages_of("stack-cups")
    verdict = Verdict(execution=True, recognition=False, chosen="x", step=1, reason="")
    assert stages.names == ("execution", "recognition") and stages.passed(None, (), verdict) == 1


@pytest.mark.parametrize(
    ("intention", "grasp", "success", "stages"),
    [(False, False, False, 0), (True, False, False, 1), (True, True, False, 2), (True, False, True, 3)],
)
def test_a_task_of_int_act(intention, grasp, success, stages):
    values = {"intention": intention, "grasp": grasp, "success": success}
    recognition = True if success else None
    verdict = Verdict(execution=success, recognition=recognition, chosen=None, step=None, reason="", values=values)
    assert stages_of("int-act:widowx_stack_cube").passed(None, (), verdict) == stages


@pytest.mark.parametrize("task", [TOUCH, PICK])
def test_the_last_stage_is_success(task):
    spec = task.plan("val", 0, 0, ARM)
    facts = pick_facts(spec, "r") if task is PICK else [tick.facts for tick in episode(spec, "right")]
    assert passed(task, spec, facts) == len(stages_of(task.name).names)
