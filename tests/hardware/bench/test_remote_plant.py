"""An emulator's end of the link to a simulator: it never waits, and says when the other end is gone."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.emulators.dynamixel.plant import simulated
from hardware.emulators.kinematic import GRIPPER
from hardware.emulators.remote_plant import RemotePlant
from touchstone.clock import Clock
from touchstone.errors import UsageError, WorldFailure
from touchstone.plant import LARGEST, Motion, PlantClient, References
from touchstone.robots.wx250s import ARM

CLOCK = Clock(0.5)
JOINTS = len(ARM.joint_names)


class Simulator:
    """Says what it is and then where the joints are: where they were last wanted."""

    def __init__(self, link: Path, robot: str = ARM.name, scale: float = CLOCK.scale) -> None:
        self._facts = {"robot": robot, "plant": "twin", "time_scale": scale}
        self.heard: list[References] = []
        self.hangs = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(link))
        self._listener.listen()
        self.client: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.client, _ = self._listener.accept()
        with contextlib.suppress(OSError):  # the test has closed it
            self._serve()

    def _serve(self) -> None:
        while message := self.client.recv(LARGEST):
            if self.hangs.is_set():
                return
            references = References.decode(message, JOINTS)
            if references is None:
                self.client.send(json.dumps(self._facts).encode())
                continue
            self.heard.append(references)
            at = np.nan_to_num(references.joints, nan=0.1)
            opening = 0.5 if math.isnan(references.opening) else references.opening
            self.client.send(Motion(CLOCK.now_ns(), at, at, at, opening, 0.0).encode())

    def close(self) -> None:
        self._listener.close()
        if self.client is not None:
            self.client.close()


@pytest.fixture
def link(tmp_path):
    return tmp_path / "plant"


@pytest.fixture
def simulator(link):
    made = Simulator(link)
    yield made
    made.close()


def wanted(angle: float | None, grip: float | None) -> dict[str, float | None]:
    return dict.fromkeys(ARM.joint_names, angle) | {GRIPPER: grip}


def until(condition) -> bool:
    for _ in range(1000):
        if condition():
            return True
        CLOCK.sleep(0.005)
    return False


def test_the_arm_is_where_the_simulator_says_from_the_start(simulator, link):
    plant = simulated(link, CLOCK)
    assert plant.positions["waist"] == 0.1
    assert np.isnan(simulator.heard[0].joints).all() and math.isnan(simulator.heard[0].opening)
    assert plant.age < 5


def test_references_go_out_every_10_ms_with_the_time_they_are_for(simulator, link):
    plant = simulated(link, CLOCK)
    for _ in range(50):
        plant.step(0.002, wanted(0.3, 0.0))
    assert until(lambda: len(simulator.heard) == 11)
    stamps = [each.stamp_ns for each in simulator.heard[1:]]
    assert set(np.round(np.diff(stamps) / 1e6)) == {10.0}

    def taken():
        plant.update_efforts({})
        return plant.positions["waist"] == 0.3

    assert until(taken)
    # the motor's angle 0 is what the linkage makes of it
    assert plant.positions[GRIPPER] == pytest.approx(0.0, abs=1e-6)
    assert simulator.heard[-1].opening == pytest.approx(ARM.gripper.opening(math.sqrt(0.024**2 - 0.014**2)))


def test_a_simulator_that_hangs_holds_up_nobody(simulator, link):
    plant = simulated(link, CLOCK)
    simulator.hangs.set()
    for _ in range(200_000):  # far more than a socket holds
        plant.step(0.01, wanted(0.3, None))
    plant.update_efforts({})
    assert plant.positions["waist"] == 0.1


def test_a_simulator_that_hangs_for_long_is_told(simulator, link, monkeypatch):
    monkeypatch.setattr("hardware.emulators.remote_plant.SILENT_S", 0.2)
    plant = simulated(link, CLOCK)
    plant.update_efforts({})
    simulator.hangs.set()
    CLOCK.sleep(0.3)
    with pytest.raises(WorldFailure, match="has not answered"):
        plant.update_efforts({})


def test_faults_that_are_the_simulators_are_refused(simulator, link):
    plant = simulated(link, CLOCK)
    plant.blocked, plant.push = set(), 0.0
    for name, value in (("blocked", {"waist"}), ("push", 5.0)):
        with pytest.raises(ValueError, match="moved by a simulator"):
            setattr(plant, name, value)


def test_a_simulator_that_is_gone_is_told_in_one_sentence(simulator, link):
    plant = simulated(link, CLOCK)
    simulator.close()
    with pytest.raises(WorldFailure, match="has ended") as caught:
        for _ in range(1000):
            plant.step(0.01, wanted(0.3, None))
            plant.update_efforts({})
            CLOCK.sleep(0.001)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


@pytest.mark.parametrize("other", [{"robot": "rm75"}, {"scale": 1.0}])
def test_another_arm_or_another_time_scale_is_refused(link, other):
    simulator = Simulator(link, **other)
    with pytest.raises(UsageError, match="start both alike"):
        simulated(link, CLOCK)
    simulator.close()


def test_a_link_without_anybody_is_refused(link):
    with pytest.raises(WorldFailure, match="No simulator answers"):
        PlantClient(link, timeout_s=0.1)
    link.write_text("")
    with pytest.raises((UsageError, WorldFailure)):
        RemotePlant(ARM, link, CLOCK, float, float, timeout_s=0.1)


@given(
    st.integers(0, 2**62),
    st.lists(st.floats(allow_nan=False), min_size=6, max_size=6),
    st.floats(0, 1),
)
def test_messages_come_out_as_they_went_in(stamp, joints, opening):
    sent = References(stamp, np.array(joints), opening)
    got = References.decode(sent.encode(), 6)
    assert got.stamp_ns == stamp and got.opening == opening and np.array_equal(got.joints, joints)
    motion = Motion(stamp, sent.joints, -sent.joints, sent.joints / 2, opening, -opening)
    back = Motion.decode(motion.encode(), 6)
    assert np.array_equal(back.velocities, motion.velocities) and np.array_equal(back.efforts, motion.efforts)
    assert (back.stamp_ns, back.opening, back.opening_speed) == (stamp, opening, -opening)


@given(st.binary(max_size=200))
def test_other_messages_are_none(message):
    for joints in (6, 7):
        found = References.decode(message, joints)
        assert found is None or (message[:1] == b"R" and len(message) == 9 + 8 * (joints + 1))
        assert Motion.decode(message, joints) is None or message[:1] == b"M"
