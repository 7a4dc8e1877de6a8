import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.geometry import Pose
from touchstone.robots.wx250s import ARM

GOLDEN_EE = [  # published Interbotix description: ee_gripper_link of joint angles
    ([0, -1.80, 1.55, 0, 0.8, 0], (0.122652, 0, 0.081264)),
    ([0.3, -0.4, 0.5, 0.2, 0.6, -0.1], (0.299192, 0.111171, 0.23495)),
]


@pytest.mark.parametrize(("joints", "position"), GOLDEN_EE)
def test_forward_kinematics_agree_with_the_published_description(joints, position):
    assert np.allclose(ARM.kinematics.link_pose(joints, "ee_gripper_link").position, position, atol=1e-6)


def test_limits_are_the_tightest_of_urdf_and_motor():
    elbow = ARM.joint_names.index("elbow")
    assert ARM.limits.upper[elbow] == pytest.approx((3094 - 2048) * 2 * np.pi / 4096)  # motor, under the URDF's 1.6057
    assert ARM.limits.lower[elbow] == pytest.approx(-2.14675)  # URDF, inside the motor's -2.1475


def test_ready_points_the_gripper_down_inside_the_limits():
    assert np.allclose(ARM.ready_tcp.rotation().apply([1, 0, 0]), [0, 0, -1], atol=1e-9)
    assert (ARM.limits.lower < ARM.ready).all() and (ARM.ready < ARM.limits.upper).all()


def test_the_tcp_lies_between_the_fingers():
    left, right, tcp = (
        ARM.kinematics.link_pose(ARM.ready, n).position for n in ("left_finger_link", "right_finger_link", "tcp")
    )
    assert np.allclose(((left + right) / 2)[:2], tcp[:2], atol=1e-9)


def test_the_gripper_maps_openings_onto_finger_joints_and_back():
    for opening in (0.0, 0.3, 1.0):
        assert ARM.gripper.opening(ARM.gripper.finger_position(opening)) == pytest.approx(opening)
    assert ARM.gripper.width(ARM.gripper.finger_position(1.0)) == pytest.approx(0.074)


fractions = st.lists(st.floats(0.05, 0.95), min_size=6, max_size=6).map(np.array)


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


def test_every_card_of_the_touch_bench_is_reachable_from_ready():
    from touchstone.bench import TABLE_Z, TOUCH_BENCH

    for x, y in TOUCH_BENCH.card_centres:
        for dx in (-TOUCH_BENCH.jitter, TOUCH_BENCH.jitter):
            for dy in (-TOUCH_BENCH.jitter, TOUCH_BENCH.jitter):
                target = Pose(np.array([x + dx, y + dy, TABLE_Z + 0.025]), ARM.ready_tcp.quaternion)
                assert ARM.kinematics.inverse(target, ARM.ready).ok


def test_a_target_out_of_reach_is_reported_and_not_pretended():
    result = ARM.kinematics.inverse(Pose(np.array([0.8, 0, 0]), ARM.ready_tcp.quaternion), ARM.ready)
    assert not result.ok and "no joint solution" in result.problem and result.position_error > 0.1


def test_masses_are_those_of_the_fact_sheet_when_it_is_at_hand():
    sheet = Path(__file__).parents[3] / "shared/facts/robots.md"
    if not sheet.exists():
        pytest.skip("the fact sheet is not on this machine")
    line = next(line for line in sheet.read_text().splitlines() if line.startswith("Masses kg: base 0.5387"))
    listed = dict(re.findall(r"(\w+) (0\.\d{4})", line.split("Centres")[0]))
    urdf = ElementTree.parse(ARM.urdf)
    for name, mass in listed.items():
        links = [e for e in urdf.iter("link") if name in e.get("name") and e.find("inertial") is not None]
        assert any(float(e.find("inertial/mass").get("value")) == float(mass) for e in links), name
