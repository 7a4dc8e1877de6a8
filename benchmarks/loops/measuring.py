"""A control loop of one way at one rate, and what became of its commands on the wire."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hardware.emulators.process import EmulatorProcess
from loops.ways import Way

STEP_RAD = 0.05  # of the first joint, up and down in turn
STEP_EVERY_S = 0.45
MOVED_RAD = 0.001
LOOK_S = 0.003  # between two looks at where the arm is
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Ticks:
    """Stamps [ns]: of every tick; of every step of the target, with its direction and the newest picture's stamp."""

    stamps: list[int] = field(default_factory=list)
    steps: list[tuple[int, float, int | None]] = field(default_factory=list)
    missed: int = 0


def measure(way: Way, there: EmulatorProcess, base: np.ndarray, rate_hz: float, seconds: float) -> dict:
    """Figures of one way at one rate. The latency of the motion is measured in a second loop, since looking at the arm
    costs what the first one measures."""
    pids = {"emulator": there.process.pid} | way.pids
    _settle(way, base)
    cpu, began = {name: cpu_s(pid) for name, pid in pids.items()}, time.monotonic()
    own = time.process_time()
    ticks = run(way, base, rate_hz, seconds)
    took = time.monotonic() - began
    used = {"loop": time.process_time() - own} | {name: cpu_s(pid) - cpu[name] for name, pid in pids.items()}
    on_wire = latencies(ticks, *wire(there))
    notes = way.notes()
    _settle(way, base)
    with Looking(there) as looking:
        again = run(way, base, rate_hz, seconds)
    moved = latencies(again, *looking.seen(), threshold=MOVED_RAD)
    periods = np.diff(ticks.stamps) / 1e6
    photons = [to_wire + (at - frame) / 1e6 for to_wire, (at, _, frame) in on_wire if frame is not None]
    return {
        "rate_hz": (len(ticks.stamps) - 1) / ((ticks.stamps[-1] - ticks.stamps[0]) / 1e9),
        "period_p50_ms": percentile(periods, 50),
        "period_p99_ms": percentile(periods, 99),
        "ticks": len(ticks.stamps),
        "missed": ticks.missed,
        "command_to_wire_p50_ms": percentile([ms for ms, _ in on_wire], 50),
        "command_to_wire_max_ms": percentile([ms for ms, _ in on_wire], 100),
        "command_to_motion_p50_ms": percentile([ms for ms, _ in moved], 50),
        "photon_to_wire_p50_ms": percentile(photons, 50),
        "photon_to_wire_max_ms": percentile(photons, 100),
        "steps": [len(on_wire), len(moved)],
        "cpu_percent": {name: 100 * seconds_used / took for name, seconds_used in used.items()},
        "notes": notes,
    }


def run(way: Way, base: np.ndarray, rate_hz: float, seconds: float) -> Ticks:
    """Ticks on a grid; one that would begin a whole period late is missed, and the grid goes on."""
    ticks, period, every = Ticks(), 1 / rate_hz, max(1, round(STEP_EVERY_S * rate_hz))
    goal, side, began = base.copy(), 1.0, time.monotonic()
    for k in range(round(seconds * rate_hz)):
        late = time.monotonic() - (began + k * period)
        if late >= period:
            ticks.missed += 1
            continue
        if late < 0:
            time.sleep(-late)
        ticks.stamps.append(time.monotonic_ns())
        way.read()
        frame = way.frame_ns()
        if len(ticks.stamps) % every == 0:
            goal = goal.copy()
            goal[0] += side * STEP_RAD
            ticks.steps.append((time.monotonic_ns(), side, frame))
            side = -side
        way.write(goal)
    return ticks


def latencies(
    ticks: Ticks, stamps: np.ndarray, joint: np.ndarray, threshold: float = 1e-9
) -> list[tuple[float, tuple]]:
    """[ms] until `joint` float64[k] [rad], known at `stamps` [ns], first went on in the direction of each step; steps
    that nothing followed before the next one are left out."""
    found = []
    ends = [at for at, _, _ in ticks.steps[1:]] + [ticks.stamps[-1]]
    for step, end in zip(ticks.steps, ends, strict=True):
        at, side, _ = step
        before = joint[stamps <= at]
        inside = (stamps > at) & (stamps <= end)
        if len(before) and inside.any():
            gone = np.flatnonzero(side * (joint[inside] - before[-1]) > threshold)
            if len(gone):
                found.append(((stamps[inside][gone[0]] - at) / 1e6, step))
    return found


def wire(there: EmulatorProcess) -> tuple[np.ndarray, np.ndarray]:
    """When [ns] and which goals [rad] of the first joint reached the motors."""
    state = there.ask("state")
    began = state["at_ns"] - state["now_s"] * 1e9
    goals = there.ask("goals")["goals"]
    if goals and isinstance(goals[0][1], int):
        from hardware.dynamixel.units import radians

        pairs = [(at, radians(ticks)) for at, id, ticks in goals if id == 1]
    else:
        pairs = [(at, joints[0]) for at, joints in goals]
    times, joint = np.array(pairs).reshape(-1, 2).T
    return began + times * 1e9, joint


class Looking:
    """A thread that looks where the emulated arm is."""

    def __init__(self, there: EmulatorProcess) -> None:
        self._there, self._rows = there, []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def seen(self) -> tuple[np.ndarray, np.ndarray]:
        stamps, joint = np.array(self._rows).T
        return stamps, joint

    def __enter__(self) -> Looking:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(LOOK_S):
            state = self._there.ask("state")
            self._rows.append((float(state["at_ns"]), next(iter(state["positions"].values()))))


def cpu_s(pid: int) -> float:
    """User and system time of a process so far, in steps of 10 ms."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / TICKS_PER_S


def percentile(values, q: float) -> float | None:
    return float(np.percentile(values, q)) if len(values) else None


def _settle(way: Way, base: np.ndarray) -> None:
    """To the begin of every loop, and until the gate follows without its ramp."""
    way.prepare()
    for _ in range(60):
        way.write(base)
        time.sleep(0.02)
