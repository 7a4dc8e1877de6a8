"""Our rm75 and RealMan's own algorithm library put the flange at the same place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("Robotic_Arm.rm_robot_interface")

from Robotic_Arm import rm_robot_interface as sdk

from touchstone.robots.rm75 import ARM

FLANGE = "link_7"
GOLDEN = [  # [deg], of the maker's library: position [m] and quaternion wxyz
    ((0, 0, 0, 0, 0, 0, 0), (0, 0, 0.8505), (1, 0, 0, 0)),
    (
        (10, -20, 30, 40, -50, 60, 70),
        (0.090352, 0.055131, 0.723855),
        (0.768696, 0.226343, 0.519086, 0.297364),
    ),
]
joints = st.tuples(*[st.floats(low, high) for low, high in zip(ARM.limits.lower, ARM.limits.upper, strict=True)])


@pytest.fixture(scope="module")
def algorithm():
    return sdk.Algo(sdk.rm_robot_arm_model_e.RM_MODEL_RM_75_E, sdk.rm_force_type_e.RM_MODEL_RM_B_E)


@given(joints)
@settings(max_examples=300)
def test_the_flange_is_where_the_makers_library_puts_it(algorithm, angles):
    pose = ARM.kinematics.link_pose(np.array(angles), FLANGE)
    x, y, z, *quaternion = algorithm.rm_algo_forward_kinematics(np.degrees(angles).tolist(), flag=0)
    assert np.allclose(pose.position, (x, y, z), atol=1e-5)
    assert abs(np.dot(pose.quaternion, quaternion)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("degrees", "position", "quaternion"), GOLDEN)
def test_both_agree_with_known_poses(algorithm, degrees, position, quaternion):
    told = algorithm.rm_algo_forward_kinematics(list(degrees), flag=0)
    pose = ARM.kinematics.link_pose(np.radians(degrees), FLANGE)
    assert np.allclose(told[:3], position, atol=1e-5) and np.allclose(pose.position, position, atol=1e-5)
    assert abs(np.dot(told[3:], quaternion)) == pytest.approx(1, abs=1e-5)
    assert abs(np.dot(pose.quaternion, quaternion)) == pytest.approx(1, abs=1e-5)
