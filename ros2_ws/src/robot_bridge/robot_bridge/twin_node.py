"""`twin_node`: an in-process world on ROS topics, with the names and messages of a bench."""

from __future__ import annotations

import sys

from rclpy.node import Node

from robot_bridge.graph_clock import EpisodeClock
from robot_bridge.handshake import Handshake
from robot_bridge.lifetime import Diagnostics, Parameters, run_node, spin
from robot_bridge.world_topics import WorldTopics
from touchstone.registry import WORLDS
from touchstone.registry import load as find
from touchstone.robots.base import arm as find_arm
from touchstone.world import World, WorldRequest


class TwinNode(Node):
    """Moves only when told to."""

    def __init__(self) -> None:
        super().__init__("twin_node")
        declare = Parameters(self)
        robot = declare.text("robot", "wx250s", "the arm")
        camera = declare.text("camera", "grinningface", "camera preset, or the path of a calibration.yaml")
        shader = declare.text("shader", "", "how the twin renders; empty for its default")
        scene = declare.text("scene", "cards", "what the twin builds around the arm")
        overlay = declare.text("overlay", "", "a photograph behind the arm and the things; empty for none")
        world = declare.text("world", "twin", "registered in-process world that is put on topics")
        chunk_wait = declare.number(
            "chunk_wait_s", 10.0, 0.1, 600.0, "longest wait for a chunk that an advance names [s]"
        )
        arm = find_arm(robot)
        request = WorldRequest(robot=robot, camera=camera, shader=shader or None, scene=scene, overlay=overlay or None)
        self._world: World = find(WORLDS, world)(request)
        offer = self._world.describe().model_copy(update={"path": "ros"})
        out = WorldTopics(self, arm, EpisodeClock(), cameras=tuple(offer.cameras))
        diagnostics = Diagnostics(self, lambda: {"episode": self._handshake.episode, "ticks": self._handshake.ticks})
        self._handshake = Handshake(self, self._world, out, arm, diagnostics, "twin", chunk_wait)
        out.offer(offer)
        diagnostics.ok("ready")

    def destroy_node(self) -> None:
        self._world.close()
        super().destroy_node()


def main() -> None:
    sys.exit(run_node(lambda _signals: TwinNode(), spin))


if __name__ == "__main__":
    main()
