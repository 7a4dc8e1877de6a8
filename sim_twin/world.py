"""The twin as a World: one process, its own clock, everything a function of the spec."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from importlib.metadata import version

import gymnasium
import numpy as np
import sapien
import torch

from sim_twin.camera import SceneCamera, camera_of
from sim_twin.drives import Drives
from sim_twin.finger_forces import finger_forces
from sim_twin.gated import TwinGate
from sim_twin.official import dressed_urdf
from sim_twin.overlay import load_overlay
from sim_twin.rendering import check_shader, render_backend, require_vulkan
from sim_twin.shifts import Shifts, bend_camera, bend_scene
from sim_twin.surroundings import surroundings
from touchstone.calibration import for_camera
from touchstone.control.embodiment import ACTION_KINDS, Embodiment
from touchstone.errors import UsageError, WorldFailure
from touchstone.facts import Event, Fact, Facts
from touchstone.geometry import Pose
from touchstone.policy import Chunk
from touchstone.robots.base import arm as find_arm
from touchstone.spec import Placement, Spec
from touchstone.world import (
    CameraFrame,
    GripperState,
    JointState,
    Observation,
    Privileged,
    WorldOffer,
    WorldRequest,
)


def make_world(request: WorldRequest) -> TwinWorld:
    """The registered world `twin`. Raises UsageError for a variant: only shadows have some."""
    if request.variant is not None:
        raise UsageError(f"The twin has no variant '{request.variant}'; use --world twin, or --world shadow:...")
    return TwinWorld(request)


class TwinWorld:
    """One arm in its scene in ManiSkill. The clock `sim` starts at 0 ns with every episode.

    Deterministic: equal specs and equal chunks give bitwise equal facts and pictures on one machine.
    shifts: what differs from the bench that the twin says it is; none unless it is a shadow.
    """

    plant = "twin"

    def __init__(self, request: WorldRequest, shifts: Shifts | None = None) -> None:
        self._ready(request)
        shifts = shifts or Shifts(looks=self._surroundings.looks)
        require_vulkan()
        torch.set_num_threads(1)
        self._env = gymnasium.make(
            self._surroundings.env,
            arm=self._arm,
            camera=bend_camera(self._camera_model, shifts) if request.pictures else None,
            shader=self._shader,
            looks=shifts.looks,
            urdf=dressed_urdf(self._arm) if request.meshes == "official" else None,
            obs_mode="none",
            sim_backend="physx_cpu",
            render_backend=render_backend(),
            **self._surroundings.settings(request),
        ).unwrapped
        self._shifts = shifts
        self._rebuild()
        if self._camera is not None:
            # the first picture compiles shaders for seconds
            self._camera.picture()

    def describe(self) -> WorldOffer:
        size = (self._camera_model.width, self._camera_model.height)
        return WorldOffer(
            robot=self._arm.name,
            plant=self.plant,
            path="inproc",
            cameras={"scene": size} if self._camera is not None else {},
            joint_names=self._arm.joint_names,
            action_kinds=ACTION_KINDS,
            privileged=True,
            shader=self._shader if self._camera is not None else None,
            versions={name: version(name) for name in ("mani_skill", "sapien", "torch", "numpy")},
        )

    def reset(self, spec: Spec) -> None:
        self._begin(spec)
        self._rebuild(spec.layout)
        self._surroundings.begin(self._env, self._drives, self._embodiment.setpoint, spec.layout)
        if self._overlay is not None:
            self._overlay.keep(self._foreground(spec.layout))

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
            self._tick(spec.dt_ns // self._substep_ns)
            self._step += 1
        self._forget()

    def facts(self) -> Facts:
        spec = self._need_spec()
        if self._facts is None:
            self._facts = self._gather(spec)
        return self._facts

    def events(self) -> list[Event]:
        return [*self._embodiment.drain_events(), *self._gate.drain_events(self._step)]

    def close(self) -> None:
        if self._env is not None:
            self._env.close()
            self._env = None

    def _ready(self, request: WorldRequest) -> None:
        """All but the scene. Raises UsageError for a request that no twin can fulfil."""
        self._request = request
        self._surroundings = surroundings(request.scene)
        self._substep_ns = round(1e9 / self._surroundings.physics_hz)
        self._shader = check_shader(request.shader)
        self._arm = find_arm(request.robot)
        # a policy is told this camera, whatever a shadow renders
        self._camera_model = camera_of(for_camera(request.camera, request.robot), request.camera)
        size = (self._camera_model.width, self._camera_model.height)
        self._overlay = load_overlay(request.overlay, *size) if request.overlay else None
        self._embodiment = Embodiment(self._arm, self._surroundings.rules)
        if request.gate != "off" and not self._surroundings.rules.straight:
            raise UsageError(f"The gate guards benches with cards, and not '{request.scene}'; leave --gate out.")
        self._gate = TwinGate(self._arm, request.gate)
        self._ids = itertools.count(1)
        self._spec: Spec | None = None
        self._forget()

    def _begin(self, spec: Spec) -> None:
        """The clock and what is commanded at the start of an episode. Raises UsageError for one that is not possible
        here."""
        if spec.robot != self._arm.name or spec.camera != self._request.camera:
            raise UsageError(
                f"Episode {spec.episode} wants {spec.robot} seen by {spec.camera}, this twin is {self._arm.name} "
                f"seen by {self._request.camera}; start a twin for it."
            )
        if spec.dt_ns % self._substep_ns:
            raise UsageError(
                f"Episode {spec.episode} runs at {spec.rate_hz:g} Hz; choose a rate that divides "
                f"{self._surroundings.physics_hz} Hz."
            )
        misfit = self._surroundings.misfit(spec)
        if misfit:
            raise UsageError(f"Episode {spec.episode} {misfit}; start a twin for it.")
        self._spec, self._step, self._now_ns = spec, 0, 0
        self._embodiment.reset(np.array(spec.start), 1.0)
        self._gate.begin(np.array(spec.start), 1.0)
        self._forget()

    def _rebuild(self, layout: Sequence[Placement] = ()) -> None:
        """A new scene: in one that was used before, PhysX solves contacts in an order that depends on what was touched
        earlier, and the last bits of a grasp with it."""
        shifts = self._shifts
        self._env.reset(seed=0, options={"reconfigure": True, "layout": layout})
        around = self._surroundings
        self._drives = Drives(
            self._env.agent.robot,
            self._arm,
            delay=round(shifts.latency_s * around.physics_hz),
            play=shifts.backlash,
            finger_targets=around.rules.fingers,
            patch_radius=around.patch_radius,
        )
        bend_scene(self._env, self._drives, self._arm.gripper.friction, shifts)
        self._camera = SceneCamera(self._env, shifts.tint, self._overlay) if self._request.pictures else None
        # PhysX rounds the static poses in its first step, which moves a few hundred pixels by up to 5 levels
        self._env.scene.step()

    def _foreground(self, layout: Sequence[Placement]) -> Iterator[sapien.Entity]:
        """The arm, and the things of an episode that a photograph does not show already."""
        yield from (link.entity for link in self._env.agent.robot._objs[0].links)
        for placement in layout:
            if placement.kind not in self._surroundings.in_photographs:
                yield self._env.props[placement.name].body.entity

    def _need_spec(self) -> Spec:
        if self._spec is None:
            raise WorldFailure("The twin was asked before its first reset; reset it with a spec first.")
        return self._spec

    def _forget(self) -> None:
        self._observation: Observation | None = None
        self._facts: Facts | None = None

    def _tick(self, substeps: int) -> None:
        before, measured = self._embodiment.setpoint.joints, self._drives.positions()
        now = self._embodiment.step(self._now_ns, self._step, self._arm.kinematics.forward(measured), measured)
        for k in range(1, substeps + 1):
            if self._surroundings.rules.straight:
                # a straight line in joint space, so that a 5 Hz command is not a 5 Hz jerk
                joints = before + (now.joints - before) * (k / substeps)
                at_ns = self._now_ns + k * self._substep_ns
                self._drives.send(*self._gate.pass_on(joints, now.opening, at_ns, self._drives))
            elif k == 1:
                self._drives.send(now.joints, now.opening)
            else:
                self._drives.go_on()
            self._env.scene.step()
        self._now_ns += substeps * self._substep_ns

    def _gather(self, spec: Spec) -> Facts:
        setpoint = self._embodiment.setpoint
        joints = self._drives.positions()
        tcp = self._arm.kinematics.forward(joints)
        return Facts(
            step=self._step,
            stamp_ns=self._now_ns,
            tcp=Fact(value=tcp.to_list(), frame="base", source="sim"),
            tcp_commanded=Fact(value=setpoint.tcp.to_list(), frame="base", source="sim"),
            joints=Fact(value=joints.tolist(), source="sim"),
            joint_velocities=Fact(value=self._drives.velocities().tolist(), source="sim"),
            opening=Fact(value=self._drives.opening(), source="sim"),
            opening_commanded=Fact(value=setpoint.opening, source="sim"),
            objects={
                placement.name: Fact(value=self._prop_pose(placement.name), frame="base", source="sim")
                for placement in spec.layout
            },
            finger_forces={
                placement.name: Fact(
                    value=self._finger_forces(placement.name, tcp),
                    frame="tcp",
                    source="sim",
                )
                for placement in spec.layout
                if placement.kind != "card"
            },
            **self._surroundings.more_facts(self._env, spec.layout),
        )

    def _prop_pose(self, name: str) -> list[float]:
        return self._env.props[name].pose()

    def _finger_forces(self, name: str, tcp: Pose) -> list[float]:
        return finger_forces(self._env.scene, self._drives.fingers, self._env.props[name], tcp)

    def _look(self) -> Observation:
        spec = self._need_spec()
        joints, velocity = self._drives.positions(), self._drives.velocities()
        setpoint = self._embodiment.setpoint
        effort = self._arm.drives.effort(setpoint.joints, joints, velocity)
        cameras = {}
        if self._camera is not None:
            cameras["scene"] = CameraFrame(self._camera.picture(), self._now_ns, "sim", self._camera_model)
        opening = self._drives.opening()
        return Observation(
            id=next(self._ids),
            episode=spec.episode,
            step=self._step,
            stamp_ns=self._now_ns,
            clock="sim",
            cameras=cameras,
            joints=JointState(self._arm.joint_names, joints, velocity, effort),
            ee=self._arm.kinematics.forward(joints),
            ee_commanded=setpoint.tcp,
            gripper=GripperState(opening, self._arm.gripper.width(self._arm.gripper.finger_position(opening))),
            instruction=spec.instruction,
            privileged=Privileged(spec, self.facts()) if self._request.privileged else None,
        )
