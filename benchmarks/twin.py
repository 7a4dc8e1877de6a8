"""Our lockstep tick beside ManiSkill's own `env.step` of the same scene, camera and rates, in one run.

    python benchmarks/twin.py [--ticks 60] [--episodes 16]

Both run 20 physics steps of 10 ms a tick (5 Hz control) with the arm at rest; `with camera` renders 640x480. Then
episodes of touch-emoji, with pictures and without, in one process and in workers, without start-up.
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

from sim_twin.rendering import DEFAULT_SHADER, render_backend
from sim_twin.world import make_world
from touchstone.cameras import preset
from touchstone.cli.opening import open_both
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.hands import Alone, Crew
from touchstone.evaluation.session import run_with
from touchstone.policy import Chunk
from touchstone.robots.base import arm as find_arm
from touchstone.tasks.emoji.touch import TouchEmoji
from touchstone.world import WorldRequest

ROUNDS = 3


@dataclass(frozen=True)
class Options:
    ticks: int = 60
    """ticks a round; three rounds are interleaved, the medians are printed"""
    episodes: int = 16
    """episodes in one process and in two; 0 leaves that part out"""


def main(options: Options) -> None:
    arm = find_arm("wx250s")
    world = make_world(WorldRequest(arm.name, "grinningface"))
    spec = TouchEmoji().plan("val", 0, 0, arm)
    bare = {
        mode: gymnasium.make(
            "TouchstoneBench-v1",
            arm=arm,
            camera=preset("grinningface"),
            shader=DEFAULT_SHADER,
            obs_mode=mode,
            control_mode="pd_joint_pos",
            reward_mode="none",
            sim_backend="physx_cpu",
            render_backend=render_backend(),
            sim_config={"control_freq": 5},
        ).unwrapped
        for mode in ("state_dict", "rgb")
    }
    rest = torch.tensor([*arm.ready, arm.gripper.open], dtype=torch.float32)
    for env in bare.values():
        env.reset(seed=0)
        for placement in spec.layout:
            env.props[placement.name].place(placement)
        env.step(rest)

    def ours(look: bool) -> float:
        world.reset(spec)
        started = time.perf_counter()
        for k in range(options.ticks):
            stamp = k * spec.dt_ns
            answers = world.observe().id if look else 0
            world.facts()
            world.command(Chunk(answers, stamp, 0.2, "target_delta", np.zeros((1, 6)), np.ones(1)))
            world.advance(stamp + spec.dt_ns)
        return time.perf_counter() - started

    def theirs(mode: str) -> float:
        started = time.perf_counter()
        for _ in range(options.ticks):
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
            ms[key].append(run() / options.ticks * 1e3)

    table = Table("tick of 200 ms", "touchstone ms", "env.step ms", "ratio", title=f"shader {DEFAULT_SHADER}, 640x480")
    for case in ("without camera", "with camera"):
        mine, other = (float(np.median(ms[who, case])) for who in ("touchstone", "maniskill env.step"))
        table.add_row(case, f"{mine:.2f}", f"{other:.2f}", f"{mine / other:.2f}")
    Console().print(table)
    world.close()
    if options.episodes:
        compare_workers(options.episodes)


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
