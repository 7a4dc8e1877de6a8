"""Each strategy by itself: when it asks, what it hands on, and golden numbers for every blend."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from touchstone.control.strategies import NAMES, canonical, make, soft_mask
from touchstone.control.strategies.blending import blend
from touchstone.errors import ContractMismatch, PolicyFailure, UsageError
from touchstone.policy import Chunk, PolicyContract

DT_NS = 100_000_000
CONTRACT = PolicyContract(name="chunks", version="1", chunk_length=4, execute=2, inpaints=True)


def chunk(answers: int, tick: float, first: list[float], kind: str = "target_delta", gripper: float = 1.0) -> Chunk:
    """A chunk from `tick` on whose actions have these first numbers."""
    actions = np.zeros((len(first), 7 if kind == "ee_abs" else 6))
    actions[:, 0] = first
    if kind == "ee_abs":
        actions[:, 3] = 1.0
    return Chunk(answers, round(tick * DT_NS), 0.1, kind, actions, np.full(len(first), gripper))


def begun(text: str, contract: PolicyContract = CONTRACT):
    strategy = make(text)
    strategy.begin(contract, DT_NS)
    return strategy


def asks(strategy, ticks: range) -> list[int]:
    return [tick for tick in ticks if strategy.ask(tick * DT_NS) is not None]


def first_numbers(handed: Chunk) -> list[float]:
    return pytest.approx(list(handed.actions[:, 0]))


@pytest.mark.parametrize(("text", "when"), [("receding", 2), ("receding:execute=3", 3), ("sync", 4), ("async:g=0", 4)])
def test_the_next_inference_comes_after_so_many_ticks(text, when):
    strategy = begun(text)
    assert asks(strategy, range(1)) == [0]
    given = chunk(1, 0, [1, 2, 3, 4])
    assert first_numbers(strategy.answer(given, 0)) == [1, 2, 3, 4]
    assert asks(strategy, range(1, 6))[0] == when


def test_without_latency_the_default_hands_on_the_chunk_itself():
    given = chunk(1, 0, [1, 2, 3, 4])
    assert begun("receding").answer(given, 0) is given


@pytest.mark.parametrize("text", ["receding", "sync", "ensemble", "async", "rtc"])
def test_what_is_over_is_not_handed_on_and_the_rest_keeps_its_stamps(text):
    strategy = begun(text)
    strategy.ask(0)
    handed = strategy.answer(chunk(1, 0, [1, 2, 3, 4]), 2 * DT_NS)
    assert first_numbers(handed) == [3, 4] and handed.t0_ns == 2 * DT_NS and handed.answers == 1
    assert begun(text).answer(chunk(1, 0, [1, 2, 3, 4]), 6 * DT_NS) is None


def test_a_single_action_may_begin_one_tick_late_and_no_later():
    one = PolicyContract(name="one", version="1")
    given = chunk(1, 0, [5])
    assert first_numbers(begun("receding", one).answer(given, DT_NS)) == [5]
    assert begun("receding", one).answer(given, DT_NS + 20_000_001) is None


def test_an_old_answer_and_a_repeated_one_change_nothing():
    for text in NAMES:
        strategy = begun(text)
        strategy.ask(0)
        assert strategy.answer(chunk(3, 1, [1, 2, 3, 4]), DT_NS) is not None
        assert strategy.answer(chunk(2, 0, [9, 9, 9, 9]), DT_NS) is None
        assert strategy.answer(chunk(3, 1, [1, 2, 3, 4]), 2 * DT_NS) is None


def test_ensembling_weighs_the_predictions_for_a_moment_by_exp_minus_m_i_oldest_first():
    strategy = begun("ensemble:m=0.5")
    assert asks(strategy, range(3)) == [0, 1, 2]
    strategy.answer(chunk(1, 0, [0, 10, 20, 30]), 0)
    strategy.answer(chunk(2, 1, [11, 21, 31, 41]), DT_NS)
    handed = strategy.answer(chunk(3, 2, [25, 35, 45, 55]), 2 * DT_NS)
    # w = 1, 0.60653, 0.36788: (20 w0 + 21 w1 + 25 w2) / (w0 + w1 + w2) = 41.934130 / 1.974410
    assert first_numbers(handed) == [21.2388145, 31.2388145, (41 + 0.60653066 * 45) / 1.60653066, 55]
    assert handed.t0_ns == 2 * DT_NS


def test_async_prefetches_at_the_threshold_and_blends_the_overlap_only():
    strategy = begun("async:g=0.5")
    strategy.answer(chunk(1, 0, [0, 10, 20, 30]), 0)
    assert asks(strategy, range(0, 3)) == [2]
    handed = strategy.answer(chunk(2, 2, [40, 50, 60, 70]), 3 * DT_NS)
    assert first_numbers(handed) == [0.3 * 30 + 0.7 * 50, 60, 70]


def test_g_of_one_asks_always_and_new_of_one_replaces():
    strategy = begun("async:g=1,new=1")
    strategy.answer(chunk(1, 0, [0, 10, 20, 30]), 0)
    assert asks(strategy, range(0, 3)) == [0, 1, 2]
    assert first_numbers(strategy.answer(chunk(2, 1, [1, 2, 3, 4]), 2 * DT_NS)) == [2, 3, 4]


def test_rtc_says_what_is_carried_out_and_keeps_the_frozen_elements_whatever_comes():
    strategy = begun("rtc:s=1,d=2")
    assert strategy.ask(0).prior is None
    strategy.answer(chunk(1, 0, [1, 2, 3, 4]), 0)
    assert strategy.ask(0) is None
    prior = strategy.ask(DT_NS).prior
    # the first inference came at once, so nothing is expected to be carried out during the next
    assert prior.frozen == 0 and list(prior.actions[:, 0]) == [2, 3, 4]
    assert first_numbers(strategy.answer(chunk(2, 1, [10, 11, 12, 13]), 3 * DT_NS)) == [12, 13]
    prior = strategy.ask(3 * DT_NS).prior
    # that one took two ticks, the longest so far
    assert prior.frozen == 2 and list(prior.actions[:, 0]) == [12, 13]
    handed = strategy.answer(chunk(3, 3, [0, 0, 32, 33]), 4 * DT_NS)
    assert first_numbers(handed) == [13, 32, 33] and handed.answers == 3


def test_rtc_expects_the_delay_it_is_told_before_it_has_measured_one():
    strategy = begun("rtc:s=1,d=3")
    strategy.ask(0)
    strategy.answer(chunk(1, 0, [1, 2, 3, 4]), 0)
    strategy._delays.clear()
    assert strategy.ask(DT_NS).prior.frozen == 3


def test_the_soft_mask_is_the_papers():
    # H = 10, d = 2, H - s = 6: c = 4/5 .. 1/5, W = c (e^c - 1) / (e - 1)
    expected = [1, 1, 0.570589, 0.287072, 0.114492, 0.025770, 0, 0, 0, 0]
    assert soft_mask(10, 2, 6) == pytest.approx(expected, abs=1e-6)
    assert list(soft_mask(4, 4, 4)) == [1, 1, 1, 1]
    assert list(soft_mask(3, 0, 0)) == [0, 0, 0]
    assert list(soft_mask(3, 2, 1)) == [1, 0, 0]


def quaternion(about_z: float) -> list[float]:
    return [np.cos(about_z / 2), 0, 0, np.sin(about_z / 2)]


def test_poses_average_in_position_and_properly_in_rotation():
    poses = np.array([[0.1, 0, 0.2, *quaternion(0.2)], [0.3, 0, 0.4, *quaternion(0.6)]])
    poses[1, 3:] *= -1  # the same rotation
    action, opening = blend("ee_abs", poses, np.array([1.0, 0.0]), np.array([1.0, 1.0]))
    assert action == pytest.approx([0.2, 0, 0.3, *quaternion(0.4)]) and opening == 0.5
    action, opening = blend("ee_abs", poses, np.array([1.0, 0.0]), np.array([3.0, 1.0]))
    turn = Rotation.from_quat(np.roll(action[3:], -1)).as_rotvec()
    # the chordal mean of 0.2 and 0.6 with 3:1 is atan2 of the summed half-angle axes' double: 0.298700
    assert turn == pytest.approx([0, 0, np.arctan2(*_chordal([0.2, 0.6], [3, 1]))], abs=1e-9) and opening == 0.75
    assert np.linalg.norm(action[3:]) == pytest.approx(1.0)


def _chordal(angles, weights):
    """Of rotations about one axis: the direction of the weighted sum of unit vectors at the angles."""
    return np.dot(weights, np.sin(angles)), np.dot(weights, np.cos(angles))


@pytest.mark.parametrize("kind", ["target_delta", "align2", "joint_abs", "joint_delta"])
def test_other_kinds_average_linearly(kind):
    action, opening = blend(kind, np.array([[1.0] * 6, [3.0] * 6]), np.array([0.0, 1.0]), np.array([0.25, 0.75]))
    assert list(action) == [2.5] * 6 and opening == 0.75


def test_patience_begins_an_answer_when_it_comes_if_the_arm_stood_still_and_it_is_young_enough():
    given = [1, 2, 3, 4]
    patient = begun("sync:patience=300")
    handed = patient.answer(chunk(1, 0, given), 3 * DT_NS)
    assert first_numbers(handed) == given and handed.t0_ns == 3 * DT_NS
    assert asks(patient, range(3, 9))[0] == 7
    assert first_numbers(begun("sync:patience=299").answer(chunk(1, 0, given), 3 * DT_NS)) == [4]
    # an arm that moved since the picture is no longer where the answer begins
    moving = begun("receding:patience=1000")
    moving.answer(chunk(1, 0, given), 0)
    assert first_numbers(moving.answer(chunk(2, 2, given), 3 * DT_NS)) == [2, 3, 4]


@pytest.mark.parametrize("text", ["ensemble", "async", "rtc"])
def test_a_chunk_of_nan_is_left_for_the_embodiment_to_refuse_and_spoils_no_later_one(text):
    strategy = begun(text)
    strategy.ask(0)
    bad = chunk(1, 0, [np.nan, 0, 0, 0])
    assert strategy.answer(bad, 0) is bad
    strategy.ask(DT_NS)
    assert first_numbers(strategy.answer(chunk(2, 1, [1, 2, 3, 4]), DT_NS)) == [1, 2, 3, 4]


@pytest.mark.parametrize("text", ["ensemble", "async", "rtc"])
def test_strategies_that_join_refuse_single_actions_and_other_rates(text):
    with pytest.raises(ContractMismatch, match="one action at a time"):
        begun(text, PolicyContract(name="one", version="1", inpaints=True))
    strategy = begun(text)
    strategy.ask(0)
    with pytest.raises(PolicyFailure, match=r"every 0\.05 s"):
        strategy.answer(replace(chunk(1, 0, [1, 2, 3, 4]), dt=0.05), 0)


def test_rtc_refuses_a_policy_that_does_not_inpaint_and_an_s_that_leaves_nothing():
    with pytest.raises(ContractMismatch, match="inpaints"):
        begun("rtc", PolicyContract(name="deaf", version="1", chunk_length=4))
    with pytest.raises(ContractMismatch, match="smaller s"):
        begun("rtc:s=4")
    with pytest.raises(ContractMismatch, match="execute at most"):
        begun("receding:execute=5")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("teleport", "choose one of: sync, receding"),
        ("async:g=2", "from 0 to 1"),
        ("async:g=nan", "from 0 to 1"),
        ("async:g", "'g' is ''|g is ''"),
        ("async:h=1", "does not have"),
        ("async:g=1,g=1", "twice"),
        ("async:", "its parameters are"),
        ("rtc:s=1.5", "whole number"),
        ("sync:patience=-1", "from 0"),
    ],
)
def test_a_strategy_that_is_none_is_refused_in_one_sentence(text, says):
    with pytest.raises(UsageError, match=says) as caught:
        make(text)
    assert "\n" not in str(caught.value)


def test_equal_strategies_have_one_name():
    assert canonical("async") == canonical("async:new=0.70,g=.5,patience=0") == "async:g=0.5,new=0.7"
    assert canonical("receding") == "receding" and canonical("ensemble:m=-1") == "ensemble:m=-1"
