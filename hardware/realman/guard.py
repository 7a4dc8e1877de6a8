"""python -m hardware.realman.guard: a process that stops the arm when its driver dies or hangs.

The driver starts it and beats on its standard input; it has a TCP link of its own. Plain sockets and nothing else, so
that nothing in it can hang as the SDK does. The bytes are those that the SDK sends.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import signal
import socket
import struct
import sys
import time

#: a beat: what the arm is told now, and how old the newest target is [s]
BEAT = struct.Struct("<Bd")
STANDING, MOVING, GOODBYE = 0, 1, 2
READY, ALIVE, STOPPED = "ready", "alive", "stopped"  # what it says, one a line; a reason follows the last

STOP = b'{"command":"set_arm_stop"}\r\n'
QUESTION = b'{"command":"get_arm_power_state"}\r\n'
STOP_ANSWER, QUESTION_ANSWER = b'"arm_stop"', b'"power_state"'
AGAIN_S = 0.05  # [s] until an unanswered stop is sent again
ASK_S = 0.25  # [s] between two looks at its own link
LAST_S = 30.0  # [s] for which an unanswered stop is repeated after the driver has ended
LINK_S = 1.0  # [s] for a new link


class Link:
    """A TCP link to the controller that is made anew when it breaks."""

    def __init__(self, address: str, port: int) -> None:
        self._where = (address, port)
        self._rest = b""
        self.socket: socket.socket | None = None
        self.answered: set[bytes] = set()
        self._tried = 0.0

    def send(self, line: bytes) -> None:
        """What cannot be sent is lost; the caller sends again what is not answered."""
        if self.socket is None:
            self.open()
        if self.socket is not None:
            try:
                self.socket.sendall(line)
            except OSError:
                self._close()

    def hear(self) -> None:
        """Notes which answers have come in `answered`."""
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self._close()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.answered |= {answer for answer in (STOP_ANSWER, QUESTION_ANSWER) if answer in line}

    def open(self) -> None:
        """Tries; not more often than a stop is repeated."""
        if time.monotonic() - self._tried < AGAIN_S:
            return
        self._tried = time.monotonic()
        with contextlib.suppress(OSError):
            self.socket = socket.create_connection(self._where, timeout=LINK_S)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.setblocking(False)

    def _close(self) -> None:
        self.socket.close()
        self.socket, self._rest = None, b""


class Guard:
    """Stops the arm when no beat came for `silence` seconds, or when the arm moves without a target for `stale` ones.

    beats: file descriptor of the beats; its end is the driver's. silence: [s] of real time; stale: of the driver's.
    """

    def __init__(self, link: Link, beats: int, silence: float, stale: float) -> None:
        self._link, self._beats, self._silence, self._stale = link, beats, silence, stale
        self._rest = b""
        self._beaten: float | None = None  # when; None: not yet, or it has stopped the arm since
        self._stopping = False
        self._next = self._ended = 0.0

    def run(self) -> None:
        """Until the driver says goodbye, or has ended and the stop is answered."""
        while True:
            watched = [] if self._ended else [self._beats]
            watched += [self._link.socket] if self._link.socket else []
            ready, _, _ = select.select(watched, [], [], self._wait())
            if self._beats in ready and self._listen() == GOODBYE:
                return
            if self._link.socket in ready:
                self._link.hear()
            now = time.monotonic()
            if self._beaten is not None and now - self._beaten > self._silence:
                self._stop(f"its driver was silent for {self._silence * 1e3:.0f} ms")
            if STOP_ANSWER in self._link.answered:
                self._stopping = False
            if self._ended and (not self._stopping or now - self._ended > LAST_S):
                return
            self._talk(now)

    def _wait(self) -> float:
        """Seconds until something is to be done."""
        now = time.monotonic()
        due = self._next if self._beaten is None else min(self._next, self._beaten + self._silence)
        return max(0.0, due - now) + 1e-4

    def _listen(self) -> int | None:
        """The last beat's kind; None at the driver's end."""
        data = os.read(self._beats, 65536)
        if not data:
            self._ended = time.monotonic()
            self._stop("its driver ended")
            return None
        self._rest += data
        whole = len(self._rest) // BEAT.size * BEAT.size
        beats, self._rest = list(BEAT.iter_unpack(self._rest[:whole])), self._rest[whole:]
        for kind, age in beats:
            self._beaten = time.monotonic()
            if kind == MOVING and age > self._stale and not self._stopping:
                self._stop(f"its driver moved it without a target for {age:.1f} s")
        return beats[-1][0] if beats else None

    def _stop(self, why: str) -> None:
        self._link.answered.discard(STOP_ANSWER)
        self._link.send(STOP)
        self._stopping, self._beaten = True, None
        self._next = time.monotonic() + AGAIN_S
        _say(f"{STOPPED} {why}")

    def _talk(self, now: float) -> None:
        if QUESTION_ANSWER in self._link.answered:
            self._link.answered.discard(QUESTION_ANSWER)
            _say(ALIVE)
        if now < self._next:
            return
        self._link.send(STOP if self._stopping else QUESTION)
        self._next = now + (AGAIN_S if self._stopping else ASK_S)


def _say(line: str) -> None:
    # a driver that is gone hears nothing
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), f"{line}\n".encode())


def main() -> int:
    parser = argparse.ArgumentParser(description="Stops a Realman arm when its driver dies; started by the driver.")
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--silence", type=float, required=True, help="seconds without a beat until it stops the arm")
    parser.add_argument("--stale", type=float, required=True, help="seconds without a target until it stops a motion")
    arguments = parser.parse_args()
    # it ends with its driver, and not by the key that ends the driver
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    link = Link(arguments.address, arguments.port)
    link.open()
    if link.socket is None:
        return 1
    _say(READY)
    Guard(link, sys.stdin.fileno(), arguments.silence, arguments.stale).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
