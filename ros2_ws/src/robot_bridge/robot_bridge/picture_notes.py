"""What a node that takes no pictures knows of another's: when each was captured."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from rclpy.node import Node
from std_msgs.msg import String

from robot_bridge import topics
from robot_bridge.records import CameraEntry, FrameNote, from_string
from touchstone.calibration import CameraCalibration
from touchstone.clock import Clock
from touchstone.errors import WorldFailure

KEPT = 128  # notes; four seconds at 30 Hz
LOOK_S = 0.02


class PictureNotes:
    """The newest pictures of some cameras; any thread may ask.

    stale_s, gone_s: age at which a picture is marked as stale, and at which its camera counts as gone [s of `clock`].
    """

    def __init__(
        self, node: Node, cameras: dict[str, CameraCalibration], clock: Clock, stale_s: float, gone_s: float
    ) -> None:
        self._clock, self._stale_ns, self._gone_ns = clock, round(stale_s * 1e9), round(gone_s * 1e9)
        self._poses = {name: camera.base_from_camera for name, camera in cameras.items()}
        self._notes: dict[str, deque[FrameNote]] = {name: deque(maxlen=KEPT) for name in cameras}
        #: pictures given so far that were stale
        self.stale = 0
        for name in cameras:
            node.create_subscription(String, topics.frame(name), self._taker(name), topics.PICTURES)

    def missing(self) -> list[str]:
        """The cameras that have not given a picture yet."""
        return [name for name, notes in self._notes.items() if not notes]

    def at(self, stamp_ns: int) -> dict[str, CameraEntry]:
        """As `world_topics.Pictures`."""
        return {name: self._entry(name, stamp_ns) for name in self._notes}

    def wait_for(self, after_ns: int, limit_s: float) -> None:
        """Waits for a picture of every camera that was captured after `after_ns`, at most `limit_s` [real s]. Raises
        WorldFailure. Not to be called in the node's thread, which takes the notes."""
        end = time.monotonic() + limit_s
        for name, notes in self._notes.items():
            while not notes or notes[-1].stamp_ns <= after_ns:
                if time.monotonic() >= end:
                    raise WorldFailure(f"Camera '{name}' gives no pictures; check camera_node's log.")
                time.sleep(LOOK_S)

    def _entry(self, name: str, stamp_ns: int) -> CameraEntry:
        note = next((note for note in reversed(self._notes[name].copy()) if note.stamp_ns <= stamp_ns), None)
        if note is None or stamp_ns - note.stamp_ns > self._gone_ns:
            age = "at all" if note is None else f"for {(stamp_ns - note.stamp_ns) / 1e9:.1f} s"
            raise WorldFailure(f"Camera '{name}' gave no picture {age}; check camera_node's log.")
        stale = note.stale or stamp_ns - note.stamp_ns > self._stale_ns
        self.stale += stale
        return CameraEntry(
            image=note.image,
            camera_info=note.camera_info,
            base_from_camera=self._poses[name],
            stamp_ns=note.stamp_ns,
            clock=note.clock,
            stale=stale,
            header_stamp_ns=note.header_stamp_ns,
        )

    def _taker(self, name: str) -> Callable[[String], None]:
        return lambda message: self._notes[name].append(from_string(message, FrameNote))
