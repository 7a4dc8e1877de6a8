"""`twin_node`: an in-process world on ROS topics, with the names and messages of a bench."""

from __future__ import annotations

import sys
from functools import partial

from rclpy.node import Node
from std_msgs.msg import String

from robot_bridge import topics
from robot_bridge.chunk_listener import ChunkListener
from robot_bridge.chunks import Trajectory, to_chunk
from robot_bridge.lifetime import Diagnostics, Parameters, run_node, spin, steady_timer
from robot_bridge.records import Advance, ChunkInfo, WorldReset, from_string
from robot_bridge.world_topics import WorldTopics
from touchstone.errors import TouchstoneError, WorldFailure
from touchstone.policy import Chunk
from touchstone.registry import WORLDS
from touchstone.registry import load as find
from touchstone.robots.base import arm as find_arm
from touchstone.world import World, WorldRequest


class TwinNode(Node):
    """Moves only when told to: a reset or an advance is carried out once all that it names is here, and answered."""

    def __init__(self) -> None:
        super().__init__("twin_node")
        declare = Parameters(self)
        robot = declare.text("robot", "wx250s", "the arm")
        camera = declare.text("camera", "grinningface", "camera preset, or the path of a calibration.yaml")
        shader = declare.text("shader", "", "how the twin renders; empty for its default")
        world = declare.text("world", "twin", "registered in-process world that is put on topics")
        self._chunk_wait = declare.number(
            "chunk_wait_s", 10.0, 0.1, 600.0, "longest wait for a chunk that an advance names [s]"
        )
        self._arm = find_arm(robot)
        request = WorldRequest(robot=robot, camera=camera, shader=shader or None)
        self._world: World = find(WORLDS, world)(request)
        offer = self._world.describe().model_copy(update={"path": "ros"})
        self._out = WorldTopics(self, offer, self._arm)
        self._episode: str | None = None
        self._waiting: Advance | None = None
        self._limit = None
        self._chunk: Chunk | None = None
        self._ticks = 0
        self.create_subscription(String, topics.SPEC, partial(self._answer, self._reset, WorldReset), topics.LOCKSTEP)
        self.create_subscription(String, topics.ADVANCE, partial(self._answer, self._take, Advance), topics.LOCKSTEP)
        self._chunks = ChunkListener(self, self._on_chunk)
        self._diagnostics = Diagnostics(self, lambda: {"episode": self._episode, "ticks": self._ticks})
        self._diagnostics.ok("ready")

    def destroy_node(self) -> None:
        self._world.close()
        super().destroy_node()

    def _answer(self, carry_out, record, message: String) -> None:
        request = from_string(message, record)
        try:
            carry_out(request)
        except TouchstoneError as error:
            self._diagnostics.error(str(error))
            self._out.failure(request.request, error)

    def _reset(self, reset: WorldReset) -> None:
        self._world.reset(reset.spec)
        self._episode, self._waiting, self._chunk = reset.spec.episode, None, None
        self._out.clock.new_episode()
        self._diagnostics.ok("running")
        self._tell(reset.request)

    def _take(self, advance: Advance) -> None:
        if advance.episode != self._episode:
            raise WorldFailure(f"The twin was asked to advance {advance.episode} and is in {self._episode}.")
        if advance.command == "chunk" and (self._chunk is None or self._chunk.answers != advance.answers):
            self._waiting = advance
            self._limit = steady_timer(self, self._chunk_wait, self._give_up)
            return
        self._carry_out(advance)

    def _carry_out(self, advance: Advance) -> None:
        if advance.command != "keep":
            self._world.command(self._chunk if advance.command == "chunk" else None)
        self._world.advance(advance.until_ns)
        self._ticks += 1
        self._tell(advance.request)

    def _tell(self, request: str) -> None:
        self._out.tick(request, self._world.facts(), self._world.events())
        self._out.observation(request, self._world.observe())

    def _on_chunk(self, trajectory: Trajectory, info: ChunkInfo) -> None:
        waiting = self._waiting
        try:
            self._chunk = to_chunk(trajectory, info, self._arm)
            if waiting is not None and waiting.answers == self._chunk.answers:
                self._stop_waiting()
                self._carry_out(waiting)
        except TouchstoneError as error:
            self._diagnostics.error(str(error))
            self._out.failure(waiting.request if waiting else info.request, error)

    def _give_up(self) -> None:
        waiting = self._waiting
        self._stop_waiting()
        if waiting is not None:
            self._out.failure(
                waiting.request,
                WorldFailure(
                    f"The twin waited {self._chunk_wait:g} s for the chunk that answers observation {waiting.answers} "
                    f"and it did not come; check policy_node's log."
                ),
            )

    def _stop_waiting(self) -> None:
        self._waiting = None
        if self._limit is not None:
            self.destroy_timer(self._limit)
            self._limit = None


def main() -> None:
    sys.exit(run_node(lambda _signals: TwinNode(), spin))


if __name__ == "__main__":
    main()
