"""The expert as a policy of chunks: it plans ahead from one observation, and can continue a chunk that is under way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from policy_server.policies.expert import position_of
from policy_server.policies.legs import Start, legs_of, roll
from touchstone.control.strategies import soft_mask
from touchstone.control.strategies.blending import blend
from touchstone.errors import PolicyFailure
from touchstone.geometry import Pose, quaternion_from_rotation
from touchstone.policy import ActionKind, Chunk, PolicyContract, Prior
from touchstone.robots.base import arm as find_arm
from touchstone.spec import Brief
from touchstone.tasks.emoji.pick_rule import CUBE, is_grasped
from touchstone.world import Observation, Privileged

LENGTH = 32
#: a short time [s] over which a speed is taken from the joints' velocities
_MOMENT = 1e-3


class ExpertChunksPolicy:
    """Answers `length` actions with the simulator's knowledge; journalled as privileged.

    It remembers nothing: like a learned policy of chunks, it plans from the present observation alone, and its plan
    supposes that the arm goes where it is sent. Asked with a prior, it plans from where the frozen elements will have
    brought the arm, and beyond them holds its own plan to the old one by real-time chunking's soft mask.
    kind: `target_delta`, or `ee_abs` for the same plan as poses.
    """

    def __init__(self, length: int = LENGTH, kind: ActionKind = "target_delta"):
        self.contract = PolicyContract(
            name="expert-chunks" if kind == "target_delta" else "expert-chunks-absolute",
            version="1",
            action_kind=kind,
            rotation_format="rotation_vector" if kind == "target_delta" else "quaternion_wxyz",
            chunk_length=length,
            execute=max(1, length // 2),
            inpaints=True,
            needs_privileged=True,
        )
        self._brief: Brief | None = None

    def reset(self, brief: Brief) -> None:
        self._brief = brief

    def infer(self, observation: Observation, prior: Prior | None = None) -> Chunk:
        if self._brief is None:
            raise PolicyFailure("expert-chunks was asked before its first episode began; call reset first.")
        if observation.privileged is None:
            raise PolicyFailure("expert-chunks needs privileged facts and there are none; run it in a twin.")
        told, dt = observation.privileged, 1.0 / self._brief.rate_hz
        kind, length = self.contract.action_kind, self.contract.chunk_length
        start = _start(observation, told)
        frozen = 0 if prior is None else min(prior.frozen, length)
        if frozen:
            start = _after(start, kind, prior.actions[:frozen], prior.gripper[:frozen], dt)
        card = position_of(told, told.spec.target)[:2]
        cube = position_of(told, CUBE) if CUBE in told.facts.objects else None
        legs = legs_of(self._brief.task, start, card, cube)
        deltas, gripper = roll(legs, start, length - frozen, self._brief.rate_hz)
        actions = deltas if kind == "target_delta" else _poses(start.commanded, deltas)
        if prior is not None:
            actions, gripper = _continued(kind, prior, frozen, actions, gripper)
        return Chunk(observation.id, observation.stamp_ns, dt, kind, actions, gripper)


class ExpertChunksAbsolutePolicy(ExpertChunksPolicy):
    """With poses: an element that is left out is not missing from the way."""

    def __init__(self):
        super().__init__(kind="ee_abs")


def _start(observation: Observation, told: Privileged) -> Start:
    kinematics = find_arm(told.spec.robot).kinematics
    joints = observation.joints
    ahead = kinematics.forward(joints.position + joints.velocity * _MOMENT).position
    return Start(
        commanded=observation.ee_commanded,
        measured=observation.ee.position,
        velocity=(ahead - kinematics.forward(joints.position).position) / _MOMENT,
        opening=observation.gripper.opening,
        closing=told.facts.opening_commanded.value < 0.5,
        held=CUBE in told.facts.objects and is_grasped(told.facts),
    )


def _after(start: Start, kind: ActionKind, actions: np.ndarray, gripper: np.ndarray, dt: float) -> Start:
    """Where these actions will have brought the arm, if it follows; what the fingers hold is taken as it is now."""
    poses = actions if kind == "ee_abs" else _poses(start.commanded, actions)
    way = np.array([start.commanded.to_list(), *poses])
    commanded = Pose.from_list(way[-1])
    return replace(
        start,
        commanded=commanded,
        measured=start.measured + commanded.position - start.commanded.position,
        velocity=(way[-1, :3] - way[-2, :3]) / dt,
        closing=bool(gripper[-1] < 0.5),
    )


def _poses(commanded: Pose, deltas: np.ndarray) -> np.ndarray:
    """The poses that `target_delta` actions float64[N,6] lead to, one after the other: float64[N,7]."""
    poses = []
    for delta in deltas:
        rotation = Rotation.from_rotvec(delta[3:]) * commanded.rotation()
        commanded = Pose(commanded.position + delta[:3], quaternion_from_rotation(rotation))
        poses.append(commanded.to_list())
    return np.reshape(poses, (len(poses), 7))


def _continued(
    kind: ActionKind, prior: Prior, frozen: int, actions: np.ndarray, gripper: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The frozen elements of the prior, then the new ones, held to the rest of the prior by the soft mask."""
    actions = np.concatenate([prior.actions[:frozen], actions])
    gripper = np.concatenate([prior.gripper[:frozen], gripper])
    mask = soft_mask(len(actions), frozen, len(prior.actions))
    for k in range(frozen, min(len(actions), len(prior.actions))):
        both = np.array([prior.actions[k], actions[k]])
        actions[k], _ = blend(kind, both, gripper[[k, k]], np.array([mask[k], 1.0 - mask[k]]))
    return actions, gripper
