"""A ManiSkill agent made from any `touchstone.robots` arm, so that the twin has no robot facts of its own."""

from __future__ import annotations

from pathlib import Path

import sapien
from mani_skill.agents.base_agent import BaseAgent, Keyframe
from mani_skill.agents.controllers import PDJointPosControllerConfig, PDJointPosMimicControllerConfig, deepcopy_dict

from touchstone.robots.base import Arm


def agent_class(arm: Arm, urdf: Path) -> type[BaseAgent]:
    """The agent class of an arm: PD joint-position drives with its gains, fingers mirrored. urdf: what is loaded."""

    class ArmAgent(BaseAgent):
        uid = f"touchstone-{arm.name}"
        urdf_path = str(urdf)
        # collision boxes of neighbouring links and of bar and fingers overlap
        disable_self_collisions = True
        keyframes = {  # noqa: RUF012 - how ManiSkill declares them
            "ready": Keyframe(qpos=[*arm.ready, arm.gripper.open, arm.gripper.open], pose=sapien.Pose())
        }

        @property
        def _controller_configs(self):
            stiffness, damping, force = arm.drives.finger
            return deepcopy_dict(
                {
                    "pd_joint_pos": {
                        "arm": PDJointPosControllerConfig(
                            list(arm.joint_names),
                            lower=None,
                            upper=None,
                            stiffness=list(arm.drives.stiffness),
                            damping=list(arm.drives.damping),
                            force_limit=list(arm.drives.force),
                            normalize_action=False,
                        ),
                        "gripper": PDJointPosMimicControllerConfig(
                            list(arm.gripper.joints),
                            lower=None,
                            upper=None,
                            stiffness=stiffness,
                            damping=damping,
                            force_limit=force,
                            normalize_action=False,
                            mimic={arm.gripper.joints[1]: {"joint": arm.gripper.joints[0]}},
                        ),
                    }
                }
            )

    return ArmAgent
