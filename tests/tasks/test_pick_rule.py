"""The pick rule on hand-made facts: what the strict rule and the paper's rule count, and where they differ."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from touchstone.bench import CARD_SIDE, CARD_THICKNESS, CUBE_SIDE, TABLE_Z
from touchstone.facts import Fact, Facts
from touchstone.geometry import quaternion_from_rotation
from touchstone.robots.base import arm
from touchstone.tasks.emoji.pick import PickEmoji
from touchstone.tasks.emoji.pick_rule import CUBE, PLACED_WITHIN, SETTLED_TICKS, PickMonitor, is_grasped, judge_pick

ARM = arm("wx250s")
TASK = PickEmoji()
SPEC = TASK.plan("val", 0, 0, ARM)
TARGET = SPEC.target
OTHER = next(p.name for p in SPEC.choices if p.name != TARGET)
TICK = 50_000_000
TOP = TABLE_Z + CARD_THICKNESS
#: height of the cube's middle: on a card, on the table, in the gripper
LYING, ON_TABLE, CARRIED = TOP + CUBE_SIDE / 2, TABLE_Z + CUBE_SIDE / 2, TABLE_Z + 0.09
GRASP = (0.0, -2.0, 0.0, 0.0, 2.0, 0.0)
NO_TOUCH = (0.0,) * 6


def over(name: str, dx: float = 0.0, dy: float = 0.0, z: float = LYING) -> tuple[float, float, float]:
    x, y = SPEC.placement(name).xy
    return x + dx, y + dy, z


def tick(cube, forces=NO_TOUCH, opening=1.0, commanded=1.0, speed=0.0, tilt=None, cards=None) -> Facts:
    """One tick. cube: its middle [m], None if unknown. forces: 6 numbers [N], None if not measured. speed: of a joint.
    tilt: rotation vector of the target's card. cards: centres xy by name instead of the spec's."""
    pose = [0.3, 0.0, 0.1, 0.70710678, 0.0, 0.70710678, 0.0]
    xy = {p.name: p.xy for p in SPEC.choices} | (cards or {})
    objects = {name: [*at, TOP, 1.0, 0.0, 0.0, 0.0] for name, at in xy.items()}
    if tilt is not None:
        objects[TARGET][3:] = quaternion_from_rotation(Rotation.from_rotvec(tilt))
    objects[CUBE] = None if cube is None else [*cube, 1.0, 0.0, 0.0, 0.0]
    return Facts(
        step=0,
        stamp_ns=0,
        tcp=Fact(value=pose, source="sim"),
        tcp_commanded=Fact(value=pose, source="sim"),
        joints=Fact(value=list(ARM.ready), source="sim"),
        joint_velocities=None if speed is None else Fact(value=[0.0, -speed, 0.0, 0.0, 0.0, 0.0], source="sim"),
        opening=Fact(value=opening, source="sim"),
        opening_commanded=Fact(value=commanded, source="sim"),
        objects={name: Fact(value=value, source="sim", frame="base") for name, value in objects.items()},
        finger_forces={} if forces is None else {CUBE: Fact(value=list(forces), source="sim", frame="tcp")},
    )


def story(*parts: list[Facts]) -> list[Facts]:
    """The parts after each other, with steps and stamps that count up."""
    ticks = [one for part in parts for one in part]
    return [one.model_copy(update={"step": k, "stamp_ns": k * TICK}) for k, one in enumerate(ticks)]


def lift(name: str = TARGET) -> list[Facts]:
    """The cube is grasped on the table and carried, fast, to a place over the card."""
    held = {"forces": GRASP, "opening": 0.4, "commanded": 0.0}
    return [tick((0.27, 0.0, ON_TABLE), **held, speed=0.5), tick(over(name, z=CARRIED), **held, speed=0.5)]


def lie(name: str = TARGET, ticks: int = SETTLED_TICKS, dx: float = 0.0, dy: float = 0.0, **how) -> list[Facts]:
    return [tick(over(name, dx, dy), **how)] * ticks


def judged(*parts: list[Facts]):
    verdict = judge_pick(SPEC, story(*parts))
    return verdict, verdict.beside["paper"]


def test_a_cube_that_settles_on_the_named_card_is_right_by_both_rules():
    strict, paper = judged(lift(), lie())
    assert strict.success and strict.chosen == TARGET and strict.step == 2 + SETTLED_TICKS - 1
    assert paper.success and paper.step == 2
    assert paper.beside == {}


def test_another_card_is_execution_without_recognition_by_both_rules():
    for verdict in judged(lift(OTHER), lie(OTHER)):
        assert verdict.execution and verdict.recognition is False and verdict.chosen == OTHER
        assert "instead of" in verdict.reason


def test_a_cube_that_is_never_released_is_placed_by_neither_rule():
    held = {"forces": GRASP, "opening": 0.4, "commanded": 0.0}
    strict, paper = judged(lift(), lie(ticks=40, **held))
    assert not strict.execution and strict.recognition is None and "did not settle" in strict.reason
    assert not paper.execution and paper.step is None


def test_a_finger_that_still_leans_on_the_cube_has_not_released_it():
    """One finger is no grasp, so the paper counts it."""
    strict, paper = judged(lift(), lie(ticks=40, forces=(0.0, -1.0, 0.0, 0.0, 0.0, 0.0)))
    assert not strict.execution and paper.success


def test_the_paper_fires_in_mid_drop_and_the_strict_rule_does_not():
    """The cube is let go of 9 cm over the card, falls past it and lies on the table."""
    drop = [tick(over(TARGET, z=TOP + height)) for height in (0.09, 0.07, 0.04)]
    beside = [tick(over(TARGET, dx=-0.1, z=ON_TABLE))] * 30
    strict, paper = judged(lift(), drop, beside)
    assert not strict.execution and strict.chosen is None
    assert paper.success and paper.step == 2


def test_between_two_cards_the_paper_counts_for_the_target_and_the_strict_rule_chooses_none():
    target, other = np.array(SPEC.placement(TARGET).xy), np.array(SPEC.placement(OTHER).xy)
    other = target + 0.16 * (other - target) / np.linalg.norm(other - target)
    cards = {OTHER: tuple(other)}
    middle = (*(target + other) / 2, ON_TABLE)
    assert np.linalg.norm(target - other) / 2 < PLACED_WITHIN
    strict, paper = judged(lift(OTHER), [tick(middle, cards=cards)] * 20)
    assert not strict.execution and strict.chosen is None
    assert paper.success


def test_the_paper_names_the_last_card_whose_disc_was_entered_when_the_target_never_was():
    third = next(p.name for p in SPEC.choices if p.name not in (TARGET, OTHER))
    _, paper = judged(lift(OTHER), lie(OTHER, 1), lie(third, 1))
    assert paper.execution and paper.recognition is False and paper.chosen == third and paper.step == 3


def test_a_cube_that_is_pushed_onto_a_card_counts_for_the_paper_alone():
    pushed = [tick((0.27 + 0.01 * k, 0.0, ON_TABLE), forces=(0.0, -1.0, 0, 0, 0, 0), speed=0.1) for k in range(5)]
    strict, paper = judged(pushed, lie(ticks=30))
    assert not strict.execution and strict.reason == "the cube was never lifted"
    assert paper.success


def test_a_cube_that_leaves_the_table_outside_the_gripper_was_not_lifted():
    strict, _ = judged([tick(over(TARGET, z=CARRIED), forces=NO_TOUCH)], lie(ticks=30))
    assert strict.reason == "the cube was never lifted"


@pytest.mark.parametrize(("underside", "lifted"), [(0.009, False), (0.011, True)])
def test_lifted_means_a_centimetre_over_the_table(underside, lifted):
    held = {"forces": GRASP, "opening": 0.4, "commanded": 0.0, "speed": 0.5}
    strict, _ = judged([tick((0.3, 0.0, TABLE_Z + CUBE_SIDE / 2 + underside), **held)], lie())
    assert strict.execution is lifted


@pytest.mark.parametrize("ticks", [SETTLED_TICKS - 1, SETTLED_TICKS])
def test_settled_takes_ten_ticks(ticks):
    strict, _ = judged(lift(), lie(ticks=ticks))
    assert strict.execution is (ticks == SETTLED_TICKS)


def test_a_touch_in_between_starts_the_ten_ticks_anew():
    touched = [tick(over(TARGET), forces=(0.0, -0.2, 0.0, 0.0, 0.0, 0.0))]
    strict, _ = judged(lift(), lie(ticks=6), touched, lie(ticks=SETTLED_TICKS))
    assert strict.success and strict.step == 2 + 6 + 1 + SETTLED_TICKS - 1


@pytest.mark.parametrize(("per_tick", "still"), [(0.0001, True), (0.0004, False)])
def test_a_cube_that_slides_over_the_card_has_not_settled(per_tick, still):
    sliding = [tick(over(TARGET, dx=-0.005 + per_tick * k)) for k in range(30)]
    strict, paper = judged(lift(), sliding)
    assert strict.execution is still and paper.success


@pytest.mark.parametrize(("dx", "inside"), [(CARD_SIDE / 2 - 0.001, True), (CARD_SIDE / 2 + 0.001, False)])
def test_the_cubes_middle_must_be_inside_the_cards_square(dx, inside):
    strict, paper = judged(lift(), lie(dx=dx))
    assert strict.execution is inside and paper.success


def test_at_a_corner_of_the_card_the_papers_ball_ends_before_the_square():
    """The ball has the square's half diagonal as radius, and the cube's middle lies 16 mm over the card's."""
    corner = CARD_SIDE / 2 - 0.0002
    strict, paper = judged(lift(), lie(dx=corner, dy=corner))
    assert strict.success and not paper.execution


@pytest.mark.parametrize(("higher", "flat"), [(0.002, True), (0.004, False), (-0.002, True), (-0.004, False)])
def test_a_cube_on_its_edge_or_on_another_thing_is_too_high(higher, flat):
    strict, paper = judged(lift(), [tick(over(TARGET, z=LYING + higher))] * 20)
    assert strict.execution is flat and paper.success


def test_height_and_square_are_those_of_a_tilted_card():
    """On a card that leans by 20 degrees the cube's middle lies along the card's normal."""
    turn = np.array([0.0, -np.radians(20), 0.0])
    normal = Rotation.from_rotvec(turn).apply([0, 0, CUBE_SIDE / 2])
    cube = np.array([*SPEC.placement(TARGET).xy, TOP]) + normal
    assert judged(lift(), [tick(tuple(cube), tilt=turn)] * 20)[0].success
    higher = cube + [0, 0, 0.01]
    assert not judged(lift(), [tick(tuple(higher), tilt=turn)] * 20)[0].execution


def test_a_cube_that_was_lifted_lost_on_the_table_and_pushed_onto_the_card_counts_for_the_paper_alone():
    on_table = (0.25, 0.0, TABLE_Z + CUBE_SIDE / 2)
    strict, paper = judged(lift(), [tick(on_table)] * 3, lie())
    assert not strict.execution and "did not settle" in strict.reason
    assert paper.success


@pytest.mark.parametrize(("speed", "slow"), [(0.19, True), (0.21, False), (None, False)])
def test_the_paper_wants_a_slow_arm_and_the_strict_rule_does_not_ask(speed, slow):
    strict, paper = judged(lift(), lie(speed=speed))
    assert strict.success and paper.execution is slow


def test_wrong_card_first_then_the_right_one_is_right():
    strict, paper = judged(lift(OTHER), lie(OTHER, 15), lift(TARGET), lie(TARGET))
    assert strict.success and strict.step == 2 + 15 + 2 + SETTLED_TICKS - 1
    assert paper.success and paper.step == 2 + 15 + 2


def test_the_monitor_ends_an_episode_on_the_target_alone():
    monitor = TASK.monitor(SPEC)
    seen = story(lift(OTHER), lie(OTHER, 30), lift(TARGET), lie(TARGET, 30))
    over_at = [monitor.update(one) for one in seen].index(True)
    assert over_at == 2 + 30 + 2 + SETTLED_TICKS - 1
    assert judge_pick(SPEC, seen).step == over_at == judge_pick(SPEC, seen[: over_at + 1]).step


def test_the_verdict_is_the_same_live_and_from_the_whole_episode():
    seen = story(lift(), lie(ticks=12))
    assert TASK.judge(SPEC, seen, []) == judge_pick(SPEC, seen)
    # what comes after the end does not count
    assert judge_pick(SPEC, seen) == judge_pick(SPEC, story(lift(), lie(ticks=12), lift(OTHER), lie(OTHER)))


def test_after_a_wrong_card_the_last_one_counts():
    third = next(p.name for p in SPEC.choices if p.name not in (TARGET, OTHER))
    strict, _ = judged(lift(OTHER), lie(OTHER), lift(third), lie(third))
    assert strict.chosen == third and strict.recognition is False


def test_an_unseen_cube_or_card_is_no_execution_and_no_crash():
    strict, paper = judged([tick(None)] * 20)
    assert not strict.execution and not paper.execution
    blind = [one.model_copy(update={"objects": {CUBE: one.objects[CUBE]}}) for one in (*lift(), *lie(ticks=20))]
    strict, paper = judged(blind)
    assert strict.reason == "the cube was lifted, but it did not settle on a card" and not paper.execution


@pytest.mark.parametrize(
    ("forces", "held"),
    [
        (GRASP, True),
        ((0.0, -0.51, 0.0, 0.0, 0.51, 0.0), True),
        ((0.0, -0.49, 0.0, 0.0, 2.0, 0.0), False),
        ((0.0, -2.0, 0.0, 0.0, 0.0, 0.0), False),
        # pushed outwards: the fingers are inside something hollow, or left and right are mixed up
        ((0.0, 2.0, 0.0, 0.0, -2.0, 0.0), False),
        # both pushes nearly at right angles to the axis on which the fingers open: 84 and 86 degrees
        ((2 * np.sin(np.radians(84)), -2 * np.cos(np.radians(84)), 0.0, 0.0, 2.0, 0.0), True),
        ((2 * np.sin(np.radians(86)), -2 * np.cos(np.radians(86)), 0.0, 0.0, 2.0, 0.0), False),
        (NO_TOUCH, False),
    ],
)
def test_grasped_is_two_forces_inwards_along_the_axis_of_the_fingers(forces, held):
    assert is_grasped(tick(over(TARGET), forces=forces)) is held


@pytest.mark.parametrize(
    ("opening", "commanded", "held"),
    [(0.4, 0.0, True), (0.1, 0.0, False), (0.4, 1.0, False), (None, 0.0, False), (0.4, None, False)],
)
def test_without_forces_a_closed_gripper_that_stays_open_holds_something(opening, commanded, held):
    assert is_grasped(tick(over(TARGET), forces=None, opening=opening, commanded=commanded)) is held


@pytest.mark.parametrize("opening", [1.0, 0.5, None])
def test_without_forces_the_cube_is_released_by_an_open_gripper(opening):
    held = {"forces": None, "opening": 0.4, "commanded": 0.0, "speed": 0.5}
    carried = [tick((0.27, 0.0, ON_TABLE), **held), tick(over(TARGET, z=CARRIED), **held)]
    strict, paper = judged(carried, lie(forces=None, opening=opening))
    assert strict.success is (opening == 1.0)
    assert paper.success


def test_a_new_monitor_knows_nothing():
    monitor = PickMonitor(SPEC)
    assert not monitor.lifted and monitor.settled is None and monitor.fired == {}
