"""`episode_node`: runs a session's episodes over topics with the runner that also drives the in-process twin."""

from __future__ import annotations

import sys
from pathlib import Path

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from robot_bridge.lifetime import Diagnostics, Parameters, Signals, run_node

from eval.beside import beside
from eval.link import Link
from eval.progress_lines import print_progress
from eval.ros_policy import RosPolicy
from eval.ros_world import RosWorld
from policy_server.client import BUDGET_MS
from touchstone.data.journal import EpisodeLine
from touchstone.errors import UsageError
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.session import run_session
from touchstone.robots.base import arm as find_arm


class EpisodeNode(Node):
    """Holds the session's parameters."""

    def __init__(self) -> None:
        super().__init__("episode_node")
        declare = Parameters(self)
        self.config = SessionConfig(
            task=declare.text("task", "touch-emoji", "registered task"),
            world=declare.text("world", "twin-ros", "label of the world, for the journal"),
            robot=declare.text("robot", "wx250s", "the arm"),
            policy=declare.text("policy", "card-matcher", "name or address of the policy, for the journal"),
            protocol=declare.text("protocol", "val", "which part of the task's material"),
            seed=declare.integer("seed", 0, 0, 2**31 - 1, "of the layouts"),
            trials=declare.integer("trials", 10, 1, 1_000_000, "how many episodes"),
            camera=declare.text("camera", "grinningface", "camera preset, or the path of a calibration.yaml"),
            shader=declare.text("shader", "", "how the twin renders; empty for its default") or None,
            overlay=declare.text("overlay", "", "a photograph behind the arm; empty for none") or None,
            arm_start=declare.text("arm_start", "random", "where the arm starts: random or fixed"),
            wording=declare.text("wording", "", "whose instruction; empty for the task's first") or None,
            record=declare.text("record", "", "for protocol id: whose card combinations are replayed") or None,
            operator=declare.text("operator", "", "who stands beside the bench; empty for nobody") or None,
            operator_port=declare.integer("operator_port", 8765, 0, 65535, "of the operator's page; 0: any"),
            instruction=declare.text("instruction", "", "one's own sentence; empty for the task's") or None,
        )
        self.out = declare.text("out", "", "session folder; required")
        self.startup_s = declare.number("startup_s", 300.0, 1.0, 3600.0, "longest wait for world and policy [s]")
        self.world_s = declare.number("world_s", 60.0, 0.1, 3600.0, "longest wait for an answer of the world [s]")
        self.reset_s = declare.number("reset_s", 60.0, 0.1, 7200.0, "longest wait for an episode's start [s]")
        self.policy_s = declare.number("policy_s", BUDGET_MS / 1e3, 0.1, 3600.0, "budget of an inference [s]")
        self._done = 0
        self._diagnostics = Diagnostics(self, lambda: {"done": self._done, "trials": self.config.trials})
        if not self.out:
            raise UsageError("episode_node has no session folder; give it the parameter `out`.")

    def progress(self, line: EpisodeLine | None, done: int, trials: int) -> None:
        self._done = done
        self._diagnostics.ok("running")
        if line is not None:
            self.get_logger().info(f"{done}/{trials} {line.episode}: {line.verdict.reason}")
        print_progress(line, done, trials)


def _run(node: EpisodeNode, signals: Signals, executor: SingleThreadedExecutor) -> None:
    link = Link(node, signals, executor)
    world = RosWorld(link, node.startup_s, node.world_s, node.reset_s)
    policy = RosPolicy(link, find_arm(node.config.robot), node.startup_s, node.policy_s)
    with beside(world, node.config, link) as watched:
        run_session(node.config, Path(node.out), watched, policy, node.progress)


def main() -> None:
    sys.exit(run_node(lambda _signals: EpisodeNode(), _run))


if __name__ == "__main__":
    main()
