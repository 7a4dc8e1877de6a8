"""The guard process: it stops the arm when the driver beats no more, and does nothing else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hardware.emulators.realman.control import free_udp_port
from hardware.realman.controller import Controller
from hardware.realman.guard import QUESTION, STOP
from hardware.realman.heart import Heart
from tests.hardware.realman.conftest import commands, needs_sdk, spec_of, until

ROOT = Path(__file__).parents[3]
FOREVER = 60.0


class Listener:
    """Takes connections like a controller and answers what a guard asks. quiet: it does not."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.connections: list[socket.socket] = []
        self.quiet = False
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            try:
                for line in lines:
                    self.lines.append(line)
                    if not self.quiet:
                        answer = b'{"command":"set_arm_stop","arm_stop":true}\r\n'
                        connection.sendall(answer if line == STOP else b'{"state":"x","power_state":1}\r\n')
            except OSError:
                return

    @property
    def stops(self) -> int:
        return self.lines.count(STOP)

    def hang_up(self) -> None:
        for each in self.connections:
            each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.close()


def heart(listener, silence: float = FOREVER, stale: float = FOREVER) -> Heart:
    return Heart("127.0.0.1", listener.port, silence, stale)


def ended(guarding: Heart) -> bool:
    return until(lambda: guarding.process.poll() is not None)


def test_while_beats_come_it_only_looks_at_its_link(listener):
    guarding = heart(listener)
    for _ in range(20):
        guarding.beat(True, 0.0)
        time.sleep(0.02)
    assert until(lambda: QUESTION in listener.lines)
    assert guarding.unguarded() is None and guarding.stopped() is None
    guarding.close(stopped=True)
    assert listener.stops == 0 and guarding.process.returncode == 0


def test_the_drivers_end_stops_the_arm_and_ends_the_guard(listener):
    guarding = heart(listener)
    guarding.beat(True, 0.0)
    guarding.process.stdin.close()
    assert until(lambda: listener.stops > 0) and ended(guarding)
    assert "its driver ended" in guarding.stopped()


def test_a_driver_that_could_not_stop_the_arm_leaves_the_guard_to_it(listener):
    listener.quiet = True
    guarding = heart(listener)
    guarding.close(stopped=False)
    assert until(lambda: listener.stops > 2) and guarding.process.poll() is None
    listener.quiet = False
    assert ended(guarding)


def test_an_end_before_the_first_beat_stops_it_too(listener):
    guarding = heart(listener)
    guarding.process.stdin.close()
    assert until(lambda: listener.stops > 0) and ended(guarding)


def test_silence_stops_it_and_new_beats_arm_the_guard_again(listener):
    guarding = heart(listener, silence=0.3)
    guarding.beat(True, 0.0)
    assert until(lambda: listener.stops == 1)
    assert until(lambda: "was silent" in (guarding.stopped() or ""))
    time.sleep(0.5)
    assert listener.stops == 1, "once is enough, when it is answered"
    guarding.beat(False, 0.0)
    assert until(lambda: listener.stops == 2)
    guarding.close(stopped=True)


def test_nothing_is_stopped_before_the_first_beat(listener):
    guarding = heart(listener, silence=0.1)
    time.sleep(0.5)
    assert listener.stops == 0
    guarding.close(stopped=True)


def test_a_motion_without_targets_is_stopped_and_a_hold_is_not(listener):
    guarding = heart(listener, stale=1.0)
    guarding.beat(False, 100.0)
    guarding.beat(True, 0.9)
    time.sleep(0.3)
    assert listener.stops == 0
    guarding.beat(True, 1.1)
    assert until(lambda: listener.stops > 0)
    assert until(lambda: "without a target for 1.1 s" in (guarding.stopped() or ""))
    guarding.close(stopped=True)


def test_a_stop_is_repeated_until_it_is_answered(listener):
    listener.quiet = True
    guarding = heart(listener)
    guarding.beat(True, 0.0)
    guarding.process.stdin.close()
    assert until(lambda: listener.stops > 5)
    listener.quiet = False
    assert ended(guarding)


def test_a_broken_link_is_mended_before_it_is_needed(listener):
    guarding = heart(listener)
    guarding.beat(True, 0.0)
    listener.hang_up()
    assert until(lambda: len(listener.connections) > 1)
    guarding.process.stdin.close()
    assert until(lambda: listener.stops > 0)
    assert ended(guarding)


def test_a_guard_that_gets_no_answers_or_has_ended_guards_nobody(listener):
    guarding = heart(listener)
    listener.quiet = True
    assert until(lambda: guarding.stopped() is None and "no answer" in (guarding.unguarded() or ""))
    listener.quiet = False
    assert until(lambda: guarding.stopped() is None and guarding.unguarded() is None)
    guarding.process.kill()
    assert until(lambda: "has ended" in (guarding.unguarded() or ""))
    guarding.beat(True, 0.0)
    guarding.close(stopped=True)


def test_the_keys_that_end_a_driver_do_not_end_its_guard(listener):
    guarding = heart(listener)
    assert os.getsid(guarding.process.pid) != os.getsid(0)
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(guarding.process.pid, number)
    time.sleep(0.2)
    assert guarding.process.poll() is None
    guarding.close(stopped=True)


@needs_sdk
def test_its_stop_is_the_sdks(emulated):
    controller = Controller(spec_of(emulated))
    controller.open(lambda state: None)
    controller.stop()
    controller.close()
    assert [line.encode() for _, _, line in commands(emulated, "set_arm_stop")] == [STOP.strip()]


# real processes in front of an arm that goes on by itself: only the guard can stop it


@pytest.fixture
def driven(emulated, request):
    emulated.ask("coast", on=True)
    command = [sys.executable, "-m", "tests.hardware.realman.driving_realman", emulated.host]
    process = subprocess.Popen(
        [*command, str(emulated.port), str(free_udp_port()), *getattr(request, "param", [])],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout.readline() == "moving\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def stands(emulated) -> bool:
    first = emulated.ask("state")["positions"]
    time.sleep(0.3)
    second = emulated.ask("state")["positions"]
    return all(abs(second[name] - first[name]) < 1e-5 for name in first)


def stop_after_the_last_setpoint(emulated) -> float:
    """Seconds on the emulator's clock."""
    sent = [at for at, _, _ in commands(emulated, "movej_canfd")][-1]
    return next(at for at, _, _ in commands(emulated, "set_arm_stop") if at >= sent) - sent


@pytest.mark.long
@needs_sdk
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_driver_that_is_killed_or_frozen_is_followed_by_a_stop_within_200_ms(emulated, driven, number):
    os.kill(driven.pid, number)
    assert until(lambda: emulated.ask("state")["status"] == "stop")
    assert stands(emulated)
    gap = emulated.ask("state")["longest_gap_s"]
    if gap > 0.05:
        pytest.skip(f"the machine left the emulator no time for {gap:.2f} s")
    assert stop_after_the_last_setpoint(emulated) <= 0.2


@pytest.mark.long
@needs_sdk
@pytest.mark.parametrize("driven", [["cling"]], indirect=True)
def test_a_commanding_thread_that_hangs_beside_a_living_state_is_a_dead_driver(emulated, driven):
    assert until(lambda: emulated.ask("state")["status"] == "stop")
    assert stands(emulated) and driven.poll() is None
    assert stop_after_the_last_setpoint(emulated) <= 0.3


@pytest.mark.long
@needs_sdk
@pytest.mark.parametrize("driven", [["silent"]], indirect=True)
def test_a_silent_commander_gets_a_hold_from_the_gate_and_then_a_stop(emulated, driven):
    assert until(lambda: emulated.ask("state")["status"] == "stop")
    assert stands(emulated) and driven.poll() is None
    last = [at for at, _, _ in commands(emulated, "movej_canfd")][-1]
    time.sleep(0.5)
    assert [at for at, _, _ in commands(emulated, "movej_canfd")][-1] == last, "no setpoints after the stop"


@pytest.mark.long
@needs_sdk
def test_a_driver_that_wakes_up_again_finds_itself_stopped(emulated, driven):
    os.kill(driven.pid, signal.SIGSTOP)
    assert until(lambda: emulated.ask("state")["status"] == "stop")
    before = emulated.ask("state")["positions"]
    os.kill(driven.pid, signal.SIGCONT)
    time.sleep(1.0)
    after = emulated.ask("state")["positions"]
    assert all(abs(after[name] - before[name]) < 0.02 for name in before), "at most the setpoint that was on its way"
    assert stands(emulated)
