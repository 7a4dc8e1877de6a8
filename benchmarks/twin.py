"""Our lockstep tick beside ManiSkill's own `env.step` of the same scene, camera and rates, in one run.

    python benchmarks/twin.py [--ticks 60] [--episodes 16]

Both run a tick of 200 ms (5 Hz control) with the arm at rest: 20 physics steps of 10 ms on the bench of cards, 100 of
2 ms on INT-ACT's table; `with camera` renders 640x480. Then episodes of touch-emoji, with pictures and without, in one
process and in workers, without start-up.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import torch
import tyro
from rich.console import Console
from rich.table import Table

from sim_twin.drives import Drives
from sim_twin.rendering import DEFAULT_SHADER, render_backend
from sim_twin.surroundings import surroundings
from sim_twin.world import make_world
from touchstone.cameras import preset
from touchstone.cli.opening import open_both
from touchstone.control.embodiment import Embodiment
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.hands import Alone, Crew
from touchstone.evaluation.session import run_with
from touchstone.policy import Chunk
from touchstone.robots.base import arm as find_arm
from touchstone.spec import Spec
from touchstone.tasks.base import task as find_task
from touchstone.world import WorldRequest

ROUNDS = 3


@dataclass(frozen=True)
class Options:
    ticks: int = 60
    """ticks a round; three rounds are interleaved, the medians are printed"""
    episodes: int = 16
    """episodes in one process and in two; 0 leaves that part out"""


def main(options: Options) -> None:
    for task in ("touch-emoji", "int-act:widowx_orange_juice_on_plate_distract"):
        compare_ticks(task, options.ticks)
    if options.episodes:
        compare_workers(options.episodes)


def compare_ticks(name: str, ticks: int) -> None:
    """Prints what a tick of a task's scene takes us and ManiSkill's `env.step`."""
    arm, task = find_arm("wx250s"), find_task(name)
    request = WorldRequest(arm.name, task.camera, scene=task.scene)
    world = make_world(request)
    spec = task.plan("val" if "val" in task.protocols else task.protocols[0], 0, 0, arm, task.camera)
    bare = {mode: bare_env(request, spec, mode) for mode in ("state_dict", "rgb")}
    rest = torch.tensor([*spec.start, arm.gripper.open], dtype=torch.float32)

    def ours(look: bool) -> float:
        world.reset(spec)
        started = time.perf_counter()
        for k in range(ticks):
            stamp = k * spec.dt_ns
            answers = world.observe().id if look else 0
            world.facts()
            world.command(Chunk(answers, stamp, 0.2, "align2", np.zeros((1, 6)), np.ones(1)))
            world.advance(stamp + spec.dt_ns)
        return time.perf_counter() - started

    def theirs(mode: str) -> float:
        started = time.perf_counter()
        for _ in range(ticks):
            bare[mode].step(rest)
        return time.perf_counter() - started

    contestants = {
        ("touchstone", "without camera"): lambda: ours(False),
        ("maniskill env.step", "without camera"): lambda: theirs("state_dict"),
        ("touchstone", "with camera"): lambda: ours(True),
        ("maniskill env.step", "with camera"): lambda: theirs("rgb"),
    }
    ms: dict[tuple[str, str], list[float]] = {key: [] for key in contestants}
    for _ in range(ROUNDS):
        for key, run in contestants.items():
            ms[key].append(run() / ticks * 1e3)

    title = f"{name}, shader {DEFAULT_SHADER}, 640x480"
    table = Table("tick of 200 ms", "touchstone ms", "env.step ms", "difference ms", "ratio", title=title)
    for case in ("without camera", "with camera"):
        mine, other = (float(np.median(ms[who, case])) for who in ("touchstone", "maniskill env.step"))
        table.add_row(case, f"{mine:.2f}", f"{other:.2f}", f"{mine - other:+.2f}", f"{mine / other:.2f}")
    Console().print(table)
    world.close()
    for env in bare.values():
        env.close()


def bare_env(request: WorldRequest, spec: Spec, mode: str):
    """ManiSkill's own loop around the same scene, at the start of an episode."""
    around, arm = surroundings(request.scene), find_arm(request.robot)
    env = gymnasium.make(
        around.env,
        arm=arm,
        camera=preset(request.camera),
        shader=DEFAULT_SHADER,
        obs_mode=mode,
        control_mode="pd_joint_pos",
        reward_mode="none",
        sim_backend="physx_cpu",
        render_backend=render_backend(),
        sim_config={"control_freq": 5},
        **around.settings(request),
    ).unwrapped
    env.reset(seed=0, options={"reconfigure": True, "layout": spec.layout})
    drives = Drives(env.agent.robot, arm, patch_radius=around.patch_radius)
    drives.make_pads_grip(arm.gripper.friction)
    embodiment = Embodiment(arm)
    embodiment.reset(np.array(spec.start), 1.0)
    around.begin(env, drives, embodiment.setpoint, spec.layout)
    env.step(torch.tensor([*spec.start, arm.gripper.open], dtype=torch.float32))
    return env


def compare_workers(episodes: int) -> None:
    """Prints seconds an episode of this process, with all render threads it likes, and of workers with one each."""
    for policy, pictures in (("card-matcher", True), ("expert", False)):
        config = SessionConfig(
            task="touch-emoji",
            world="twin",
            robot="wx250s",
            policy=policy,
            protocol="val",
            seed=0,
            trials=episodes,
            pictures=pictures,
        )
        alone = episodes_take(config, None)
        table = Table("processes", "s an episode", "gain", title=f"touch-emoji, {policy}, {episodes} episodes")
        table.add_row("1, all its threads", f"{alone / episodes:.2f}", "1.00")
        for workers in (1, 2):
            taken = episodes_take(config, workers)
            table.add_row(f"{workers}, one thread each", f"{taken / episodes:.2f}", f"{alone / taken:.2f}")
        Console().print(table)


def episodes_take(config: SessionConfig, workers: int | None) -> float:
    """Seconds for a session's episodes, journal and video included, start-up of world and policy not.

    workers: how many processes with one render thread each; None for this one with all its threads.
    """
    crew = nullcontext(Alone(*open_both(config))) if workers is None else Crew(partial(open_both, config), workers)
    with tempfile.TemporaryDirectory() as folder, crew as hands:
        hands.setup()
        started = time.perf_counter()
        run_with(hands, config, Path(folder))
        return time.perf_counter() - started


if __name__ == "__main__":
    main(tyro.cli(Options))
