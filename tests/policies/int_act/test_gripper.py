"""Which way the gripper is turned, and how far it opens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_server.policies.int_act.gripper import (
    WRIST,
    easy_turn,
    gap,
    nearest,
    opening_of,
    pointing_down,
    yaw_across,
    yaw_of,
)

angles = st.floats(-3 * np.pi, 3 * np.pi)


@given(angles)
def test_the_gripper_points_down_and_opens_across_its_yaw(yaw):
    turned = pointing_down((0.3, 0.1, 0.05), yaw).rotation()
    assert turned.apply([1, 0, 0]) == pytest.approx([0, 0, -1], abs=1e-12)
    opens = turned.apply([0, 1, 0])
    assert np.cos(yaw_across(opens[:2]) - yaw) == pytest.approx(1)
    assert np.cos(yaw_of(pointing_down((0, 0, 0), yaw)) - yaw) == pytest.approx(1)


@given(st.lists(angles, min_size=1), angles)
def test_the_nearest_yaw_is_one_of_those_asked_or_half_a_turn_off_and_never_more_than_a_quarter_away(yaws, now):
    found = nearest(yaws, now)
    assert abs(found - now) <= np.pi / 2 + 1e-9
    assert min(abs(np.sin(found - yaw)) for yaw in yaws) < 1e-6


@given(angles, st.sampled_from([1, 2, 4]), st.floats(-2, 2), st.floats(-0.4, 0.4))
def test_a_turn_is_easy_for_the_wrist_wherever_one_of_those_asked_is(angle, fold, yaw, azimuth):
    at = np.array([np.cos(azimuth), np.sin(azimuth)])
    found = easy_turn(angle, fold, yaw, at)
    part = 2 * np.pi / fold
    smallest = (angle + part / 2) % part - part / 2
    assert np.cos(fold * (found - angle)) == pytest.approx(1)
    if fold > 1:
        assert abs(yaw + found - azimuth) <= WRIST + 1e-5
    if abs(yaw + smallest - azimuth) < WRIST - 1e-3:
        assert abs(found) == pytest.approx(abs(smallest), abs=1e-5)


@given(st.floats(0, 1))
def test_gap_and_opening_undo_each_other(opening):
    assert opening_of(gap(opening)) == pytest.approx(opening)


def test_what_the_gripper_cannot_do_is_cut_off():
    assert opening_of(0.1) == 1.0
    assert opening_of(0.0) == 0.0
