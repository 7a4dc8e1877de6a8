"""How every source of the suite is taken, in every one of its episodes: without a simulator, by geometry alone."""

from __future__ import annotations

import numpy as np
import pytest

from policy_server.policies.int_act.gripper import BAR, TIP, WIDEST_GAP, yaw_of
from policy_server.policies.int_act.grips import HOLDS, Hold, grip_of, is_graspable
from policy_server.policies.int_act.view import Body
from tests.policies.int_act.scenes import bodies_of, spec_of
from touchstone.robots.wx250s import ARM
from touchstone.tasks.int_act.layouts import layout_count
from touchstone.tasks.int_act.suite import suite

TASKS = suite().tasks


def starts(task: str):
    for episode in range(layout_count(TASKS[task])):
        spec = spec_of(task, episode)
        yield spec, bodies_of(spec)


def width_between_the_fingers(body: Body, tcp) -> float:
    """Along the axis on which the gripper opens [m]: of its bounding box, or of the circle in it if it is round or a
    hexagon, which a box is not."""
    if HOLDS.get(body.kind.name, Hold()).alike.get(body.up, 1) > 2:
        return float(body.kind.size[list(body.level)].max() / np.cos(np.pi / 6))
    ends = np.array(np.meshgrid(*body.kind.bounds.T)).reshape(3, -1).T
    along = body.at(ends) @ tcp.rotation().apply([0.0, 1.0, 0.0])
    return float(np.ptp(along))


@pytest.mark.parametrize("task", TASKS)
def test_every_grip_is_within_the_gripper_and_the_reach(task):
    for spec, bodies in starts(task):
        body = bodies[spec.target]
        grip = grip_of(body)
        low, high = body.heights
        tips = grip.tcp.position[2] - TIP
        assert low + 0.001 < tips < high, spec.episode
        assert grip.tcp.position[2] + BAR > high, spec.episode
        if body.kind.name not in ("small_plate", "spoon"):
            assert width_between_the_fingers(body, grip.tcp) < WIDEST_GAP, spec.episode
            assert np.linalg.norm(grip.tcp.position[:2] - body.centre[:2]) < 1e-9
        assert ARM.kinematics.inverse(grip.tcp, spec.start).ok, spec.episode


def test_a_long_object_is_taken_across():
    spec = spec_of("widowx_carrot_on_plate", 1)
    carrot = bodies_of(spec)["carrot"]
    opens = grip_of(carrot).tcp.rotation().apply([0.0, 1.0, 0.0])
    assert abs(opens @ carrot.axes[:, 0]) < 1e-6


def test_of_the_four_ways_to_take_a_cube_the_one_with_the_least_turn_of_the_wrist_is_chosen():
    for spec, bodies in starts("widowx_cube_on_plate_clean"):
        cube = bodies["green_cube"]
        wrist = yaw_of(grip_of(cube).tcp) - np.arctan2(*cube.centre[1::-1])
        assert abs(wrist) <= np.pi / 4 + 1e-6, spec.episode


def test_the_little_plate_is_taken_on_a_chord_that_fits():
    spec = spec_of("widowx_small_plate_on_green_cube_clean", 0)
    plate = bodies_of(spec)["small_plate"]
    grip = grip_of(plate)
    away = grip.tcp.position[:2] - plate.centre[:2]
    broad = grip.tcp.rotation().apply([0.0, 0.0, 1.0])[:2]
    assert np.linalg.norm(away) == pytest.approx(HOLDS["small_plate"].aside)
    assert abs(away @ broad) == pytest.approx(np.linalg.norm(away))
    # the nearer edge of the fingers, 13 mm from their middle, closes on a chord narrower than the gap
    chord = 2 * np.sqrt(0.025**2 - (np.linalg.norm(away) - 0.013) ** 2)
    assert chord < WIDEST_GAP - 0.004


def test_what_the_gripper_can_hold():
    held = {name for task in TASKS for name, body in bodies_of(spec_of(task, 0)).items() if is_graspable(body)}
    assert {TASKS[task].objects.source for task in TASKS} <= held
    assert not held & {"plate", "towel", "keyboard", "sponge", "ramekin", "wheel", "basket_floor"}
