"""The emulated bus as the vendor's unmodified SDK sees it: a real process behind a real pseudo-terminal."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

sdk = pytest.importorskip("dynamixel_sdk")

from hardware.emulators.dynamixel.control import EmulatedBus  # noqa: E402


@pytest.fixture(scope="module")
def process():
    with EmulatedBus() as bus:
        yield bus


@pytest.fixture
def emulated(process):
    process.ask("reset", pose="sleep")
    return process


@pytest.fixture
def port(emulated):
    port = sdk.PortHandler(emulated.port)
    port.baudrate = 1_000_000
    assert port.openPort()
    yield port
    port.closePort()


PACKETS = sdk.Protocol2PacketHandler()


def until(condition, seconds: float = 10.0) -> bool:
    """Waits for something to become true; the time is only there to end a broken test."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_every_motor_answers_a_ping_with_its_model(port):
    models = [PACKETS.ping(port, id)[0] for id in range(1, 10)]
    assert models == [1020] * 7 + [1060] * 2
    assert PACKETS.ping(port, 10)[1] == sdk.COMM_RX_TIMEOUT


def test_a_broadcast_ping_finds_all(port):
    found, result = PACKETS.broadcastPing(port)
    assert result == sdk.COMM_SUCCESS and sorted(found) == list(range(1, 10))


def test_at_another_speed_nobody_answers(emulated):
    port = sdk.PortHandler(emulated.port)
    port.baudrate = 57600
    assert port.openPort()
    assert PACKETS.ping(port, 1)[1] == sdk.COMM_RX_TIMEOUT
    port.closePort()


@pytest.mark.parametrize(
    ("register", "size", "value", "error"),
    [
        (116, 4, 3346, sdk.ERRNUM_DATA_LIMIT),  # goal beyond the maximum of the shoulder
        (0, 2, 1, sdk.ERRNUM_ACCESS),  # read-only
        (126, 2, 1, sdk.ERRNUM_ACCESS),
        (10, 1, 200, sdk.ERRNUM_DATA_RANGE),
        (116, 2, 0, sdk.ERRNUM_DATA_LENGTH),  # half a register
    ],
)
def test_wrong_writes_get_the_errors_of_the_protocol(port, register, size, value, error):
    data = list(value.to_bytes(size, "little"))
    assert PACKETS.writeTxRx(port, 2, register, size, data)[1] == error


def test_eeprom_is_locked_while_torque_is_on(port):
    assert PACKETS.write1ByteTxRx(port, 1, 10, 4)[1] == 0
    assert PACKETS.write1ByteTxRx(port, 1, 64, 1)[1] == 0
    assert PACKETS.write1ByteTxRx(port, 1, 10, 0)[1] == sdk.ERRNUM_ACCESS
    assert PACKETS.read1ByteTxRx(port, 1, 10)[0] == 4


def test_a_shadow_obeys_its_master_and_is_silent(port, emulated):
    assert PACKETS.write1ByteTxRx(port, 2, 64, 1) == (sdk.COMM_SUCCESS, 0)
    motors = emulated.motors()
    assert motors[2]["torque"] == motors[3]["torque"] == 1 and motors[4]["torque"] == 0


def test_sync_write_moves_and_sync_read_sees_it(port, emulated):
    for id in (1, 6):
        PACKETS.write1ByteTxRx(port, id, 64, 1)
    write = sdk.GroupSyncWrite(port, PACKETS, 116, 4)
    for id in (1, 6):
        write.addParam(id, list((2048 + 100 * id).to_bytes(4, "little")))
    write.txPacket()
    read = sdk.GroupSyncRead(port, PACKETS, 126, 10)
    for id in (1, 6):
        read.addParam(id)

    def arrived():
        assert read.txRxPacket() == sdk.COMM_SUCCESS
        return all(abs(read.getData(id, 132, 4) - 2048 - 100 * id) <= 1 for id in (1, 6))

    assert until(arrived)


def test_bulk_read_and_write(port, emulated):
    write = sdk.GroupBulkWrite(port, PACKETS)
    write.addParam(1, 100, 2, list((300).to_bytes(2, "little")))
    write.addParam(4, 98, 1, [50])
    write.txPacket()
    read = sdk.GroupBulkRead(port, PACKETS)
    read.addParam(1, 100, 2)
    read.addParam(4, 98, 1)
    assert read.txRxPacket() == sdk.COMM_SUCCESS
    assert (read.getData(1, 100, 2), read.getData(4, 98, 1)) == (300, 50)


def test_a_time_profile_takes_its_time_and_a_homing_offset_shifts(port, emulated):
    PACKETS.write1ByteTxRx(port, 1, 10, 4)
    before = PACKETS.read4ByteTxRx(port, 1, 132)[0]
    PACKETS.write4ByteTxRx(port, 1, 20, 50)
    assert until(lambda: PACKETS.read4ByteTxRx(port, 1, 132)[0] == before + 50)
    PACKETS.write1ByteTxRx(port, 1, 64, 1)
    PACKETS.write4ByteTxRx(port, 1, 112, 2000)
    began = emulated.ask("state")["now_s"]
    PACKETS.write4ByteTxRx(port, 1, 116, before + 50 + 600)
    assert until(lambda: abs(PACKETS.read4ByteTxRx(port, 1, 132)[0] - before - 650) <= 2)
    assert emulated.ask("state")["now_s"] - began > 1.9


def test_reverse_mode_turns_the_other_way(port, emulated):
    before = emulated.ask("state")["positions"]["waist"]
    PACKETS.write1ByteTxRx(port, 1, 10, 1)
    PACKETS.write1ByteTxRx(port, 1, 64, 1)
    PACKETS.write4ByteTxRx(port, 1, 116, 2248)
    assert until(lambda: emulated.ask("state")["positions"]["waist"] < before - 0.3)


def test_hardware_errors_latch_until_a_reboot(port, emulated):
    PACKETS.write1ByteTxRx(port, 7, 64, 1)
    emulated.ask("temperature", id=7, celsius=85)
    assert until(lambda: PACKETS.read1ByteTxRx(port, 7, 70)[0] == 4)
    assert PACKETS.ping(port, 7)[2] & 0x80
    emulated.ask("clear")
    assert PACKETS.read1ByteTxRx(port, 7, 64)[0] == 0
    PACKETS.write1ByteTxRx(port, 7, 64, 1)
    assert PACKETS.read1ByteTxRx(port, 7, 64)[0] == 0, "a motor that shut down must not come back by itself"
    PACKETS.reboot(port, 7)
    assert PACKETS.read1ByteTxRx(port, 7, 70)[0] == 0 and not PACKETS.ping(port, 7)[2]


def test_any_packet_feeds_the_watchdog_and_silence_trips_it(port, emulated):
    PACKETS.write1ByteTxRx(port, 1, 64, 1)
    PACKETS.write1ByteTxRx(port, 1, 98, 10)
    for _ in range(60):  # reads of another motor, over more than the 200 ms
        PACKETS.read1ByteTxRx(port, 5, 146)
        time.sleep(0.01)
    assert not emulated.motors()[1]["tripped"]
    assert until(lambda: emulated.motors()[1]["tripped"])
    assert PACKETS.read1ByteTxRx(port, 1, 98)[0] == 255
    assert PACKETS.write4ByteTxRx(port, 1, 116, 2000)[1] == sdk.ERRNUM_DATA_RANGE
    assert PACKETS.write1ByteTxRx(port, 1, 98, 10)[1] == sdk.ERRNUM_DATA_RANGE
    assert PACKETS.write1ByteTxRx(port, 1, 98, 0)[1] == 0
    assert PACKETS.write4ByteTxRx(port, 1, 116, 2000)[1] == 0
    assert emulated.motors()[1]["torque"] == 1, "a tripped motor holds"


def test_faults_spoil_as_many_replies_as_asked(port, emulated):
    emulated.ask("drop", count=2)
    results = [PACKETS.ping(port, 1)[1] for _ in range(3)]
    assert results == [sdk.COMM_RX_TIMEOUT, sdk.COMM_RX_TIMEOUT, sdk.COMM_SUCCESS]
    emulated.ask("corrupt", count=1)
    assert PACKETS.ping(port, 1)[1] in (sdk.COMM_RX_CORRUPT, sdk.COMM_RX_TIMEOUT)
    assert PACKETS.ping(port, 1)[1] == sdk.COMM_SUCCESS
    emulated.ask("delay", count=1, seconds=0.3)
    assert PACKETS.ping(port, 1)[1] == sdk.COMM_RX_TIMEOUT
    time.sleep(0.3)
    emulated.ask("silence", ids=[4])
    assert PACKETS.ping(port, 4)[1] == sdk.COMM_RX_TIMEOUT
    emulated.ask("clear")
    assert PACKETS.ping(port, 4)[1] == sdk.COMM_SUCCESS


def test_a_missing_motor_makes_a_whole_group_unavailable(port, emulated):
    emulated.ask("silence", ids=[4])
    read = sdk.GroupSyncRead(port, PACKETS, 132, 4)
    for id in range(1, 10):
        read.addParam(id)
    assert read.txRxPacket() != sdk.COMM_SUCCESS
    assert not read.isAvailable(9, 132, 4)


def test_unplugged_and_back(emulated):
    emulated.ask("disconnect")
    assert not os.path.exists(emulated.port)
    emulated.ask("reconnect")
    port = sdk.PortHandler(emulated.port)
    port.baudrate = 1_000_000
    assert port.openPort() and PACKETS.ping(port, 1)[1] == sdk.COMM_SUCCESS
    port.closePort()


def test_wrong_requests_are_answered_with_a_sentence(emulated):
    for wrong in ("dance", "drop", "temperature"):
        with pytest.raises(ValueError):
            emulated.ask(wrong)
    with pytest.raises(ValueError, match="no joint"):
        emulated.ask("block", joints=["knee"])
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(str(Path(emulated.port).parent / "control"))
    raw.sendall(b"[1]\nnonsense\n")
    answers = b""
    while answers.count(b"\n") < 2:
        answers += raw.recv(4096)
    assert answers.count(b"error") == 2
    raw.close()


def test_a_path_that_cannot_be_is_refused_in_one_sentence(tmp_path):
    command = [sys.executable, "-m", "hardware.emulators.dynamixel", "--link", str(tmp_path / "no" / "port")]
    done = subprocess.run([*command, "--control", str(tmp_path / "c")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "give another path" in done.stderr
