"""What a simulator that stands in for an arm and its bench is told and tells: messages on a Unix socket.

A packet socket (SOCK_SEQPACKET), one message a packet. Motors send `References` and are answered with a `Motion`; all
else is a question as a JSON object, `{"op": NAME, ...}`, and its answer. Nobody is sent what he did not ask for, so
that a process that stops reading holds up none.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from touchstone.errors import UsageError, WorldFailure

#: name of the gripper beside the joints
GRIPPER = "gripper"
LARGEST = 190_000  # [bytes] of a message; a Unix socket takes 208 kB at once on Linux
CONNECT_S = 180.0  # a simulator loads its meshes first, on a busy machine
ANSWER_S = 20.0


@dataclass(frozen=True)
class References:
    """Where the motors want the joints at `stamp_ns` of the plant's clock.

    joints: float64[n] [rad], in the arm's order; opening: of the gripper, 0 closed .. 1 open. NaN = without torque.
    """

    stamp_ns: int
    joints: np.ndarray
    opening: float

    def encode(self) -> bytes:
        return b"R" + np.int64(self.stamp_ns).tobytes() + np.array([*self.joints, self.opening]).tobytes()

    @staticmethod
    def decode(message: bytes, joint_count: int) -> References | None:
        """None for a message that is none."""
        if len(message) != 9 + 8 * (joint_count + 1) or message[:1] != b"R":
            return None
        values = np.frombuffer(message, offset=9)
        return References(int(np.frombuffer(message, np.int64, 1, 1)[0]), values[:-1].copy(), float(values[-1]))


@dataclass(frozen=True)
class Motion:
    """Where the joints are at `stamp_ns`: positions, velocities, efforts float64[n] [rad, rad/s, N m] in the arm's
    order; opening and its speed [1/s]."""

    stamp_ns: int
    positions: np.ndarray
    velocities: np.ndarray
    efforts: np.ndarray
    opening: float
    opening_speed: float

    def encode(self) -> bytes:
        values = [*self.positions, *self.velocities, *self.efforts, self.opening, self.opening_speed]
        return b"M" + np.int64(self.stamp_ns).tobytes() + np.array(values).tobytes()

    @staticmethod
    def decode(message: bytes, joint_count: int) -> Motion | None:
        """None for a message that is none."""
        n = joint_count
        if len(message) != 9 + 8 * (3 * n + 2) or message[:1] != b"M":
            return None
        values = np.frombuffer(message, offset=9).copy()
        stamp = int(np.frombuffer(message, np.int64, 1, 1)[0])
        return Motion(stamp, values[:n], values[n : 2 * n], values[2 * n : 3 * n], float(values[-2]), float(values[-1]))


class PlantClient:
    """A connection to a plant, which may still be starting. Not thread-safe."""

    def __init__(self, path: Path, timeout_s: float = CONNECT_S) -> None:
        self._path = path
        end = time.monotonic() + timeout_s
        while True:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                self.socket.connect(str(path))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                self.socket.close()
                if time.monotonic() >= end:
                    raise WorldFailure(
                        f"No simulator answers on {path}; start `python -m sim_twin.plant --link {path}` first."
                    ) from None
                time.sleep(0.05)
            except OSError as error:
                self.socket.close()
                raise UsageError(f"Cannot connect to {path}: {error.strerror or error}; give another path.") from error
        self.socket.settimeout(ANSWER_S)

    def ask(self, operation: str, **arguments) -> dict[str, Any]:
        """Carries out an operation of the plant. Raises WorldFailure: with the plant's sentence, or when it is gone."""
        try:
            self.socket.send(json.dumps({"op": operation, **arguments}).encode())
            raw = self.socket.recv(LARGEST)
        except OSError as error:
            raise WorldFailure(f"The bench's simulator does not answer '{operation}'; start it again.") from error
        if not raw:
            raise WorldFailure(f"The bench's simulator on {self._path} has ended; start it again.")
        answer = json.loads(raw)
        if "error" in answer:
            raise WorldFailure(answer["error"])
        return answer

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.close()
