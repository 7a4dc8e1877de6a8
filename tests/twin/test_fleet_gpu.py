"""The code that drives many scenes on a GPU, as far as it runs without one: one scene on the CPU, and a test double."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from policy_server.policies.expert import ExpertPolicy
from sim_twin import fleet as parallel
from sim_twin.fleet_motors import FleetMotors
from sim_twin.world import make_world
from tests.twin.batching import batching
from touchstone.control.embodiment import Setpoint
from touchstone.data.journal import read_session
from touchstone.data.mcap_log import read_images
from touchstone.errors import MissingPart, UsageError, WorldFailure
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.fleet import Fleet
from touchstone.evaluation.session import run_session, run_with
from touchstone.robots.wx250s import ARM
from touchstone.world import WorldRequest

SMALL = "grinningface@128x96"
PRIVILEGED = partial(WorldRequest, "wx250s", SMALL, privileged=True)
READY = np.array(ARM.ready)


def config(task: str, trials: int) -> SessionConfig:
    return SessionConfig(
        task=task, world="twin", robot="wx250s", policy="expert", protocol="val", seed=0, trials=trials, camera=SMALL
    )


@pytest.fixture(scope="module")
def twin():
    world = make_world(PRIVILEGED())
    yield world
    world.close()


@pytest.mark.parametrize(("task", "trials"), [("touch-emoji", 2), ("pick-emoji", 1)])
def test_the_code_for_gpus_with_one_scene_on_the_cpu_gives_the_facts_of_the_twin(task, trials, twin, tmp_path):
    worlds = parallel.ParallelTwins(PRIVILEGED(), 1, "physx_cpu")
    run_with(Fleet(worlds, batching(ExpertPolicy, 4)()), config(task, trials), tmp_path / "parallel")
    assert worlds.members[0].describe().versions["physx"] == "physx_cpu"
    worlds.close()
    run_session(config(task, trials), tmp_path / "twin", twin, ExpertPolicy())
    ours, theirs = read_session(tmp_path / "parallel"), read_session(tmp_path / "twin")
    for one, other in zip(ours.lines, theirs.lines, strict=True):
        assert one.verdict == other.verdict and one.verdict.success
        for a, b in zip(ours.read(one).facts, theirs.read(other).facts, strict=True):
            assert a.model_copy(update={"finger_forces": {}}) == b.model_copy(update={"finger_forces": {}})
            for name, force in a.finger_forces.items():
                # ManiSkill's forces are 32 bit numbers
                assert np.allclose(force.value, b.finger_forces[name].value, atol=1e-4)
        shown = read_images(tmp_path / "parallel" / one.files["mcap"].path)
        wanted = read_images(tmp_path / "twin" / other.files["mcap"].path)
        gaps = [np.abs(a.astype(int) - b).max() for a, b in zip(shown, wanted, strict=True)]
        # the first picture is taken before the first step, in which PhysX rounds the static poses
        assert gaps[0] <= 5 and not any(gaps[1:])


def test_what_no_gpu_can_do_is_refused():
    if not torch.cuda.is_available():
        with pytest.raises(MissingPart, match="needs an NVIDIA GPU"):
            parallel.make_world(PRIVILEGED())
    with pytest.raises(UsageError, match="no variant 'light'"):
        parallel.ParallelTwins(PRIVILEGED(variant="light"), 2, "physx_cuda")
    with pytest.raises(UsageError, match="traces no rays"):
        parallel.ParallelTwins(PRIVILEGED(shader="rt"), 2, "physx_cuda")


def test_physics_that_does_not_start_on_the_gpu_is_one_sentence(monkeypatch):
    def refuse():
        raise RuntimeError("GPU PhysX can only be enabled once")

    monkeypatch.setattr(parallel.sapien.physx, "enable_gpu", refuse)
    with pytest.raises(MissingPart, match=r"can only be enabled once.* no other twin ran before"):
        parallel.ParallelTwins(PRIVILEGED(), 2, "physx_cuda")


class FakeGpu:
    """Takes down what a GPU's scenes are told, in order; no simulator."""

    def __init__(self, members: int):
        self.log: list = []
        names = [*ARM.gripper.joints, *ARM.joint_names]
        self.joints = {name: SimpleNamespace(name=name, child_link=name) for name in names}
        self.env = SimpleNamespace(scene=self, agent=SimpleNamespace(robot=self))
        self.members, self.px, self.gpu_sim_enabled, self.device = members, self, True, "cpu"

    @property
    def active_joints_map(self):
        return self.joints

    def get_qpos(self):
        return torch.zeros(self.members, len(self.joints))

    def set_joint_drive_targets(self, targets, joints):
        self.log.append(("targets", [joint.name for joint in joints], targets.numpy().copy()))

    def set_qpos(self, positions):
        self.log.append(("positions", positions.numpy().copy()))

    def __getattr__(self, name):
        return lambda *_: self.log.append((name,))


def test_the_arms_of_a_gpu_are_told_their_own_targets_before_every_step():
    gpu = FakeGpu(3)
    motors = FleetMotors(gpu.env, ARM)
    before = [Setpoint(READY + 0.1 * k, 1.0, None) for k in range(3)]
    after = [Setpoint(READY + 0.1 * k + 0.02 * k, 0.5 * k, None) for k in range(3)]
    motors.place(before)
    placed = next(entry[1] for entry in gpu.log if entry[0] == "positions")
    # in the GPU's order of joints, which here has the fingers first
    assert np.allclose(placed[:, 2:], [one.joints for one in before], atol=1e-6)
    assert np.allclose(placed[:, :2], ARM.gripper.finger_position(1.0))
    assert [entry[0] for entry in gpu.log][-2:] == ["_gpu_apply_all", "gpu_update_articulation_kinematics"]
    gpu.log.clear()
    motors.go(before, after, 4)
    assert [entry[0] for entry in gpu.log] == ["targets", "gpu_apply_articulation_target_position", "step"] * 4
    for k, (_, names, targets) in enumerate(gpu.log[::3], start=1):
        assert names == [*ARM.joint_names, *ARM.gripper.joints]
        for one, other, row in zip(before, after, targets, strict=True):
            assert np.allclose(row[:-2], one.joints + (other.joints - one.joints) * k / 4, atol=1e-6)
            assert np.allclose(row[-2:], ARM.gripper.finger_position(other.opening), atol=1e-6)


def test_episodes_of_a_gpu_move_on_by_equal_times():
    twins = object.__new__(parallel.ParallelTwins)
    twins.members = [SimpleNamespace(now_ns=0, tick_ns=200), SimpleNamespace(now_ns=200, tick_ns=200)]
    with pytest.raises(WorldFailure, match="by equal times"):
        twins.advance({0: 200, 1: 200})
    twins.members = [SimpleNamespace(now_ns=0, tick_ns=50), SimpleNamespace(now_ns=0, tick_ns=200)]
    with pytest.raises(WorldFailure, match="by equal times"):
        twins.advance({0: 50, 1: 200})
