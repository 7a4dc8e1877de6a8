"""The twin as a World: one process, its own clock, everything a function of the spec."""

from __future__ import annotations

import itertools
from dataclasses import replace
from importlib.metadata import version

import gymnasium
import numpy as np
import torch

from sim_twin.bench_env import SIM_FREQUENCY
from sim_twin.camera import SceneCamera
from sim_twin.rendering import check_shader, render_backend, require_vulkan
from touchstone.calibration import Calibration, for_camera
from touchstone.cameras import CameraModel
from touchstone.control.embodiment import ACTION_KINDS, Embodiment
from touchstone.errors import UsageError, WorldFailure
from touchstone.facts import Event, Fact, Facts
from touchstone.policy import Chunk
from touchstone.robots.base import arm as find_arm
from touchstone.spec import Spec
from touchstone.world import (
    CameraFrame,
    GripperState,
    JointState,
    Observation,
    Privileged,
    WorldOffer,
    WorldRequest,
)

SUBSTEP_NS = round(1e9 / SIM_FREQUENCY)


def make_world(request: WorldRequest) -> TwinWorld:
    """The registered world `twin`."""
    return TwinWorld(request)


class TwinWorld:
    """One arm on its bench in ManiSkill. The clock `sim` starts at 0 ns with every episode.

    Deterministic: equal specs and equal chunks give bitwise equal facts and pictures on one machine.
    """

    def __init__(self, request: WorldRequest) -> None:
        self._request = request
        self._shader = check_shader(request.shader)
        self._arm = find_arm(request.robot)
        self._camera_model = _camera_of(for_camera(request.camera, request.robot), request.camera)
        require_vulkan()
        torch.set_num_threads(1)
        self._env = gymnasium.make(
            "TouchstoneBench-v1",
            arm=self._arm,
            camera=self._camera_model,
            shader=self._shader,
            obs_mode="none",
            sim_backend="physx_cpu",
            render_backend=render_backend(),
        ).unwrapped
        self._env.reset(seed=0)
        self._robot = self._env.agent.robot._objs[0]
        self._camera = SceneCamera(self._env)
        # PhysX rounds the static poses in its first step, which moves a few hundred pixels by up to 5 levels; and
        # a first picture compiles shaders for seconds
        self._env.scene.step()
        self._camera.picture()
        joints = self._env.agent.robot.active_joints_map
        order = list(joints)
        self._arm_joints = [joints[name]._objs[0] for name in self._arm.joint_names]
        self._fingers = [joints[name]._objs[0] for name in self._arm.gripper.joints]
        self._arm_index = [order.index(name) for name in self._arm.joint_names]
        self._finger_index = [order.index(name) for name in self._arm.gripper.joints]
        self._embodiment = Embodiment(self._arm)
        self._ids = itertools.count(1)
        self._spec: Spec | None = None
        self._forget()

    def describe(self) -> WorldOffer:
        return WorldOffer(
            robot=self._arm.name,
            plant="twin",
            path="inproc",
            cameras={"scene": (self._camera_model.width, self._camera_model.height)},
            joint_names=self._arm.joint_names,
            action_kinds=ACTION_KINDS,
            privileged=True,
            shader=self._shader,
            versions={name: version(name) for name in ("mani_skill", "sapien", "torch", "numpy")},
        )

    def reset(self, spec: Spec) -> None:
        if spec.robot != self._arm.name or spec.camera != self._request.camera:
            raise UsageError(
                f"Episode {spec.episode} wants {spec.robot} seen by {spec.camera}, this twin is {self._arm.name} "
                f"seen by {self._request.camera}; start a twin for it."
            )
        if spec.dt_ns % SUBSTEP_NS:
            raise UsageError(
                f"Episode {spec.episode} runs at {spec.rate_hz:g} Hz; choose a rate that divides {SIM_FREQUENCY} Hz."
            )
        self._spec, self._step, self._now_ns = spec, 0, 0
        self._embodiment.reset(np.array(spec.start), 1.0)
        self._place_arm()
        shown = {placement.name: placement for placement in spec.layout}
        for card in self._env.cards:
            if card.name in shown:
                card.show(shown[card.name])
            else:
                card.hide()
        self._forget()

    def observe(self) -> Observation:
        self._need_spec()
        if self._observation is None:
            self._observation = self._look()
        return self._observation

    def command(self, chunk: Chunk | None) -> None:
        self._need_spec()
        self._embodiment.command(chunk, self._now_ns, self._step)

    def advance(self, until_ns: int) -> None:
        spec = self._need_spec()
        while self._now_ns < until_ns:
            self._tick(spec.dt_ns // SUBSTEP_NS)
            self._step += 1
        self._forget()

    def facts(self) -> Facts:
        spec = self._need_spec()
        if self._facts is None:
            self._facts = self._gather(spec)
        return self._facts

    def events(self) -> list[Event]:
        return self._embodiment.drain_events()

    def close(self) -> None:
        if self._env is not None:
            self._env.close()
            self._env = None

    def _need_spec(self) -> Spec:
        if self._spec is None:
            raise WorldFailure("The twin was asked before its first reset; reset it with a spec first.")
        return self._spec

    def _forget(self) -> None:
        self._observation: Observation | None = None
        self._facts: Facts | None = None

    def _place_arm(self) -> None:
        start = self._embodiment.setpoint
        qpos = np.zeros(self._robot.dof, dtype=np.float32)
        qpos[self._arm_index] = start.joints
        qpos[self._finger_index] = self._arm.gripper.finger_position(start.opening)
        self._robot.set_qpos(qpos)
        self._robot.set_qvel(np.zeros_like(qpos))
        self._robot.set_qf(np.zeros_like(qpos))
        self._drive(start.joints, start.opening)

    def _drive(self, joints: np.ndarray, opening: float) -> None:
        for joint, target in zip(self._arm_joints, joints, strict=True):
            joint.set_drive_target(target)
        for finger in self._fingers:
            finger.set_drive_target(self._arm.gripper.finger_position(opening))

    def _tick(self, substeps: int) -> None:
        before = self._embodiment.setpoint.joints
        now = self._embodiment.step(self._now_ns, self._step, self._arm.kinematics.forward(self._joints()))
        for k in range(1, substeps + 1):
            # a straight line in joint space, so that a 5 Hz command is not a 5 Hz jerk
            self._drive(before + (now.joints - before) * (k / substeps), now.opening)
            self._env.scene.step()
        self._now_ns += substeps * SUBSTEP_NS

    def _joints(self) -> np.ndarray:
        return self._robot.get_qpos()[self._arm_index].astype(np.float64)

    def _opening(self) -> float:
        fingers = self._robot.get_qpos()[self._finger_index].astype(np.float64)
        return self._arm.gripper.opening(float(fingers.mean()))

    def _gather(self, spec: Spec) -> Facts:
        setpoint = self._embodiment.setpoint
        joints = self._joints()
        return Facts(
            step=self._step,
            stamp_ns=self._now_ns,
            tcp=Fact(value=self._arm.kinematics.forward(joints).to_list(), frame="base", source="sim"),
            tcp_commanded=Fact(value=setpoint.tcp.to_list(), frame="base", source="sim"),
            joints=Fact(value=joints.tolist(), source="sim"),
            opening=Fact(value=self._opening(), source="sim"),
            opening_commanded=Fact(value=setpoint.opening, source="sim"),
            objects={
                card.name: Fact(value=card.pose(), frame="base", source="sim")
                for card in self._env.cards
                if card.name in {placement.name for placement in spec.layout}
            },
        )

    def _look(self) -> Observation:
        spec = self._need_spec()
        joints = self._joints()
        velocity = self._robot.get_qvel()[self._arm_index].astype(np.float64)
        setpoint = self._embodiment.setpoint
        drives = self._arm.drives
        effort = drives.stiffness * (setpoint.joints - joints) - drives.damping * velocity
        frame = CameraFrame(self._camera.picture(), self._now_ns, "sim", self._camera_model)
        opening = self._opening()
        return Observation(
            id=next(self._ids),
            episode=spec.episode,
            step=self._step,
            stamp_ns=self._now_ns,
            clock="sim",
            cameras={"scene": frame},
            joints=JointState(self._arm.joint_names, joints, velocity, np.clip(effort, -drives.force, drives.force)),
            ee=self._arm.kinematics.forward(joints),
            ee_commanded=setpoint.tcp,
            gripper=GripperState(opening, self._arm.gripper.width(self._arm.gripper.finger_position(opening))),
            instruction=spec.instruction,
            privileged=Privileged(spec, self.facts()) if self._request.privileged else None,
        )


def _camera_of(calibration: Calibration, name: str) -> CameraModel:
    """The scene camera as the twin renders it. Raises UsageError for what a calibration asks and the twin cannot do."""
    reproduced = {"robot", "cameras", "measured", "schema_version"}
    nominal = Calibration(robot=calibration.robot, cameras=calibration.cameras)
    beyond = [
        field
        for field in Calibration.model_fields
        if field not in reproduced and getattr(calibration, field) != getattr(nominal, field)
    ]
    if calibration.cameras["scene"].latency_s:
        beyond.append("cameras.scene.latency_s")
    if beyond:
        raise UsageError(
            f"The twin cannot reproduce {', '.join(beyond)} of {name} yet; leave them out to use its camera alone."
        )
    # SAPIEN renders without lens distortion, and a policy must be told what it sees
    return replace(calibration.cameras["scene"].model(), distortion=np.zeros(5))
