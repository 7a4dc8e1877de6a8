"""The touch rule on hand-made facts: what counts, what does not, and the loopholes."""

import pytest

from touchstone.bench import TABLE_Z
from touchstone.facts import Fact, Facts
from touchstone.robots.wx250s import ARM
from touchstone.tasks.emoji.touch import TouchEmoji
from touchstone.tasks.emoji.touch_rule import judge_touch

TASK = TouchEmoji()
SPEC = TASK.plan("val", 0, 0, ARM)
TICK = 200_000_000
TOP = TABLE_Z + 0.002


def facts(samples, over="target", height=0.025, dx=0.0, period=TICK) -> list[Facts]:
    """samples: (opening, commanded) per tick, TCP at `height` over the card plus `dx` along base x."""
    name = SPEC.target if over == "target" else next(p.name for p in SPEC.layout if p.name != SPEC.target)
    x, y = SPEC.placement(name).xy
    tcp = [x + dx, y, TOP + height, 0.70710678, 0.0, 0.70710678, 0.0]
    cards = {p.name: Fact(value=[*p.xy, TOP, 1.0, 0.0, 0.0, 0.0], source="sim", frame="base") for p in SPEC.layout}
    return [
        Facts(
            step=k,
            stamp_ns=k * period,
            tcp=Fact(value=tcp, source="sim"),
            tcp_commanded=Fact(value=tcp, source="sim"),
            joints=Fact(value=list(ARM.ready), source="sim"),
            opening=Fact(value=opening, source="sim"),
            opening_commanded=Fact(value=commanded, source="sim"),
            objects=cards,
        )
        for k, (opening, commanded) in enumerate(samples)
    ]


CLOSING = [(1.0, 1.0), (0.9, 0.0), (0.25, 0.0), (0.1, 0.0)]


def test_closing_over_the_named_card_is_execution_and_recognition():
    verdict = judge_touch(SPEC, facts(CLOSING))
    assert verdict.success and verdict.chosen == SPEC.target and verdict.step == 3
    assert verdict.beside["commanded"].success and verdict.beside["commanded"].step == 1


def test_closing_over_another_card_is_execution_only():
    verdict = judge_touch(SPEC, facts(CLOSING, over="other"))
    assert verdict.execution and verdict.recognition is False and not verdict.success
    assert "instead of" in verdict.reason


@pytest.mark.parametrize(("height", "dx", "counts"), [
    (0.049, 0.0, True), (0.051, 0.0, False), (-0.001, 0.0, False), (0.02, 0.069, True), (0.02, 0.071, False),
])  # fmt: skip
def test_the_tcp_must_be_inside_the_square_and_at_most_5_cm_above(height, dx, counts):
    verdict = judge_touch(SPEC, facts(CLOSING, height=height, dx=dx))
    assert verdict.execution is counts
    assert (verdict.recognition is None) is not counts


def test_a_gripper_that_starts_closed_touches_nothing():
    assert not judge_touch(SPEC, facts([(0.1, 0.0)] * 10)).execution


def test_an_opening_that_falls_without_a_close_command_is_no_touch():
    assert judge_touch(SPEC, facts([(1.0, 1.0), (0.2, 1.0), (0.2, 1.0), (0.2, 1.0)])).step is None


def test_stalling_on_something_counts_after_200_ms():
    verdict = judge_touch(SPEC, facts([(1.0, 1.0), (0.8, 0.0), (0.6, 0.0), (0.6, 0.0)]))
    assert verdict.execution and verdict.step == 3


def test_a_gripper_that_never_moves_is_broken_and_not_stalled():
    assert judge_touch(SPEC, facts([(1.0, 1.0)] + [(1.0, 0.0)] * 10)).step is None


def test_a_close_that_is_taken_back_starts_anew():
    samples = [(1.0, 1.0), (0.9, 0.0), (0.25, 0.0), (0.8, 1.0), (0.9, 1.0), (0.6, 0.0), (0.2, 0.0), (0.1, 0.0)]
    assert judge_touch(SPEC, facts(samples)).step == 7


def test_the_rule_holds_at_other_sampling_rates():
    """At 50 Hz the same 200 ms are eleven samples."""
    samples = [(1.0, 1.0)] + [(max(0.1, 1.0 - 0.1 * k), 0.0) for k in range(40)]
    verdict = judge_touch(SPEC, facts(samples, period=20_000_000))
    first_below = next(k for k, (opening, _) in enumerate(samples) if opening < 0.3)
    assert verdict.step == first_below + 10


def test_live_monitor_and_recomputed_verdict_agree():
    seen = facts(CLOSING + [(0.0, 0.0)] * 3)
    monitor = TASK.monitor(SPEC)
    live = next(k for k, one in enumerate(seen) if monitor.update(one))
    assert judge_touch(SPEC, seen).step == live


def test_plans_are_functions_of_seed_and_index_and_leak_nothing():
    again = TASK.plan("val", 0, 0, ARM)
    assert again == SPEC
    assert TASK.plan("val", 1, 0, ARM).layout != SPEC.layout
    assert not {"layout", "target"} & set(SPEC.brief().model_dump())


def test_targets_and_slots_are_balanced_over_many_episodes():
    slots = [TASK.plan("hard", 0, index, ARM).target for index in range(300)]
    assert all(70 <= slots.count(f"card_{slot}") <= 130 for slot in range(3))
