"""Same scenes, other words: pairs, their test, and what may not be paired."""

import pytest

from tests.scoring.int_act.story_world import run_stories, suite_config
from touchstone.errors import TouchstoneError
from touchstone.scoring.int_act import score as scoring
from touchstone.scoring.int_act.language import language_of
from touchstone.scoring.int_act.score import scored_suite

CARROT, CUBE, CAN = "widowx_carrot_on_plate", "widowx_stack_cube", "widowx_coke_can_on_plate_clean"
POLITE = "paraphrase-3"


def course(spec) -> str:
    """The polite request fails in the first six scenes of a task, and in the sixth it alone succeeds."""
    if spec.index == 6:
        return "strict" if "please" in spec.instruction else "grasped"
    return "grasped" if "please" in spec.instruction and spec.index < 6 else "strict"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = tmp_path_factory.mktemp("words")
    run_stories(out, suite_config((CARROT, CUBE), episodes=8, wordings=(None, "paraphrase-1", POLITE)), course)
    return run_stories(out, suite_config((CAN,), episodes=8), course)


def test_wordings_are_compared_over_pairs_with_mcnemar_and_holm(out):
    language = scored_suite(out).scores.language
    assert language.reference == "suite" and language.words == ("suite", "paraphrase-1", POLITE)
    found = {(one.words, one.metric): one for one in language.overall}
    polite = found[POLITE, "success"]
    assert polite.paired.pairs.model_dump() == {"both": 2, "only_first": 2, "only_second": 12, "neither": 0}
    assert polite.paired.difference == pytest.approx(-10 / 16)
    # exact McNemar: 2 of 14 or fewer, two-sided
    assert polite.paired.p_value == pytest.approx(2 * (1 + 14 + 91) / 2**14)
    # the smallest two of six
    assert polite.p_holm == pytest.approx(6 * polite.paired.p_value)
    assert found["paraphrase-1", "success"].paired.difference == 0
    assert found[POLITE, "intention"].paired.discordant == 0
    assert {one.task for one in language.by_task} == {CARROT, CUBE}


def test_tables_are_of_the_suites_words_and_words_of_the_tasks_that_have_several(out):
    scores = scored_suite(out).scores
    assert scores.words == "suite" and scores.trials == 24
    assert scores.tasks[CARROT].success.successes == 7 and scores.tasks[CARROT].success.trials == 8
    assert set(scores.language.tasks) == {CARROT, CUBE}
    told = scores.language.tasks[CARROT]
    assert told[POLITE].instruction == "could you take the carrot and set it down on the plate, please?"
    assert (told["suite"].rates["success"].successes, told[POLITE].rates["success"].successes) == (7, 2)
    # alike in all wordings: but for the first seven of eight scenes of either task
    assert (scores.language.stable["success"].successes, scores.language.stable["success"].trials) == (2, 16)
    assert scores.language.stable["intention"].rate == 1


def test_ones_own_sentences_stand_beside_the_suites(tmp_path):
    run_stories(tmp_path, suite_config((CARROT,), episodes=2), course)
    assert scored_suite(tmp_path).scores.language is None
    run_stories(tmp_path, suite_config((CARROT,), episodes=2, instruction="bring {source}, please"), course)
    language = scored_suite(tmp_path).scores.language
    assert language.words[0] == "suite" and language.words[1].startswith("own-")
    assert language.tasks[CARROT][language.words[1]].instruction == "bring carrot, please"


def test_with_other_words_only_the_tables_are_of_those(tmp_path):
    run_stories(tmp_path, suite_config((CARROT,), episodes=1, wordings=("paraphrase-1",)), course)
    scores = scored_suite(tmp_path).scores
    assert scores.words == "paraphrase-1" and scores.trials == scores.planned == 1 and scores.language is None


def test_two_scenes_are_no_pair(out, monkeypatch):
    sessions = list(scored_suite(out).sessions)
    other = sessions[1]
    assert other.words == "paraphrase-1"
    line = other.record.lines[0]
    moved = line.model_copy(update={"spec": line.spec.model_copy(update={"layout": line.spec.layout[:1]})})
    record = scoring.SessionRecord(other.record.path, other.record.head, (moved, *other.record.lines[1:]))
    sessions[1] = scoring.SuiteSession(record, other.task, other.seed, other.words, other.stages_ms)
    with pytest.raises(TouchstoneError, match="is not the same scene in two wordings"):
        language_of(sessions)
