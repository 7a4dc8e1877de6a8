"""The bench as a World, over an arm of paper: its contract, its sentences, and what it does when something is late."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from hardware.bench.arm_side import ArmSide
from hardware.bench.dry_run import DryRun
from hardware.bench.world import OLD_PICTURE_NS, BenchWorld
from hardware.camera import BLIND, CameraHealth
from policy_server.policies.expert import ExpertPolicy
from tests.hardware.bench.paper_arm import PaperArm, TidyStage
from touchstone.bench import TABLE_Z
from touchstone.calibration import nominal
from touchstone.cameras import preset
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import UsageError, WorldFailure
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.session import run_session
from touchstone.geometry import Pose
from touchstone.policy import Chunk
from touchstone.robots.base import arm as find_arm
from touchstone.robots.wx250s import ARM
from touchstone.safety.clearance import LinkHeights
from touchstone.safety.settings import MS, GateSettings
from touchstone.safety.states import State
from touchstone.tasks.emoji.touch import TouchEmoji
from touchstone.world import CameraFrame

READY = np.array(ARM.ready)
SPEC = TouchEmoji().plan("val", 0, 0, ARM)
CAMERA = "grinningface"
WORDS = ("twin", "wire")
# a test that has to wait for a busy machine is no failure of the gate's
PATIENT = GateSettings(stale_hold=20_000 * MS, stale_stop=40_000 * MS, longest_tick=50 * MS, reading_age=20_000 * MS)


class Bench:
    """Everything of one bench, and its end."""

    def __init__(self, driver, arm=ARM, clock=REAL_TIME, stage=None, camera=None, **options) -> None:
        self.driver, self.clock = driver, clock
        self.side = ArmSide(driver, arm, clock, **options)
        self.stage = stage or TidyStage()
        self.world = BenchWorld(self.side, camera, self.stage, CAMERA, WORDS, clock, privileged=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.world.close()
        self.world.close()
        self.driver.close()


@pytest.fixture
def bench():
    driver = PaperArm(ARM, READY, settings=PATIENT)
    driver.rearm("test")
    with Bench(driver) as made:
        yield made


def nudge(observation, x: float = 0.005) -> Chunk:
    action = np.array([[x, 0, 0, 0, 0, 0]])
    return Chunk(observation.id, observation.stamp_ns, 0.2, "target_delta", action, np.ones(1))


def one_sentence(error) -> str:
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text
    return text


def test_ticks_lie_on_a_grid_and_what_is_seen_of_one_does_not_change(bench):
    world = bench.world
    world.reset(SPEC)
    first = world.observe()
    assert first is world.observe() and world.facts() is world.facts()
    assert (first.step, first.clock, first.stamp_ns) == (0, "monotonic", world.facts().stamp_ns)
    assert np.allclose(first.joints.position, SPEC.start, atol=0.02)
    for k in range(1, 4):
        world.command(nudge(world.observe()))
        world.advance(first.stamp_ns + k * SPEC.dt_ns)
        assert world.observe().step == k and world.facts().stamp_ns == first.stamp_ns + k * SPEC.dt_ns
        assert REAL_TIME.now_ns() >= world.facts().stamp_ns
    facts = world.facts()
    assert {facts.tcp.source, facts.joints.source, facts.opening.source, facts.joint_velocities.source} == {"measured"}
    assert facts.objects["card_0"].source == "sim"
    assert facts.tcp.value[0] > first.ee.position[0] + 0.005
    assert world.observe().privileged.facts == facts


def test_who_asks_late_gets_the_next_tick_and_the_passed_ones_are_counted(bench):
    world = bench.world
    world.reset(SPEC)
    first = world.observe()
    time.sleep(0.5)
    world.command(nudge(first))
    world.advance(first.stamp_ns + SPEC.dt_ns)
    late = world.observe()
    passed = late.step - 1
    assert passed == world.missed >= 2
    assert late.stamp_ns == first.stamp_ns + late.step * SPEC.dt_ns
    kinds = [event.kind for event in world.events()]
    assert "missed_tick" in kinds and "action_expired" in kinds


def test_the_table_is_laid_while_motion_is_inhibited(bench):
    states = []
    bench.stage.prepare = lambda spec: states.append(bench.driver.gate.state)
    bench.stage.objects = dict
    bench.world.reset(SPEC)
    assert states == [State.INHIBITED]
    assert bench.driver.gate.state == State.TRACKING


def test_an_episode_for_another_bench_is_refused(bench):
    with pytest.raises(UsageError, match="wants rm75"):
        bench.world.reset(SPEC.model_copy(update={"robot": "rm75"}))
    with pytest.raises(UsageError, match="seen by d435"):
        bench.world.reset(SPEC.model_copy(update={"camera": "d435"}))
    with pytest.raises(WorldFailure, match="before its first reset"):
        bench.world.observe()


def test_a_stopped_arm_is_told_before_anything_else(bench):
    bench.side.stop("the test says so")
    with pytest.raises(WorldFailure, match="is stopped") as caught:
        bench.world.reset(SPEC)
    assert "(the test says so)" in one_sentence(caught)
    assert bench.stage.prepared == []


def until_it_stands(bench) -> None:
    for _ in range(500):
        if not np.any(bench.side.reading().joints.velocity):
            return
        time.sleep(0.02)


def test_a_stop_in_mid_episode_ends_it_and_is_no_verdict(bench, tmp_path):
    class Stops(ExpertPolicy):
        def infer(self, observation):
            if observation.step >= 3:
                bench.side.stop("the test says so")
            return super().infer(observation)

    config = SessionConfig(
        task="touch-emoji", world="twin", robot="wx250s", policy="expert", protocol="val", seed=0, trials=1
    )
    with pytest.raises(WorldFailure, match="and the episode with it") as caught:
        run_session(config, tmp_path, bench.world, Stops())
    assert "(the test says so)" in one_sentence(caught)
    assert not (tmp_path / "episodes.jsonl").exists() or (tmp_path / "episodes.jsonl").read_text() == ""
    # an operator re-arms when the arm stands, and the same command goes on
    until_it_stands(bench)
    bench.side.rearm("test")
    run_session(config, tmp_path, bench.world, ExpertPolicy())
    assert len((tmp_path / "episodes.jsonl").read_text().splitlines()) == 1


def test_an_arm_that_is_gone_is_told_in_one_sentence(bench):
    bench.world.reset(SPEC)
    bench.driver.gone = True
    with pytest.raises(WorldFailure, match="is gone") as caught:
        for _ in range(100):
            bench.world.command(nudge(bench.world.observe()))
            bench.world.advance(bench.world.observe().stamp_ns + SPEC.dt_ns)
    one_sentence(caught)


def test_an_arm_that_does_not_get_to_its_start_is_told_in_one_sentence(monkeypatch):
    monkeypatch.setattr("hardware.bench.to_start.LONGEST_S", 1.0)
    driver = PaperArm(ARM, READY + 0.1, settings=replace(PATIENT, tracking_error=3.0))
    driver.rearm("test")
    driver.stuck = True
    with Bench(driver) as bench, pytest.raises(WorldFailure, match="does not reach its start") as caught:
        bench.world.reset(SPEC.model_copy(update={"start": tuple(READY - 0.1)}))
    assert "is 0.20 rad short of it" in one_sentence(caught)


def test_where_the_straight_way_is_not_free_it_goes_up_first():
    low = _with_tcp_at(0.15)
    driver = PaperArm(ARM, low, settings=PATIENT)
    driver.rearm("test")
    # far out, equally low: half way, shoulder and elbow would have pushed the fingers into the table
    start = _with_tcp_at(0.45)
    with Bench(driver) as bench:
        heights = LinkHeights(ARM)
        straight = min(heights.at(low + (start - low) * k / 50).tips for k in range(51))
        assert straight < 0.001, "the straight way must not be free for this test to say anything"
        bench.world.reset(SPEC.model_copy(update={"start": tuple(start)}))
        assert np.allclose(bench.side.reading().joints.position, start, atol=0.02)


def _with_tcp_at(x: float) -> np.ndarray:
    """Joints with the gripper straight down, its tips 5 mm over the table."""
    found = ARM.kinematics.inverse(Pose(np.array([x, 0.0, TABLE_Z + 0.015]), ARM.ready_tcp.quaternion), READY)
    assert found.ok
    return found.joints


def test_a_commander_that_falls_silent_is_held_and_then_stopped():
    settings = replace(PATIENT, stale_hold=100 * MS, stale_stop=300 * MS)
    driver = PaperArm(ARM, READY, settings=settings)
    driver.rearm("test")
    with Bench(driver, patience_s=1.0) as bench:
        bench.world.reset(SPEC)
        end = time.monotonic() + 20
        while driver.gate.state != State.STOPPED and time.monotonic() < end:
            time.sleep(0.05)
        assert driver.gate.state == State.STOPPED and driver.gate.stopped_by.value == "stale_stop"
        assert any("stale" in event.detail for event in bench.world.events() if event.kind == "intervention")


def test_interventions_are_events_with_their_code_and_a_number(bench):
    bench.world.reset(SPEC)
    down = np.array([[0, 0, -0.2, 0, 0, 0]])
    first = bench.world.observe()
    for k in range(5):
        seen = bench.world.observe()
        bench.world.command(Chunk(seen.id, seen.stamp_ns, 0.2, "target_delta", down / 3, np.ones(1)))
        bench.world.advance(first.stamp_ns + (k + 1) * SPEC.dt_ns)
    told = [event for event in bench.world.events() if event.kind == "intervention"]
    assert any(event.detail.startswith("clearance: ") for event in told)
    assert len({event.detail.split(":")[0] for event in told}) == len(told)


def test_a_dry_run_commands_everything_and_moves_nothing():
    inner = PaperArm(ARM, READY)
    driver = DryRun(inner, ARM, PATIENT)
    driver.connect()
    driver.rearm("test")
    with Bench(driver) as bench:
        turned = tuple(READY + np.array([0.3, 0, 0, 0, 0, 0]))
        bench.world.reset(SPEC.model_copy(update={"start": turned}))
        state = driver.state()
        assert np.allclose(state.commanded, turned, atol=0.002) and state.gate == State.TRACKING
        assert np.allclose(bench.world.facts().joints.value, READY)
        assert inner.targets == [] and inner.gate.state == State.STOPPED
        assert [event.kind for event in bench.world.events()] == ["dry_run"]
        with pytest.raises(UsageError, match="dry run"):
            driver.torque_off("I am holding the arm")


def test_a_calibration_corrects_what_is_measured_and_what_is_commanded():
    offsets = (0.1, -0.05, 0.02, 0.0, 0.03, 0.0)
    calibration = nominal("wx250s").model_copy(
        update={"joint_offsets": offsets, "tcp_offset": (0.01, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)}
    )
    driver = PaperArm(ARM, READY, settings=PATIENT)
    driver.rearm("test")
    with Bench(driver, calibration=calibration) as bench:
        bench.world.reset(SPEC)
        assert np.allclose(driver.state().joints.position, np.array(SPEC.start) - offsets, atol=0.02)
        reading = bench.side.reading()
        nominal_tcp = ARM.kinematics.forward(reading.joints.position)
        assert np.linalg.norm(reading.tcp.position - nominal_tcp.position) == pytest.approx(0.01)
        assert np.allclose(bench.world.observe().ee_commanded.position, reading.tcp.position, atol=0.02)
        # a target pose is reached by the corrected TCP
        found = bench.side.arm.kinematics.inverse(reading.tcp, READY)
        assert found.ok and np.allclose(
            bench.side.arm.kinematics.forward(found.joints).position, reading.tcp.position, atol=1e-3
        )


class StillCamera:
    """Gives one picture for ever."""

    model = preset(CAMERA)

    def __init__(self) -> None:
        self.stamp_ns, self.gone = 0, False
        self.frozen = self.black = 0

    def frame(self) -> CameraFrame:
        if self.gone:
            raise WorldFailure("The camera is gone; look at its cable.")
        image = np.zeros((self.model.height, self.model.width, 3), np.uint8)
        return CameraFrame(image, self.stamp_ns, "monotonic", self.model)

    def next(self, after_ns: int, timeout_s: float) -> CameraFrame:
        self.stamp_ns = after_ns + 1
        return self.frame()

    def health(self) -> CameraHealth:
        return CameraHealth(frames=9, rate_hz=30.0, dropped=0, frozen=self.frozen, black=self.black)


def test_an_old_picture_is_marked_and_keeps_its_stamp():
    driver = PaperArm(ARM, READY, settings=PATIENT)
    driver.rearm("test")
    camera = StillCamera()
    with Bench(driver, camera=camera) as bench:
        assert bench.world.describe().cameras == {"scene": (640, 480)}
        bench.world.reset(SPEC)
        first = bench.world.observe()
        assert not first.cameras["scene"].stale
        while bench.world.observe().stamp_ns <= camera.stamp_ns + OLD_PICTURE_NS:
            bench.world.advance(bench.world.observe().stamp_ns + SPEC.dt_ns)
        frame = bench.world.observe().cameras["scene"]
        assert frame.stale and frame.stamp_ns == camera.stamp_ns


@pytest.mark.parametrize(
    ("trouble", "words"),
    [({"gone": True}, "camera is gone"), ({"frozen": BLIND}, "repeated its picture"), ({"black": BLIND}, "nothing")],
    ids=["gone", "frozen", "black"],
)
def test_a_camera_that_sees_nothing_new_is_told_and_the_arm_holds(trouble, words):
    driver = PaperArm(ARM, READY, settings=PATIENT)
    driver.rearm("test")
    camera = StillCamera()
    with Bench(driver, camera=camera) as bench:
        bench.world.reset(SPEC)
        bench.world.command(nudge(bench.world.observe(), 0.03))
        vars(camera).update(trouble)
        bench.world.advance(bench.world.observe().stamp_ns + SPEC.dt_ns)
        with pytest.raises(WorldFailure, match=words):
            bench.world.observe()
        bench.world.close()
        time.sleep(0.5)
        assert np.abs(driver.state().joints.velocity).max() == 0 and driver.gate.state != State.STOPPED


@pytest.mark.parametrize("robot", ["wx250s", "rm75"])
def test_a_session_on_a_slowed_bench_is_journalled_with_its_time_scale(robot, tmp_path):
    arm, clock = find_arm(robot), Clock(0.8)
    driver = PaperArm(arm, arm.ready, clock, PATIENT)
    driver.rearm("test")
    with Bench(driver, arm, clock) as bench:
        config = SessionConfig(
            task="touch-emoji", world="twin", robot=robot, policy="expert", protocol="val", seed=0, trials=1
        )
        run_session(config, tmp_path, bench.world, ExpertPolicy())
    offer = json.loads((tmp_path / "session.json").read_text())["runs"][0]["offer"]
    assert (offer["plant"], offer["path"], offer["time_scale"]) == ("twin", "wire", 0.8)
    line = json.loads((tmp_path / "episodes.jsonl").read_text().splitlines()[0])
    assert line["verdict"]["recognition"] is True, line
