"""What both emoji tasks plan: layouts, wordings, the arm's start, and the records that protocol ID replays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.sessions import plan as recorded_plan
from tests.support.sessions import write_session
from touchstone.bench import CARD_SIDE, CUBE_SIDE, GRINNINGFACE_BENCH, TOUCH_BENCH
from touchstone.errors import UsageError
from touchstone.robots.base import arm
from touchstone.spec import Placement
from touchstone.tasks.base import PlanOptions
from touchstone.tasks.emoji import instructions
from touchstone.tasks.emoji.authors import AUTHORS_PROTOCOLS
from touchstone.tasks.emoji.card_task import ID, START_FARTHEST, START_SIGMA
from touchstone.tasks.emoji.combinations import read_record, record_digest
from touchstone.tasks.emoji.instructions import label_of
from touchstone.tasks.emoji.pick import PickEmoji
from touchstone.tasks.emoji.reach import COMFORTABLE_RADIUS, FARTHEST_FROM_CENTRE, aim_on_card, check_reach
from touchstone.tasks.emoji.splits import PROTOCOLS, split
from touchstone.tasks.emoji.table import emojis
from touchstone.tasks.emoji.touch import TouchEmoji

WIDOW, REALMAN = arm("wx250s"), arm("rm75")
TASKS = (TouchEmoji(), PickEmoji())
ARMS = (WIDOW, REALMAN)
PICK = PickEmoji()
APPLE, BANANA, CAT = (next(e for e in emojis() if e.name == name) for name in ("red apple", "banana", "cat"))

each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
each_arm = pytest.mark.parametrize("robot", ARMS, ids=lambda robot: robot.name)
some_task = st.sampled_from(TASKS)
some_arm = st.sampled_from(ARMS)
some_seed = st.integers(0, 2**32 - 1)
some_index = st.integers(0, 9999)


@pytest.fixture(autouse=True)
def _no_lists(tmp_path_factory, monkeypatch):
    """An assets folder with nothing in it."""
    monkeypatch.setenv("TOUCHSTONE_ASSETS", str(tmp_path_factory.mktemp("assets")))


def row(cards=(APPLE.char, BANANA.char, CAT.char), target=0) -> dict:
    return {**{f"card_{slot}": card for slot, card in enumerate(cards)}, "target": target}


def record(folder: Path, content, name: str = "record.json") -> str:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def refused(source: str) -> str:
    """The one sentence in which a record is refused."""
    with pytest.raises(UsageError) as caught:
        TASKS[0].plan(ID, 0, 0, WIDOW, options=PlanOptions(record=source))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def replayed(source: str, task=TASKS[0], count: int = 3, seed: int = 0) -> list:
    return [task.plan(ID, seed, index, WIDOW, options=PlanOptions(record=source)) for index in range(count)]


# --- what is planned ---


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some_task, some_arm, st.sampled_from(PROTOCOLS), some_seed, some_index)
def test_equal_arguments_give_equal_specs(task, robot, protocol, seed, index):
    spec = task.plan(protocol, seed, index, robot)
    assert spec == type(task)().plan(protocol, seed, index, robot)
    assert spec != task.plan(protocol, seed + 1, index, robot)
    assert spec.model_validate_json(spec.model_dump_json()) == spec
    cards = spec.choices
    chars = {emoji.char for emoji in split(protocol)}
    assert [card.name for card in cards] == ["card_0", "card_1", "card_2"]
    assert len({card.emoji for card in cards}) == 3 and {card.emoji for card in cards} <= chars
    assert label_of(spec.instruction) == spec.placement(spec.target).label
    assert {p.name for p in spec.layout if p.kind == "cube"} == ({"cube"} if task.name == PICK.name else set())


@each_task
@each_arm
def test_every_layout_is_within_reach(task, robot):
    """`plan` refuses what is not; here it never does, and the objects stay within their jitter."""
    bench = task.bench(robot)
    for index in range(100):
        layout = task.plan("hard", index // 10, index, robot).layout
        cards = [placement for placement in layout if placement.kind == "card"]
        assert np.abs(np.array([card.xy for card in cards]) - bench.card_centres).max() <= bench.jitter
        for cube in (placement for placement in layout if placement.kind == "cube"):
            assert (np.abs(np.array(cube.xy) - bench.cube_centre) <= bench.cube_jitter).all()


def test_the_jitter_is_used_up_to_its_edges():
    bench = PICK.bench(WIDOW)
    layouts = [PICK.plan("hard", 1, index, WIDOW).layout for index in range(150)]
    for slot in range(3):
        offsets = np.array([layout[slot].xy for layout in layouts]) - bench.card_centres[slot]
        assert (offsets.min(axis=0) < -0.8 * bench.jitter).all() and (offsets.max(axis=0) > 0.8 * bench.jitter).all()
    offsets = (np.array([layout[3].xy for layout in layouts]) - bench.cube_centre) / bench.cube_jitter
    assert (offsets.min(axis=0) < -0.8).all() and (offsets.max(axis=0) > 0.8).all()


def test_an_arm_picks_on_grinningfaces_bench_if_it_reaches_it():
    assert PICK.bench(WIDOW) is GRINNINGFACE_BENCH
    assert PICK.bench(REALMAN) is TOUCH_BENCH
    assert all(TASKS[0].bench(robot) is TOUCH_BENCH for robot in ARMS)
    assert PICK.plan("val", 0, 0, REALMAN).bench == TOUCH_BENCH.name


@pytest.mark.parametrize("bench", [GRINNINGFACE_BENCH, TOUCH_BENCH], ids=lambda bench: bench.name)
def test_cube_and_cards_never_overlap(bench):
    """Rectangles of the largest extent, jitter included; nothing is turned."""

    def extent(centre, jitter, side):
        half = np.broadcast_to(jitter, 2) + side / 2
        return np.array(centre) - half, np.array(centre) + half

    cards = [extent(centre, bench.jitter, CARD_SIDE) for centre in bench.card_centres]
    things = [*cards, extent(bench.cube_centre, bench.cube_jitter, CUBE_SIDE)]
    for number, (lower, upper) in enumerate(things):
        for other_lower, other_upper in things[:number]:
            assert (lower > other_upper).any() or (upper < other_lower).any()


@given(st.floats(0.2, 0.6), st.floats(-0.3, 0.3))
def test_where_a_card_is_acted_on_lies_on_it_towards_the_base(x, y):
    aim, radius = aim_on_card((x, y)), np.hypot(x, y)
    assert np.hypot(*(aim - (x, y))) <= FARTHEST_FROM_CENTRE + 1e-12
    assert np.hypot(*aim) <= radius + 1e-12
    if radius <= COMFORTABLE_RADIUS:
        assert np.allclose(aim, (x, y))
    assert abs(aim[0] * y - aim[1] * x) < 1e-12


@pytest.mark.parametrize("kind", ["card", "cube"])
def test_a_layout_out_of_reach_is_refused_by_name(kind):
    far = Placement(name="far_thing", kind=kind, label="thing", xy=(0.9, 0.1))
    near = Placement(name="near_thing", kind=kind, label="thing", xy=(0.35, 0.0))
    check_reach((near,), WIDOW, "val-s0-0000")
    with pytest.raises(UsageError, match=r"val-s0-0000: far_thing at x 0\.900, y 0\.100 m is out of the .* reach"):
        check_reach((near, far), WIDOW, "val-s0-0000")


# --- where the arm starts ---


@each_task
@each_arm
def test_a_random_start_is_near_the_ready_pose_and_a_fixed_one_is_it(task, robot):
    starts = np.array([task.plan("val", 0, index, robot).start for index in range(120)])
    assert (starts >= robot.limits.lower).all() and (starts <= robot.limits.upper).all()
    noise = starts - np.array(robot.ready)
    assert np.abs(noise).max() <= START_FARTHEST + 1e-12
    assert 0.85 * START_SIGMA < noise.std() < 1.15 * START_SIGMA
    assert len({tuple(start) for start in starts}) == len(starts)
    assert task.plan("val", 0, 0, robot, options=PlanOptions(arm_start="fixed")).start == tuple(robot.ready)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some_task, some_arm, some_seed, some_index)
def test_the_start_and_the_wording_change_nothing_else(task, robot, seed, index):
    plain = task.plan("val", seed, index, robot)
    for wording in task.wordings:
        other = task.plan("val", seed, index, robot, options=PlanOptions(arm_start="fixed", wording=wording))
        same = {"start": plain.start, "instruction": plain.instruction}
        assert other.model_copy(update=same) == plain


# --- what is asked ---


def test_the_sentences_are_the_papers_and_the_codes():
    def asked(task, wording):
        spec = task.plan("val", 0, 0, WIDOW, options=PlanOptions(wording=wording))
        return spec.instruction, spec.placement(spec.target).label

    sentence, label = asked(TASKS[0], "paper")
    assert sentence == f"Touch {label}."
    sentence, label = asked(PICK, "paper")
    assert sentence == f"Pick the cube and place it on {label}" == asked(PICK, None)[0]
    assert asked(PICK, "code")[0] == f"pick the block and place it on {label}"
    assert PICK.wordings == ("paper", "code") and TASKS[0].wordings == ("paper",)


@each_task
def test_an_unknown_wording_or_protocol_is_one_sentence(task):
    for call in (lambda o: task.plan("val", 0, 0, WIDOW, options=o), lambda o: task.material("val", o)):
        with pytest.raises(UsageError, match=f"Unknown wording 'rude'; {task.name} has: paper") as caught:
            call(PlanOptions(wording="rude"))
        assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match=r"Unknown protocol 'vale'.* has: id, train, val, hard"):
        task.plan("vale", 0, 0, WIDOW)


ODD_LABELS = (
    "Mrs. Claus",
    "T-Rex",
    "OK hand",
    "Japanese “no vacancy” button",
    "St. Bernard dog",
    "a . b",
    "on top",
    "1.5 l",
)


@pytest.mark.parametrize("wordings", [instructions.TOUCH, instructions.PICK], ids=["touch", "pick"])
def test_a_label_is_found_in_every_wording(wordings):
    for sentence in wordings.values():
        for label in (*(emoji.name for emoji in emojis()), *ODD_LABELS):
            asked = sentence.format(label=label)
            for said in (asked, asked.rstrip(".") + ".", asked.lower().replace(label.lower(), label), f"  {asked}\n"):
                assert label_of(said) == label, said


@pytest.mark.parametrize(
    "sentence", ["", "Touch", "Touch .", "Grasp red apple.", "Pick the cube and place it on", "red apple"]
)
def test_another_sentence_is_refused_with_examples(sentence):
    with pytest.raises(
        UsageError, match=r"of the form 'Touch red apple\.' or 'Pick the cube and place it on red apple'"
    ):
        label_of(sentence)


# --- records that are replayed ---


@each_task
def test_a_list_of_combinations_is_replayed_once_each_before_any_comes_again(task, tmp_path):
    rows = [
        row((APPLE.char, BANANA.name, CAT.char), 1),
        row(target="card_2"),
        row((CAT.char, APPLE.char, BANANA.char), CAT.char),
    ]
    specs = replayed(record(tmp_path, rows), task, 6)
    seen = [(tuple(card.emoji for card in spec.choices), spec.target) for spec in specs]
    expected = {
        ((APPLE.char, BANANA.char, CAT.char), "card_1"),
        ((APPLE.char, BANANA.char, CAT.char), "card_2"),
        ((CAT.char, APPLE.char, BANANA.char), "card_0"),
    }
    assert set(seen[:3]) == set(seen[3:]) == expected
    assert len({spec.choices[0].xy for spec in specs}) == 6
    assert all(spec.protocol == ID and spec.episode.startswith("id-s0-") for spec in specs)
    assert {label_of(spec.instruction) for spec in specs} == {"banana", "cat"}


def test_the_order_of_a_replay_depends_on_the_seed(tmp_path):
    chars = [emoji.char for emoji in emojis()[:24]]
    source = record(tmp_path, [row(chars[k : k + 3]) for k in range(20)])
    orders = [[spec.choices[0].emoji for spec in replayed(source, count=20, seed=seed)] for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2] and sorted(orders[0]) == sorted(orders[2])
    assert orders[0] != chars[:20]


def test_json_lines_say_what_a_list_says(tmp_path):
    rows = [row(), row(target=2)]
    lines = record(tmp_path, "\n".join(json.dumps(one) for one in rows) + "\n\n", "record.jsonl")
    whole = record(tmp_path, rows)
    assert read_record(lines) == read_record(whole)
    assert record_digest(lines) == record_digest(whole)


def test_a_session_folder_replays_what_its_episodes_showed(tmp_path):
    folder = write_session(tmp_path / "session", ["right", "wrong", "right"])
    shown = [recorded_plan(index) for index in range(3)]
    found = read_record(str(folder))
    assert [[card.char for card in one.cards] for one in found] == [[c.emoji for c in spec.choices] for spec in shown]
    assert [f"card_{one.target}" for one in found] == [spec.target for spec in shown]
    specs = replayed(str(folder))
    assert {spec.instruction for spec in specs} == {spec.instruction for spec in shown}
    assert found == read_record(str(folder / "episodes.jsonl"))


def test_the_digest_is_that_of_the_combinations_in_order(tmp_path):
    options = PlanOptions(record=record(tmp_path, [row(), row(target=1)], "one.json"))
    digest = record_digest(options.record)
    assert len(digest) == 12 and int(digest, 16) >= 0
    assert TASKS[0].material(ID, options) == {"record": digest} == PICK.material(ID, options)
    same = record(
        tmp_path,
        json.dumps([row(("red apple", "banana", "cat"), "card_0"), row(target="banana") | {"card_1": "banana"}]),
        "same.json",
    )
    assert record_digest(same) == digest
    for number, rows in enumerate(([row(target=1), row()], [row()], [row(), row(target=2)])):
        assert record_digest(record(tmp_path, rows, f"other{number}.json")) != digest


def test_a_record_that_changed_is_read_again(tmp_path):
    source = record(tmp_path, [row()])
    before = record_digest(source)
    Path(record(tmp_path, [row(target=1)])).touch()
    assert record_digest(source) != before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("not json", "is not JSON"),
        (b"\xff\xfe\x00nonsense", "is not"),
        ("[" * 100_000, "is not JSON"),
        ({"card_0": "x"}, "is not a list of combinations"),
        ("3", "is not a list of combinations"),
        ([], "holds no episode"),
        ([row(), {"card_0": APPLE.char}], "entry 2 has not the fields card_0, card_1, card_2 and target"),
        ([3], "entry 1 has not the fields"),
        ([None], "entry 1 has not the fields"),
        ([{"spec": None}], "entry 1"),
        ([{"spec": 3}], "entry 1"),
        ([{"spec": "layout"}], "entry 1"),
        ([{"spec": {"layout": []}}], "entry 1 is not an episode of this version"),
        ([row(("no such thing", BANANA.char, CAT.char))], "entry 1 shows 'no such thing'"),
        ([row((["a"], BANANA.char, CAT.char))], "entry 1 shows"),
        ([row((APPLE.char, "red apple", CAT.char))], "entry 1 shows one emoji twice"),
        ([row(target=3)], "entry 1 asks for 3, which is none of its cards"),
        ([row(target=-1)], "entry 1 asks for -1"),
        ([row(target="card_3")], "entry 1 asks for 'card_3'"),
        ([row(target="dog")], "entry 1 asks for 'dog'"),
        ([row(target=None)], "entry 1 asks for None"),
        ([row(target=True)], "entry 1 asks for True"),
        ([row(target=["card_0"])], "entry 1 asks for"),
    ],
)  # fmt: skip
def test_a_bad_record_is_refused_in_one_sentence(tmp_path, content, says):
    path = tmp_path / "record.json"
    path.write_bytes(
        content
        if isinstance(content, bytes)
        else (content if isinstance(content, str) else json.dumps(content)).encode()
    )
    sentence = refused(str(path))
    assert says in sentence and str(path) in sentence


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"target": "cube"}, "asks for 'cube'"),
        ({"target": "card_9"}, "asks for 'card_9'"),
        ({"layout": "two"}, "shows 2 cards and 3 are needed"),
        ({"emoji": None}, "shows None"),
        ({"emoji": "no"}, "shows 'no'"),
        ({"emoji": ""}, "shows ''"),
        ({"seed": "x"}, "is not an episode of this version"),
    ],
)
def test_a_bad_episode_in_a_record_is_refused_in_one_sentence(tmp_path, change, says):
    spec = PICK.plan("val", 0, 0, WIDOW).model_dump(mode="json")
    if change.get("layout") == "two":
        change = {"layout": spec["layout"][1:]}
    if "emoji" in change:
        spec["layout"][0]["emoji"] = change["emoji"]
        change = {}
    source = record(tmp_path, [{"spec": {**spec, **change}}])
    sentence = refused(source)
    assert says in sentence and "entry 1" in sentence


def test_a_record_that_is_not_there_or_nothing_we_know_is_refused(tmp_path):
    assert "There is no training record at" in refused(str(tmp_path / "none.json"))
    (tmp_path / "empty").mkdir()
    assert "neither a dataset (meta/info.json) nor a session" in refused(str(tmp_path / "empty"))
    assert "holds no episode" in refused(record(tmp_path, "", "empty.jsonl"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_record_is_for_id_alone_and_id_needs_one(tmp_path, protocol):
    options = PlanOptions(record=record(tmp_path, [row()]))
    with pytest.raises(UsageError, match=f"Protocol '{protocol}' replays no record"):
        TASKS[0].plan(protocol, 0, 0, WIDOW, options=options)
    with pytest.raises(UsageError, match="name one with --record"):
        TASKS[0].plan(ID, 0, 0, WIDOW)
    assert TASKS[0].material(protocol, PlanOptions()) == {}


@each_task
@pytest.mark.parametrize("protocol", AUTHORS_PROTOCOLS)
def test_the_authors_protocols_need_an_import(task, protocol):
    for call in (task.material, lambda p, o: task.plan(p, 0, 0, WIDOW, options=o)):
        with pytest.raises(UsageError, match="import them with: touchstone assets grinningface") as caught:
            call(protocol, PlanOptions())
        assert "\n" not in str(caught.value)


@each_task
def test_a_sentence_of_ones_own_names_the_card(task):
    options = PlanOptions(instruction="Please show me {label}!")
    spec = task.plan("val", 0, 3, WIDOW, options=options)
    assert spec.instruction == f"Please show me {spec.placement(spec.target).label}!"
    with pytest.raises(UsageError, match=r"names no card; write \{label\}"):
        task.material("val", PlanOptions(instruction="Please show me!"))
