"""Other words for INT-ACT's instructions."""

import pytest

from touchstone.errors import UsageError
from touchstone.robots.wx250s import ARM
from touchstone.tasks.base import PlanOptions
from touchstone.tasks.int_act import wordings
from touchstone.tasks.int_act.objects import object_kind
from touchstone.tasks.int_act.suite import suite
from touchstone.tasks.int_act.task import IntAct
from touchstone.tasks.int_act.wordings import instruction_of, paraphrased, wordings_of, words_name


@pytest.mark.parametrize("id", paraphrased())
def test_paraphrases_are_all_different_and_name_both_objects(id):
    task = suite().task(id)
    told = [instruction_of(task, PlanOptions(wording=name)) for name in wordings_of(id)]
    assert told[0] == task.instruction and len(set(told)) == len(told) == 4
    # the words of the suite's own instruction but for articles and verbs
    nouns = set(task.instruction.split()) - {"put", "the", "on", "into", "stack"}
    for sentence in told[1:]:
        assert nouns <= set(sentence.replace(",", "").replace("?", "").split()), sentence


def test_all_tasks_that_are_told_plainly_have_paraphrases():
    plain = {task.id for task in suite().tasks.values() if task.family in ("original", "object_diversity")}
    assert set(paraphrased()) == plain
    assert wordings.who_has_paraphrases() == (
        "paraphrases are there for --tasks family:original family:object_diversity"
    )


def test_a_wording_changes_the_sentence_and_nothing_else():
    task = IntAct("widowx_stack_cube")
    one = task.plan("suite", 42, 3, ARM)
    other = task.plan("suite", 42, 3, ARM, options=PlanOptions(wording="paraphrase-2"))
    assert other.instruction == "on the yellow block, place the green block"
    assert other.model_copy(update={"instruction": one.instruction}) == one


def test_a_sentence_of_ones_own_names_the_objects_of_every_task():
    for task in suite().tasks.values():
        told = instruction_of(task, PlanOptions(instruction="{target} < {source}"))
        assert told == f"{object_kind(task.objects.target).label} < {object_kind(task.objects.source).label}"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (PlanOptions(instruction="  "), "is empty"),
        (PlanOptions(instruction="lift {thing} and {source}"), "leaves open thing;"),
        (PlanOptions(instruction="lift {"), "a single brace"),
        (PlanOptions(instruction="lift {}"), "only {source} and {target}"),
        (PlanOptions(wording="loud"), "has no wording 'loud'; it has: suite, paraphrase-1"),
    ],
)
def test_mistakes_are_one_sentence(options, says):
    with pytest.raises(UsageError) as error:
        IntAct("widowx_stack_cube").plan("suite", 0, 0, ARM, options=options)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_the_name_of_words_is_theirs_alone():
    assert words_name(None, None) == words_name("suite", None) == "suite"
    assert words_name("paraphrase-1", None) == "paraphrase-1"
    assert words_name(None, "a") == words_name(None, "a") != words_name(None, "b")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("wordings: {a: 'put {source}'}\ntasks: []", "'a' must name {source}, {where} and {target}"),
        (
            "wordings: {a: '{source} {where} {target}'}\ntasks: [{id: x, source: a, where: b, target: c}]",
            "no such task",
        ),
        ("wordings: {}\ntasks: []", "wordings"),
    ],
)
def test_a_malformed_table_is_one_sentence(tmp_path, text, says):
    path = tmp_path / "paraphrases.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        wordings._paraphrases.__wrapped__(path)
    assert says in str(error.value) and str(path) in str(error.value)
