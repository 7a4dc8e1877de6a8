"""Where objects are set down, by geometry alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from policy_server.policies.int_act.gripper import TIP, WIDEST_GAP
from policy_server.policies.int_act.places import WELLS, middle_of, place_for
from policy_server.policies.int_act.pushing import BESIDE, FARTHEST_REACH, NEAREST_REACH, WAY, push_for
from policy_server.policies.int_act.view import Body
from tests.policies.int_act.scenes import bodies_of, spec_of
from touchstone.geometry import Pose, quaternion_from_rotation
from touchstone.tasks.int_act.suite import suite

TASKS = suite().tasks


def start_of(task: str, episode: int = 0) -> tuple[Body, Body]:
    bodies = bodies_of(spec_of(task, episode))
    roles = TASKS[task].objects
    return bodies[roles.source], bodies[roles.target]


def turned(body: Body, angle: float) -> Body:
    """About a vertical line through where its frame is."""
    rotation = Rotation.from_euler("z", angle) * body.pose.rotation()
    return replace(body, pose=Pose(body.pose.position, quaternion_from_rotation(rotation)))


@pytest.mark.parametrize("task", TASKS)
def test_every_place_is_over_the_middle_of_the_target_and_the_fingers_stay_off_what_they_do_not_fit_into(task):
    for episode in (0, 1):
        source, target = start_of(task, episode)
        place = place_for(source, target, 0.03, 0.0)
        assert place.xy == pytest.approx(target.middle[:2])
        assert target.heights[0] < place.support <= place.rim
        assert place.lowest >= place.support + TIP


@pytest.mark.parametrize("angle", [-1.0, -0.3, 0.0, 0.4, 1.5])
def test_what_is_too_long_for_a_target_is_laid_along_it(angle):
    carrot, keyboard = start_of("widowx_carrot_on_keyboard_clean")
    carrot = turned(carrot, angle)
    laid = turned(carrot, place_for(carrot, keyboard, 0.03, 0.0).turn)
    assert abs(laid.axes[:, 0] @ keyboard.axes[:, 0]) == pytest.approx(1)


@pytest.mark.parametrize("angle", [-1.0, 0.3, 0.7])
def test_a_cube_is_set_edge_to_edge_by_the_smallest_turn(angle):
    green, yellow = start_of("widowx_stack_cube")
    green = turned(green, angle)
    turn = place_for(green, yellow, 0.03, 0.0).turn
    assert abs(turn) <= np.pi / 4 + 1e-9
    assert abs(turned(green, turn).axes[:, 0] @ yellow.axes).max() == pytest.approx(1)


def test_nothing_is_turned_for_a_round_target():
    carrot, plate = start_of("widowx_carrot_on_plate")
    assert place_for(turned(carrot, 0.5), plate, 0.03, 0.0).turn == 0.0


def test_what_fits_into_a_hollow_goes_down_to_its_floor_and_what_does_not_to_its_rim():
    can, ramekin = start_of("widowx_coke_can_on_ramekin_clean")
    carrot, same = start_of("widowx_carrot_on_ramekin_clean")
    floor = ramekin.pose.position[2] + WELLS["ramekin"].floor
    assert place_for(can, ramekin, 0.033, 0.0).support == pytest.approx(floor)
    assert place_for(carrot, same, 0.033, 0.0).support == pytest.approx(same.heights[1], abs=1e-3)


def test_fingers_that_do_not_fit_into_a_hollow_stay_over_its_rim():
    nut, wheel = start_of("widowx_nut_on_wheel_clean")
    assert place_for(nut, wheel, WIDEST_GAP, 0.0).lowest > wheel.heights[1] + TIP


def test_a_spoon_is_set_down_by_the_middle_of_what_it_stands_on():
    spoon, _ = start_of("widowx_spoon_on_towel")
    assert middle_of(spoon) == pytest.approx(spoon.at((0.0025, 0, 0)))


@pytest.mark.parametrize("task", TASKS)
def test_a_push_stays_in_reach_and_leads_away_from_the_finger(task):
    for episode in range(24):
        spec = spec_of(task, episode)
        source, *others = bodies_of(spec).values()
        push = push_for(source, others)
        assert np.linalg.norm(push.direction) == pytest.approx(1)
        reach = np.linalg.norm([push.start, push.end], axis=1)
        assert reach.min() >= NEAREST_REACH and reach.max() <= FARTHEST_REACH, spec.episode
        assert (source.middle[:2] - push.start) @ push.direction > BESIDE
        assert np.linalg.norm(push.end - push.start) > WAY
