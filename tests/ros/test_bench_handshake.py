"""A session's side of the handshake against `arm_node` and `camera_node`, over emulated wires.

On a slowed clock, because a gate does not forgive a machine that is too busy for it.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
from eval.link import Link
from eval.ros_world import RosWorld

from hardware.emulators.dynamixel.control import EmulatedBus
from tests.ros.graph import LIMIT, graph
from tests.ros.scene import FPS, scene
from touchstone.clock import Clock
from touchstone.errors import WorldFailure
from touchstone.robots.base import arm
from touchstone.tasks.base import DEFAULT_OPTIONS, task

ARM = arm("wx250s")
CLOCK = Clock(0.3)


class NoSignals:
    def check(self) -> None: ...


@contextmanager
def bench(tmp_path, **parameters):
    """The graph, the pictures, and the world that the two nodes are."""
    with EmulatedBus(pose="ready", time_scale=CLOCK.scale) as bus, scene(CLOCK) as seen, graph(tmp_path) as g:
        shared = {"time_scale": CLOCK.scale}
        g.start("robot_bridge.camera_node", device=f"frames:{seen.ring}", transport="raw", fps=FPS, **shared)
        g.start(
            "robot_bridge.arm_node",
            port=bus.port,
            operator="Ada",
            stage="operator",
            plant="twin",
            **shared,
            **{"diagnostics_hz": 5.0, **parameters},
        )
        assert g.call("/arm_node/rearm")[0]
        world = RosWorld(Link(g.node, NoSignals(), g.executor), LIMIT, 10.0, LIMIT)
        yield g, seen, world


def spec(index=0):
    return task("touch-emoji").plan("val", 0, index, ARM, "grinningface", DEFAULT_OPTIONS)


def test_a_tick_is_the_arm_at_its_stamp_and_the_newest_picture_before_it(tmp_path):
    with bench(tmp_path) as (_, seen, world):
        offer = world.describe()
        assert (offer.plant, offer.path, offer.privileged) == ("twin", "wire", True)
        assert offer.cameras == {"scene": (640, 480)} and offer.time_scale == CLOCK.scale
        asked = spec()
        before = CLOCK.now_ns()
        world.reset(asked)
        stamps = []
        for step in range(5):
            observation, facts = world.observe(), world.facts()
            assert (observation.step, facts.step, observation.episode) == (step, step, asked.episode)
            assert observation.stamp_ns == facts.stamp_ns and observation.clock == "monotonic"
            frame = observation.cameras["scene"]
            assert before < frame.stamp_ns <= observation.stamp_ns and not frame.stale
            assert np.array_equal(frame.image, seen.at(frame.stamp_ns))
            assert np.allclose(observation.joints.position, asked.start, atol=0.05)
            assert np.allclose(observation.ee.position, ARM.kinematics.forward(asked.start).position, atol=0.02)
            assert facts.tcp.source == "measured" and facts.objects == {}
            stamps.append(observation.stamp_ns)
            world.command(None)
            world.advance(observation.stamp_ns + asked.dt_ns)
        # ticks that came too late are on the grid, too
        assert {(b - a) % asked.dt_ns for a, b in pairwise(stamps)} == {0}


@pytest.mark.long
def test_a_camera_that_falls_silent_is_stale_and_then_ends_the_episode(tmp_path):
    # a driver of its own patience would end the node before
    with bench(tmp_path, stale_s=0.05, gone_s=0.6) as (_, seen, world):
        asked = spec()
        world.reset(asked)
        world.observe()
        seen.pause.set()
        seen_stale = False
        with pytest.raises(WorldFailure, match="Camera 'scene' gave no picture"):
            for _ in range(30):
                observation = world.observe()
                seen_stale |= observation.cameras["scene"].stale
                world.advance(observation.stamp_ns + asked.dt_ns)
        assert seen_stale


def test_a_stop_ends_the_episode_and_the_next_begins_after_a_re_arm(tmp_path):
    with bench(tmp_path) as (g, _, world):
        asked = spec()
        world.reset(asked)
        observation = world.observe()
        success, why = g.call("/arm_node/home")
        assert not success and "session" in why
        assert g.call("/arm_node/stop")[0]
        with pytest.raises(WorldFailure, match="an operator called ~/stop"):
            world.advance(observation.stamp_ns + asked.dt_ns)
        with pytest.raises(WorldFailure, match="re-arm it"):
            world.reset(spec(1))
        assert g.call("/arm_node/rearm")[0]
        world.reset(spec(1))
        assert world.observe().episode == spec(1).episode


def test_nobody_need_re_arm_an_emulated_arm_between_two_episodes(tmp_path):
    with bench(tmp_path, rearm="true") as (g, _, world):
        for index in (0, 1):
            assert g.call("/arm_node/stop")[0]
            world.reset(spec(index))
            assert world.observe().episode == spec(index).episode


@pytest.mark.long
def test_who_comes_late_is_told_so(tmp_path):
    with bench(tmp_path) as (_, _, world):
        asked = spec()
        world.reset(asked)
        observation = world.observe()
        CLOCK.sleep(3.5 * asked.dt_ns / 1e9)
        world.advance(observation.stamp_ns + asked.dt_ns)
        late = world.observe()
        assert late.step >= 4 and late.stamp_ns >= observation.stamp_ns + 4 * asked.dt_ns
        assert "missed_tick" in {event.kind for event in world.events()}
        with pytest.raises(WorldFailure, match="asked to advance"):
            world._episode = "another"
            world.advance(late.stamp_ns + asked.dt_ns)
