"""dynamixel-sdk with its results checked, its numbers signed, and its failures sorted."""

from __future__ import annotations

import contextlib
import os
import select
import termios
from collections.abc import Callable, Iterable, Mapping

import dynamixel_sdk as sdk
import serial

from hardware.dynamixel.lock import PortLock
from hardware.dynamixel.registers import Register
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import UsageError, WorldFailure

ALERT = 0x80  # bit of a status error: the motor's hardware error register is not 0
LONGEST_WAIT = 0.002  # [s] that one read waits for bytes
LATE_READS = 20  # looks for late answers, until one finds none
_GONE = (serial.SerialException, termios.error, OSError, TypeError)  # pyserial raises TypeError on a closed port


class BusFailure(WorldFailure):
    """A motor did not answer, or answered with an error."""


class BusGone(WorldFailure):
    """The port is not there any more."""


class _WaitingPort(sdk.PortHandler):
    """The SDK asks for bytes in a busy loop; this port lets it sleep until some are there. Its timeouts are the
    clock's, like everything else of an emulated world."""

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name)
        self._clock = clock

    def setPacketTimeout(self, packet_length):
        super().setPacketTimeout(packet_length)
        self.packet_timeout = self._clock.real(self.packet_timeout)

    def setPacketTimeoutMillis(self, msec):
        super().setPacketTimeoutMillis(self._clock.real(msec))

    def readPort(self, length):
        if length > 0:
            select.select([self.ser], [], [], LONGEST_WAIT)
        return super().readPort(length)


class _StrictPackets(sdk.Protocol2PacketHandler):
    """The SDK knows an answer by its motor alone; this one also looks at its length, since one to an earlier question
    may come late."""

    def removeStuffing(self, packet):
        # the SDK's own works in place: it leaves bytes behind the end, and takes some for stuffing that it has moved
        end = 7 + packet[5] + 256 * packet[6] - 2
        body = bytes(packet[7:end]).replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")
        return [*packet[:5], *(len(body) + 2).to_bytes(2, "little"), *body, *packet[end : end + 2]]

    def readRx(self, port, dxl_id, length):
        data, result, error = super().readRx(port, dxl_id, 0xFFFF)
        data = data[:-2]  # the checksum
        if result == sdk.COMM_SUCCESS and len(data) != length:
            return [], sdk.COMM_RX_CORRUPT, error
        return data, result, error


class Bus:
    """A Dynamixel bus behind one port. clock: of the timeouts. Not thread-safe: one thread owns it."""

    def __init__(self, port: str, baud: int, clock: Clock = REAL_TIME) -> None:
        self._name, self._lock = port, PortLock(port)
        self._port = _WaitingPort(port, clock)
        self._port.baudrate = baud
        self._packets = _StrictPackets()

    def open(self) -> None:
        """Raises UsageError: no such port, no permission, in use, not a serial port."""
        name = self._name
        if not os.path.exists(name):
            raise UsageError(f"There is no port {name}; plug in the U2D2 and give the name that it gets.")
        if not os.access(name, os.R_OK | os.W_OK):
            raise UsageError(
                f"No permission to open {name}; install the udev rule or join the group 'dialout', then log in again."
            )
        self._lock.take()
        try:
            if not self._port.openPort():
                raise UsageError(f"{name} does not take {self._port.baudrate} baud; give the speed of the motors.")
        except _GONE as error:
            self.close()
            raise UsageError(f"{name} does not open as a serial port; give the port of the U2D2.") from error
        # the SDK's default of 16 ms is the adapter's; the udev rule sets 1 ms
        with contextlib.suppress(*_GONE, ValueError, AttributeError):
            self._port.ser.set_low_latency_mode(True)

    def close(self) -> None:
        with contextlib.suppress(*_GONE, AttributeError):
            self._port.closePort()
        self._lock.release()

    def ping(self, id: int, tries: int = 2) -> int | None:
        """Model number of a motor, None if it does not answer."""
        for _ in range(tries):
            model, result, _ = self._guarded(self._packets.ping, (None, sdk.COMM_RX_CORRUPT, 0), id)
            if result == sdk.COMM_SUCCESS:
                return model
            self._let_pass()
        return None

    def read(self, id: int, register: Register, tries: int = 5) -> int:
        """A register's value. Raises BusFailure."""
        for _ in range(tries):
            nothing = ([], sdk.COMM_RX_CORRUPT, 0)
            data, result, error = self._guarded(self._packets.readTxRx, nothing, id, register.address, register.size)
            if result == sdk.COMM_SUCCESS and not error & ~ALERT and len(data) == register.size:
                return int.from_bytes(bytes(data), "little", signed=register.signed)
            self._let_pass()
        raise BusFailure(f"Motor {id} does not give its {register.name}: {self._words(result, error)}.")

    def write(self, id: int, register: Register, value: int, tries: int = 5) -> None:
        """Sets a register. Raises BusFailure."""
        data = list(int(value).to_bytes(register.size, "little", signed=register.signed))
        for _ in range(tries):
            nothing = (sdk.COMM_RX_CORRUPT, 0)
            result, error = self._guarded(self._packets.writeTxRx, nothing, id, register.address, register.size, data)
            if result == sdk.COMM_SUCCESS and not error & ~ALERT:
                return
            if result == sdk.COMM_SUCCESS:
                break  # the motor refuses; asking again changes nothing
            self._let_pass()
        raise BusFailure(
            f"Motor {id} does not take {value} as its {register.name}: {self._words(result, error & ~ALERT)}."
        )

    def sync_read(self, ids: Iterable[int], registers: tuple[Register, ...]) -> dict[int, tuple[int, ...]] | None:
        """Values of neighbouring registers of all motors; None if not every one of them answered."""
        first, last = registers[0], registers[-1]
        length = last.address + last.size - first.address
        group = sdk.GroupSyncRead(self._port, self._packets, first.address, length)
        ids = list(ids)
        for id in ids:
            group.addParam(id)
        result = self._guarded(lambda port: group.txRxPacket(), sdk.COMM_RX_CORRUPT)
        # an unavailable value reads 0, so each one is asked for before it is believed
        if result != sdk.COMM_SUCCESS or not all(group.isAvailable(id, first.address, length) for id in ids):
            self._let_pass()
            return None
        return {id: tuple(_signed(group.getData(id, r.address, r.size), r) for r in registers) for id in ids}

    def sync_write(self, register: Register, values: Mapping[int, int]) -> None:
        """Sets a register of several motors at once; they do not answer."""
        group = sdk.GroupSyncWrite(self._port, self._packets, register.address, register.size)
        for id, value in values.items():
            group.addParam(id, list(int(value).to_bytes(register.size, "little", signed=register.signed)))
        self._guarded(lambda port: group.txPacket(), None)

    def _let_pass(self) -> None:
        """Waits for answers that come late: the SDK would take them for those to the next question."""
        for _ in range(LATE_READS):
            with contextlib.suppress(*_GONE):
                if not self._port.readPort(1):
                    return
                self._port.clearPort()

    def _guarded(self, function: Callable, corrupt, *arguments):
        """What `function(port, *arguments)` of the SDK gives, `corrupt` if the SDK trips over a damaged packet."""
        self._port.is_using = False  # the SDK leaves it set when a read raises
        try:
            return function(self._port, *arguments)
        except IndexError:
            return corrupt
        except _GONE as error:
            raise BusGone(f"{self._name} is gone; look at cable and power, then connect again.") from error

    def _words(self, result: int, error: int) -> str:
        if result != sdk.COMM_SUCCESS:
            return self._packets.getTxRxResult(result).split("] ")[-1].rstrip("!. ")
        return self._packets.getRxPacketError(error).split("] ")[-1].rstrip("!. ")


def _signed(value: int, register: Register) -> int:
    raw = int(value).to_bytes(register.size, "little")
    return int.from_bytes(raw, "little", signed=register.signed)
