"""Turns chunks into a stream of joint targets: a set-point a tick, a straight line between two of them."""

from __future__ import annotations

import numpy as np

from hardware.bench.segment import Segment
from touchstone.control.embodiment import Embodiment, Setpoint
from touchstone.control.executor import SLACK_NS
from touchstone.facts import Event
from touchstone.geometry import Pose
from touchstone.policy import Chunk
from touchstone.robots.base import Arm
from touchstone.spec import Spec

HOLD = "hold"


class Follower:
    """One episode at a time. No clock and no lock of its own: the caller gives the time and calls from one thread.

    An element begins when it is commanded, which is when the policy's answer has come and not at the tick of its
    observation; the next one of the same chunk begins when it has been carried out.
    """

    def __init__(self, arm: Arm) -> None:
        self._embodiment = Embodiment(arm)
        self._segment: Segment | None = None
        self._events: list[Event] = []
        self._dt_ns = self._begun_ns = self._idle_ns = 0

    @property
    def setpoint(self) -> Setpoint:
        """What is commanded."""
        return self._embodiment.setpoint

    @property
    def idle(self) -> bool:
        """Outside an episode."""
        return self._segment is None

    def begin(self, spec: Spec, now_ns: int) -> None:
        """Stands at the spec's start, gripper open, from `now_ns`, the first tick of the episode."""
        self._embodiment.reset(np.array(spec.start), 1.0)
        self._events.clear()
        self._dt_ns, self._begun_ns, self._idle_ns = spec.dt_ns, now_ns, now_ns
        self._segment = Segment.standing(self.setpoint.joints, self.setpoint.opening, now_ns)

    def end(self) -> None:
        """Nothing is streamed until the next episode."""
        self._segment = None

    def command(self, chunk: Chunk | None, now_ns: int, step: int, measured_tcp: Pose) -> None:
        """A chunk, or None to hold, from now on; late and wrong ones are treated as `Embodiment` does."""
        self._embodiment.command(chunk, now_ns, step)
        if self._segment is not None:
            self._idle_ns = now_ns
            self._next(now_ns, step, measured_tcp)
            self._events += self._embodiment.drain_events()

    def stream(self, now_ns: int, measured_tcp: Pose) -> tuple[np.ndarray, float]:
        """Joints float64[n] [rad] and opening for now, inside an episode."""
        if now_ns >= self._segment.end_ns:
            self._go_on(now_ns, measured_tcp)
        return self._segment.at(now_ns), self._segment.opening

    def drain_events(self) -> list[Event]:
        """What the embodiment did since the last call."""
        events, self._events = self._events, []
        return events

    def _go_on(self, now_ns: int, measured_tcp: Pose) -> None:
        self._next(now_ns, (now_ns - self._begun_ns) // self._dt_ns, measured_tcp)
        events = self._embodiment.drain_events()
        if any(event.kind == HOLD for event in events) and now_ns < self._idle_ns + self._dt_ns + SLACK_NS:
            # between two commands the arm stands for as long as the policy thinks; a hold is a tick without a command
            events = [event for event in events if event.kind != HOLD]
        elif events:
            self._idle_ns = now_ns
        self._events += events

    def _next(self, now_ns: int, step: int, measured_tcp: Pose) -> None:
        before, was = self._segment.at(now_ns), self._embodiment.setpoint
        now = self._embodiment.step(now_ns, step, measured_tcp)
        if now is not was:
            self._segment = Segment(before, now.joints, now.opening, now_ns, self._dt_ns)
            self._idle_ns = self._segment.end_ns
