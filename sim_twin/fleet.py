"""Many twins that one physics engine steps and one renderer draws, on an NVIDIA GPU (ManiSkill's `physx_cuda`).

It has not been run on a GPU yet: what is tested is the same code with one scene on the CPU. PhysX computes differently
on a GPU, so facts and pictures are not those of the world `twin`, and it is a world of its own, `twin-cuda`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import gymnasium
import numpy as np
import sapien
import sapien.physx
import torch

from sim_twin.camera import bytes_of, camera_of
from sim_twin.fleet_env import FleetEnv
from sim_twin.fleet_motors import FleetMotors
from sim_twin.official import dressed_urdf
from sim_twin.rendering import check_shader, render_backend, require_vulkan
from sim_twin.world import TwinWorld
from touchstone.calibration import for_camera
from touchstone.control.embodiment import Setpoint
from touchstone.errors import MissingPart, UsageError, WorldFailure
from touchstone.geometry import Pose
from touchstone.robots.base import Arm
from touchstone.robots.base import arm as find_arm
from touchstone.spec import Spec
from touchstone.world import WorldOffer, WorldRequest


def make_fleet(request: WorldRequest, count: int) -> ParallelTwins:
    """The registered fleet `twin-cuda`. Raises UsageError for a request that it cannot fulfil."""
    if not torch.cuda.is_available():
        raise MissingPart("World twin-cuda needs an NVIDIA GPU that torch can use; use --world twin, which needs none.")
    return ParallelTwins(request, count, "physx_cuda")


def make_world(request: WorldRequest) -> ParallelTwin:
    """The registered world `twin-cuda`: a fleet of one."""
    return make_fleet(request, 1).members[0]


@dataclass(frozen=True)
class Sensed:
    """What was fetched after the last step; the first axis of every array is the member.

    joints, velocities: all joints in ManiSkill's order, [rad], [m], [rad/s], [m/s]. props: poses of the boxes' middles
    in the base frame, x y z [m] w x y z. forces: name -> [N] of each finger on it, [member, finger, 3], base frame.
    """

    joints: np.ndarray
    velocities: np.ndarray
    props: dict[str, np.ndarray]
    forces: dict[str, np.ndarray]


class ParallelTwins:
    """As many benches as `count`; `members` are their worlds.

    All of them are reset together, because a GPU's scenes can only be rebuilt together. sim_backend: `physx_cpu` takes
    one bench only, and exists for the tests.
    """

    resets_together = True

    def __init__(self, request: WorldRequest, count: int, sim_backend: Literal["physx_cuda", "physx_cpu"]) -> None:
        if request.variant is not None:
            raise UsageError(f"World twin-cuda has no variant '{request.variant}'; shadows run on the CPU.")
        if request.scene != "cards":
            raise UsageError(f"World twin-cuda has no scene '{request.scene}'; use --world twin.")
        if request.gate != "off":
            raise UsageError("World twin-cuda runs no safety gate; use --world twin.")
        if request.overlay is not None:
            raise UsageError("World twin-cuda lays no photograph behind its pictures; use --world twin.")
        shader = check_shader(request.shader)
        if shader == "rt":
            raise UsageError("World twin-cuda traces no rays; use --shader minimal or default, or --world twin.")
        if sim_backend == "physx_cuda":
            _enable_gpu_physics()
        require_vulkan()
        self._arm = find_arm(request.robot)
        self.env: FleetEnv | None = gymnasium.make(
            "TouchstoneFleet-v1",
            num_envs=count,
            arm=self._arm,
            camera=camera_of(for_camera(request.camera, request.robot), request.camera) if request.pictures else None,
            shader=shader,
            urdf=dressed_urdf(self._arm) if request.meshes == "official" else None,
            obs_mode="none",
            sim_backend=sim_backend,
            render_backend=render_backend(),
        ).unwrapped
        self._pictures: np.ndarray | None = None
        self.members = [ParallelTwin(self, place, request) for place in range(count)]

    def reset(self, specs: Mapping[int, Spec]) -> None:
        """Begins an episode in each of the named members and leaves the others idle."""
        for place, spec in specs.items():
            self.members[place].begin(spec)
        some = next(iter(specs.values()))
        layouts = [specs.get(place, some).layout for place in range(len(self.members))]
        named = [[placement.name for placement in layout] for layout in layouts]
        if any(names != named[0] for names in named):
            raise UsageError("Episodes that run together must put the same things on the table; run them one by one.")
        self.env.reset(seed=0, options={"reconfigure": True, "layouts": layouts})
        self._felt = [placement.name for placement in some.layout if placement.kind != "card"]
        self._motors = FleetMotors(self.env, self._arm)
        self._motors.place(self._setpoints())
        self._sense(touching=False)

    def advance(self, until_ns: Mapping[int, int]) -> None:
        """Lets the named members' clocks run to the given times. Raises WorldFailure if these are not equally far."""
        wanted = [(self.members[place], until) for place, until in until_ns.items()]
        while moving := [member for member, until in wanted if member.now_ns < until]:
            if len(moving) != len(until_ns) or len({member.tick_ns for member in moving}) > 1:
                raise WorldFailure("One step moves all of a fleet; its episodes must move on by equal times.")
            before = self._setpoints()
            for member in moving:
                member.decide()
            self._motors.go(before, self._setpoints(), moving[0].substeps)
            self._sense(touching=True)

    def close(self) -> None:
        if self.env is not None:
            self.env.close()
            self.env = None

    def picture(self, place: int) -> np.ndarray:
        """uint8[H,W,3] RGB of one member's present state; all are drawn when the first is asked for."""
        if self._pictures is None:
            self.env.scene.update_render(update_sensors=True, update_human_render_cameras=False)
            sensor = self.env.scene.sensors["scene"]
            sensor.capture()
            self._pictures = bytes_of(sensor.camera.get_picture("Color")[0].cpu().numpy())
        return self._pictures[place].copy()

    def _setpoints(self) -> list[Setpoint]:
        return [member.setpoint for member in self.members]

    def _sense(self, touching: bool) -> None:
        """Fetches everything that facts are made of, once for all members. touching: whether contacts exist yet."""
        self._pictures = None
        scene, robot = self.env.scene, self.env.agent.robot
        if scene.gpu_sim_enabled:
            scene._gpu_fetch_all()
        self.sensed = Sensed(
            joints=_array(robot.get_qpos()),
            velocities=_array(robot.get_qvel()),
            props={name: _array(actor.pose.raw_pose) for name, actor in self.env.placed.items()},
            forces={
                name: np.stack([_array(scene.get_pairwise_contact_forces(actor, pad)) for pad in self._motors.pads], 1)
                for name, actor in self.env.placed.items()
                if touching and name in self._felt
            },
        )


class ParallelTwin(TwinWorld):
    """One bench of a fleet. By itself it can be driven as a World only if the fleet has no other."""

    def __init__(self, fleet: ParallelTwins, place: int, request: WorldRequest) -> None:
        self._fleet, self._place = fleet, place
        self._ready(request)
        self._env = fleet.env
        self._drives = _Sensors(fleet, place, self._arm)
        self._camera = _Drawn(fleet, place) if request.pictures else None

    @property
    def now_ns(self) -> int:
        return self._now_ns

    @property
    def tick_ns(self) -> int:
        return self._need_spec().dt_ns

    @property
    def substeps(self) -> int:
        """Physics steps of a tick."""
        return self.tick_ns // self._substep_ns

    @property
    def setpoint(self) -> Setpoint:
        return self._embodiment.setpoint

    def describe(self) -> WorldOffer:
        offer = super().describe()
        physx = {"physx": self._fleet.env.backend.sim_backend}
        return offer.model_copy(update={"versions": offer.versions | physx})

    def reset(self, spec: Spec) -> None:
        self._fleet.reset({self._place: spec})

    def advance(self, until_ns: int) -> None:
        self._fleet.advance({self._place: until_ns})

    def close(self) -> None:
        self._fleet.close()

    def begin(self, spec: Spec) -> None:
        """Takes the episode; the fleet builds its scene."""
        self._begin(spec)

    def decide(self) -> None:
        """Brings clock, step and set-point to the end of the coming tick; the fleet carries it out."""
        measured = self._arm.kinematics.forward(self._drives.positions())
        self._embodiment.step(self._now_ns, self._step, measured)
        self._now_ns += self.tick_ns
        self._step += 1
        self._forget()

    def _prop_pose(self, name: str) -> list[float]:
        middle = self._fleet.sensed.props[name][self._place]
        return self._env.props[name].pose(sapien.Pose(middle[:3], middle[3:]))

    def _finger_forces(self, name: str, tcp: Pose) -> list[float]:
        if name not in self._fleet.sensed.forces:
            return [0.0] * 6
        return tcp.rotation().inv().apply(self._fleet.sensed.forces[name][self._place]).ravel().tolist()


class _Sensors:
    """What `TwinWorld` reads of one arm."""

    def __init__(self, fleet: ParallelTwins, place: int, arm: Arm) -> None:
        self._fleet, self._place, self._arm = fleet, place, arm
        order = list(fleet.env.agent.robot.active_joints_map)
        self._joints = [order.index(name) for name in arm.joint_names]
        self._fingers = [order.index(name) for name in arm.gripper.joints]

    def positions(self) -> np.ndarray:
        return self._fleet.sensed.joints[self._place, self._joints].astype(np.float64)

    def velocities(self) -> np.ndarray:
        return self._fleet.sensed.velocities[self._place, self._joints].astype(np.float64)

    def opening(self) -> float:
        fingers = self._fleet.sensed.joints[self._place, self._fingers].astype(np.float64)
        return self._arm.gripper.opening(float(fingers.mean()))


class _Drawn:
    """One member's camera."""

    def __init__(self, fleet: ParallelTwins, place: int) -> None:
        self._fleet, self._place = fleet, place

    def picture(self) -> np.ndarray:
        return self._fleet.picture(self._place)


def _enable_gpu_physics() -> None:
    """Raises MissingPart. SAPIEN fetches PhysX's GPU library from its GitHub releases when it is enabled first."""
    if sapien.physx.is_gpu_enabled():
        return
    try:
        sapien.physx.enable_gpu()
    except (RuntimeError, OSError) as error:
        raise MissingPart(
            f"PhysX does not start on the GPU ({error}); it needs its library in ~/.sapien/physx, which SAPIEN "
            "fetches, and a process in which no other twin ran before."
        ) from error


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().copy()
