"""The world's side of the handshake (docs/ros-graph.md), whatever the world is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rclpy.node import Node
from std_msgs.msg import String

from robot_bridge import topics
from robot_bridge.chunk_listener import ChunkListener
from robot_bridge.chunks import Trajectory, to_chunk
from robot_bridge.lifetime import Diagnostics, steady_timer
from robot_bridge.records import Advance, ChunkInfo, WorldReset, from_string
from robot_bridge.world_topics import WorldTopics
from touchstone.errors import TouchstoneError, WorldFailure
from touchstone.policy import Chunk
from touchstone.robots.base import Arm
from touchstone.world import World

Job = Callable[[], None]


def at_once(job: Job) -> None:
    """Carries a job out where it is given: for a world that computes."""
    job()


class Handshake:
    """Carries out a reset or an advance once all that it names is here, and answers it.

    title: of the world, for sentences. perform: how a request is carried out: `at_once`, or one after the other in
    another thread, for a world that waits. failed: told of every error, before it is answered.
    """

    def __init__(
        self,
        node: Node,
        world: World,
        out: WorldTopics,
        arm: Arm,
        diagnostics: Diagnostics,
        title: str,
        chunk_wait_s: float,
        perform: Callable[[Job], None] = at_once,
        failed: Callable[[TouchstoneError], None] = lambda _: None,
    ) -> None:
        self._node, self._world, self._out, self._arm = node, world, out, arm
        self._diagnostics, self._title, self._chunk_wait = diagnostics, title, chunk_wait_s
        self._perform, self._failed = perform, failed
        self.episode: str | None = None
        self.ticks = 0
        self._waiting: Advance | None = None
        self._limit = None
        self._chunk: Chunk | None = None
        node.create_subscription(String, topics.SPEC, self._on_reset, topics.LOCKSTEP)
        node.create_subscription(String, topics.ADVANCE, self._on_advance, topics.LOCKSTEP)
        self._chunks = ChunkListener(node, self._on_chunk)

    def leave(self) -> None:
        """The episode is over, whatever it was: nothing is carried out any more before the next reset."""
        self.episode = None

    def _on_reset(self, message: String) -> None:
        reset = from_string(message, WorldReset)
        self._stop_waiting()
        self._chunk = None
        self._answer(reset.request, partial(self._reset, reset))

    def _on_advance(self, message: String) -> None:
        advance = from_string(message, Advance)
        if advance.command == "chunk" and (self._chunk is None or self._chunk.answers != advance.answers):
            self._waiting = advance
            self._limit = steady_timer(self._node, self._chunk_wait, self._give_up)
            return
        self._answer(advance.request, partial(self._advance, advance, self._chunk))

    def _on_chunk(self, trajectory: Trajectory, info: ChunkInfo) -> None:
        waiting = self._waiting
        try:
            self._chunk = to_chunk(trajectory, info, self._arm)
        except TouchstoneError as error:
            self._tell_failure(waiting.request if waiting else info.request, error)
            return
        if waiting is not None and waiting.answers == self._chunk.answers:
            self._stop_waiting()
            self._answer(waiting.request, partial(self._advance, waiting, self._chunk))

    def _answer(self, request: str, carry_out: Job) -> None:
        def job() -> None:
            try:
                carry_out()
            except TouchstoneError as error:
                self._tell_failure(request, error)

        self._perform(job)

    def _reset(self, reset: WorldReset) -> None:
        self.episode = None
        self._world.reset(reset.spec)
        self.episode = reset.spec.episode
        self._out.clock.new_episode()
        self._diagnostics.ok("running")
        self._tell(reset.request)

    def _advance(self, advance: Advance, chunk: Chunk | None) -> None:
        if advance.episode != self.episode:
            raise WorldFailure(f"The {self._title} was asked to advance {advance.episode} and is in {self.episode}.")
        if advance.command != "keep":
            self._world.command(chunk if advance.command == "chunk" else None)
        self._world.advance(advance.until_ns)
        self.ticks += 1
        self._tell(advance.request)

    def _tell(self, request: str) -> None:
        self._out.tick(request, self._world.facts(), self._world.events())
        self._out.observation(request, self._world.observe())

    def _tell_failure(self, request: str, error: TouchstoneError) -> None:
        self._failed(error)
        self._diagnostics.error(str(error))
        self._out.failure(request, error)

    def _give_up(self) -> None:
        waiting = self._waiting
        self._stop_waiting()
        if waiting is not None:
            self._tell_failure(
                waiting.request,
                WorldFailure(
                    f"The {self._title} waited {self._chunk_wait:g} s for the chunk that answers observation "
                    f"{waiting.answers} and it did not come; check policy_node's log."
                ),
            )

    def _stop_waiting(self) -> None:
        self._waiting = None
        if self._limit is not None:
            self._node.destroy_timer(self._limit)
            self._limit = None
