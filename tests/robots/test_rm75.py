import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.bench import TABLE_Z, TOUCH_BENCH
from touchstone.geometry import Pose
from touchstone.robots.base import arm
from touchstone.robots.rm75 import ARM

GOLDEN_FLANGE = [  # rm_models URDF [rad]: link_7 of joint angles, position and quaternion
    (np.zeros(7), (0, 0, 0.8505), (1, 0, 0, 0)),
    ([0, 0.5, 0, 1.2, 0, 1.4, 0], (0.33697, 0, 0.294228), (0.0208, 0, 0.9998, 0)),
    # RealMan's own algorithm library [deg]
    (
        np.radians([10, -20, 30, 40, -50, 60, 70]),
        (0.090352, 0.055131, 0.723855),
        (0.768696, 0.226343, 0.519086, 0.297364),
    ),
]
GOLDEN_POSITION = (np.radians([0, 30, 0, 60, 0, 90, 0]), (0.338, 0, 0.318203))  # the same library

URDF = ElementTree.parse(ARM.urdf).getroot()
LINKS = {link.get("name"): link for link in URDF.iter("link")}
CUBE_TCP = TABLE_Z + 0.015  # middle of a 30 mm cube on the table
DOWN = ARM.ready_tcp.quaternion
STEP = 0.01  # [m]
LARGEST_JOINT_STEP = 0.15  # [rad]; without a jump to another branch, 10 mm take 0.06 rad


def floats(element, name):
    return np.array([float(v) for v in element.get(name).split()])


def walk(target, joints=ARM.ready, start=ARM.ready_tcp.position):
    """Joints at `target` after a straight line in 10 mm steps with the gripper down, each seeded by the one before."""
    target, joints = np.asarray(target), np.array(joints)
    for fraction in np.linspace(0, 1, int(np.ceil(np.linalg.norm(target - start) / STEP)) + 1)[1:]:
        result = ARM.kinematics.inverse(Pose(start + fraction * (target - start), DOWN), joints)
        assert result.ok, f"on the way to {target}: {result.problem}"
        assert np.abs(result.joints - joints).max() < LARGEST_JOINT_STEP, f"jump on the way to {target}"
        joints = result.joints
    return joints


def test_it_is_known_by_name():
    assert arm("rm75") is ARM


@pytest.mark.parametrize(("joints", "position", "quaternion"), GOLDEN_FLANGE)
def test_forward_kinematics_agree_with_the_makers(joints, position, quaternion):
    flange = ARM.kinematics.link_pose(joints, "link_7")
    assert np.allclose(flange.position, position, atol=1e-6)
    sign = np.sign(np.dot(flange.quaternion, quaternion))
    assert np.allclose(sign * flange.quaternion, quaternion, atol=1e-4)


def test_the_flange_is_where_the_makers_library_puts_it():
    joints, position = GOLDEN_POSITION
    assert np.allclose(ARM.kinematics.link_pose(joints, "link_7").position, position, atol=1e-6)


def test_limits_are_the_tightest_of_urdf_and_controller():
    degrees = np.radians([178, 130, 178, 135, 178, 128, 360])
    for i, name in enumerate(ARM.joint_names):
        limit = next(joint for joint in URDF.iter("joint") if joint.get("name") == name).find("limit")
        assert ARM.limits.upper[i] == -ARM.limits.lower[i] == min(float(limit.get("upper")), degrees[i])
        assert float(limit.get("lower")) == -float(limit.get("upper"))
        assert ARM.limits.velocity[i] == min(float(limit.get("velocity")), np.pi)
        assert ARM.limits.effort[i] == float(limit.get("effort"))


def test_ready_points_the_gripper_down_inside_the_limits_with_the_fingers_along_y():
    rotation = ARM.ready_tcp.rotation()
    assert np.allclose(rotation.apply([1, 0, 0]), [0, 0, -1], atol=1e-9)
    assert np.allclose(rotation.apply([0, 1, 0]), [0, 1, 0], atol=1e-9)
    assert (ARM.limits.lower < ARM.ready).all() and (ARM.ready < ARM.limits.upper).all()
    assert np.allclose(ARM.ready_tcp.position, [0.301, 0, 0.151], atol=1e-3)


def test_ready_keeps_the_elbow_up():
    elbow, wrist = (ARM.kinematics.link_pose(ARM.ready, name).position for name in ("link_4", "link_6"))
    assert elbow[2] > wrist[2] and elbow[0] < wrist[0]


def test_both_arms_start_with_the_gripper_turned_the_same_way():
    assert np.allclose(ARM.ready_tcp.rotation().as_matrix(), arm("wx250s").ready_tcp.rotation().as_matrix(), atol=1e-9)


def test_the_gripper_maps_openings_onto_the_stroke():
    for opening in (0.0, 0.3, 1.0):
        assert ARM.gripper.opening(ARM.gripper.finger_position(opening)) == pytest.approx(opening)
    assert ARM.gripper.width(ARM.gripper.finger_position(0.0)) == 0.0
    assert ARM.gripper.width(ARM.gripper.finger_position(1.0)) == pytest.approx(0.070)


def test_the_width_is_the_gap_between_flat_pads_with_the_tcp_10_mm_behind_the_tips():
    tcp = floats(next(j for j in URDF.iter("joint") if j.get("name") == "tcp_joint").find("origin"), "xyz")
    for side, sign in (("left", 1), ("right", -1)):
        joint = next(j for j in URDF.iter("joint") if j.get("name") == f"{side}_finger")
        assert np.allclose(floats(joint.find("origin"), "xyz"), 0)
        assert np.allclose(floats(joint.find("axis"), "xyz"), [0, sign, 0])
        low, high = pad_box(side)
        inner = low[1] if sign > 0 else -high[1]
        assert inner == pytest.approx(0, abs=1e-9)
        assert high[0] - tcp[0] == pytest.approx(0.010)
        assert low[2] == pytest.approx(-high[2]) and tcp[1] == tcp[2] == 0


def test_nothing_but_the_pads_meets_a_30_mm_cube_between_them():
    for side, sign in (("left", 1), ("right", -1)):
        tip = pad_box(side)
        for box in LINKS[f"{side}_finger_link"].iter("collision"):
            if box.find("origin").get("rpy"):
                continue
            low, high = extent(box)
            inner = low[1] if sign > 0 else -high[1]
            assert inner > 1e-3 or np.allclose([low, high], tip)


def pad_box(side):
    """Corners of the foremost collision box of a finger, in its frame."""
    boxes = [extent(box) for box in LINKS[f"{side}_finger_link"].iter("collision") if not box.find("origin").get("rpy")]
    return max(boxes, key=lambda box: box[1][0])


def extent(box):
    centre, size = floats(box.find("origin"), "xyz"), floats(box.find("geometry/box"), "size")
    return centre - size / 2, centre + size / 2


def test_every_inertia_is_that_of_a_possible_body():
    for name, link in LINKS.items():
        if link.find("inertial") is not None:
            a, b, c = sorted(float(link.find("inertial/inertia").get(axis)) for axis in ("ixx", "iyy", "izz"))
            assert a > 0 and a + b >= c, name


def test_every_moving_link_can_be_seen_and_hit():
    for name, link in LINKS.items():
        if name not in ("tcp", "fingers_link"):
            assert link.findall("visual") and link.findall("collision"), name


def corners(centres, half):
    return [(x + dx, y + dy) for x, y in centres for dx in (-half, half) for dy in (-half, half)]


@pytest.mark.parametrize("height", [0.017, 0.05])
@pytest.mark.parametrize("xy", corners(TOUCH_BENCH.card_centres, TOUCH_BENCH.jitter))
def test_a_straight_line_from_ready_reaches_every_card_of_the_touch_bench(xy, height):
    walk([*xy, TABLE_Z + height])


@pytest.mark.parametrize("y", [-0.10, -0.05, 0.0, 0.05, 0.10])
@pytest.mark.parametrize("x", [0.185, 0.215, 0.24])
def test_a_straight_line_from_ready_reaches_a_cube_between_arm_and_cards(x, y):
    above = np.array([x, y, 0.0])
    walk([x, y, CUBE_TCP], walk(above), above)


spots = st.tuples(st.floats(0.22, 0.36), st.floats(-0.22, 0.22), st.floats(CUBE_TCP, 0.12)).map(np.array)


@settings(deadline=None, max_examples=25)
@given(st.lists(spots, min_size=2, max_size=6))
def test_straight_lines_between_any_spots_over_the_table_never_jump(stops):
    joints, here = np.array(ARM.ready), ARM.ready_tcp.position
    for stop in stops:
        joints, here = walk(stop, joints, here), stop


def test_the_reach_straight_down_is_a_ring():
    for radius in (0.185, 0.46):
        walk([radius, 0, CUBE_TCP])
    for radius in (0.17, 0.48):
        result = ARM.kinematics.inverse(Pose(np.array([radius, 0, CUBE_TCP]), DOWN), ARM.ready)
        assert not result.ok and "no joint solution" in result.problem


fractions = st.lists(st.floats(0.05, 0.95), min_size=7, max_size=7).map(np.array)


@settings(deadline=None)
@given(fractions)
def test_inverse_kinematics_bring_the_tcp_to_where_a_nearby_seed_can_reach(fraction):
    joints = ARM.limits.lower + fraction * (ARM.limits.upper - ARM.limits.lower)
    target = ARM.kinematics.forward(joints)
    result = ARM.kinematics.inverse(target, np.clip(joints + 0.02, ARM.limits.lower, ARM.limits.upper))
    if result.ok:
        reached = ARM.kinematics.forward(result.joints)
        assert np.linalg.norm(reached.position - target.position) < 1.1e-4
        assert (result.joints >= ARM.limits.lower).all() and (result.joints <= ARM.limits.upper).all()
    else:
        assert result.problem and (result.position_error > 1e-4 or result.rotation_error > 1e-3)


def test_masses_and_centres_of_mass_are_those_of_the_fact_sheet_when_it_is_at_hand():
    sheet = Path(__file__).parents[3] / "shared/facts/robots.md"
    if not sheet.exists():
        pytest.skip("the fact sheet is not on this machine")
    line = next(line for line in sheet.read_text().splitlines() if line.startswith("Masses kg: base 1.862"))
    masses, centres = line.split("No gripper")[0].split("Centres of mass m:")
    names = ["base_link", *(f"link_{i}" for i in range(1, 8))]
    listed = [float(v) for v in re.findall(r"\d\.\d+", masses)]
    places = [
        [float(v) for v in part.split(":")[-1].replace("base", "").rstrip(". ").split()] for part in centres.split(";")
    ]
    assert len(listed) == len(places) == len(names)
    for name, mass, place in zip(names, listed, places, strict=True):
        assert float(LINKS[name].find("inertial/mass").get("value")) == mass, name
        assert np.allclose(floats(LINKS[name].find("inertial/origin"), "xyz"), place), name
    assert sum(listed) == pytest.approx(7.776)


def test_the_gripper_and_its_fingers_weigh_227_g():
    parts = ("gripper_link", "left_finger_link", "right_finger_link")
    assert sum(float(LINKS[name].find("inertial/mass").get("value")) for name in parts) == pytest.approx(0.227)
