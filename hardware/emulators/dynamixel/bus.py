"""The bus: instruction packets in, status packets out, and the motors between them and the plant."""

from __future__ import annotations

from collections import deque

from hardware.dynamixel import registers as reg
from hardware.emulators.dynamixel.motor import EmulatedMotor
from hardware.emulators.dynamixel.packets import BROADCAST, STATUS, Error, Packet, status
from hardware.emulators.dynamixel.plant import KinematicPlant
from hardware.emulators.kinematic import GRIPPER, Plant
from hardware.widowx.motors import MOTORS

PING, READ, WRITE, REG_WRITE, ACTION, REBOOT = 0x01, 0x02, 0x03, 0x04, 0x05, 0x08
SYNC_READ, SYNC_WRITE, BULK_READ, BULK_WRITE = 0x82, 0x83, 0x92, 0x93
STEP = 0.002  # [s], of the plant
#: ticks by which the shadows' horns were assembled off, so that a driver must calibrate them
MISFITS = {3: 11, 5: -7}
GOALS_KEPT = 200_000


class Bus:
    """Nine motors and a plant on one clock [s]. silent: ids that do not answer. goals: (s, id, ticks) as accepted.
    longest_gap: [s] in which the machine left the emulator no time; over a few ms, tests of timing mean nothing."""

    def __init__(self, plant: Plant | None = None) -> None:
        self.now = 0.0
        self.reset(plant or KinematicPlant())

    def reset(self, plant: Plant) -> None:
        """Another arm: motors as they come from the factory, and its plant."""
        self.plant = plant
        self.motors = {facts.id: EmulatedMotor(facts, MISFITS.get(facts.id, 0)) for facts in MOTORS}
        self.silent: set[int] = set()
        self.goals: deque[tuple[float, int, int]] = deque(maxlen=GOALS_KEPT)
        self.packets = 0
        self._last_packet = self.now
        self.longest_gap = 0.0
        self._registered: dict[int, tuple[int, bytes]] = {}
        self._sense()

    def advance(self, now: float, heard: bool = False) -> None:
        """Lets motors and plant come to `now` [s].

        heard: packets have come since the last time. When is not known, so that the watchdogs give the driver the
        benefit: they count from `now`, not from when this process was let run.
        """
        if heard:
            self._last_packet = now
        self.longest_gap = max(self.longest_gap, now - self.now)
        while self.now < now:
            dt = min(STEP, now - self.now)
            self.now += dt
            for motor in self.motors.values():
                motor.tick(self.now, self._last_packet)
            self.plant.step(dt, self._references())
        self._sense()

    def handle(self, packet: Packet) -> list[bytes]:
        """Carries out one instruction now; the status packets that answer it, in order."""
        if not packet.intact:
            return self._answer(packet.id, Error.CRC)
        if packet.instruction == STATUS:
            return []
        self.packets += 1
        self._last_packet = self.now
        handler = {
            PING: self._ping,
            READ: self._read,
            WRITE: self._write,
            REG_WRITE: self._reg_write,
            ACTION: self._action,
            REBOOT: self._reboot,
            SYNC_READ: self._sync_read,
            SYNC_WRITE: self._sync_write,
            BULK_READ: self._bulk_read,
            BULK_WRITE: self._bulk_write,
        }.get(packet.instruction)
        return handler(packet) if handler else self._answer(packet.id, Error.INSTRUCTION)

    # instructions

    def _ping(self, packet: Packet) -> list[bytes]:
        replies = []
        for motor in self._addressed(packet.id):
            model = motor.get(reg.MODEL).to_bytes(2, "little") + bytes([motor.get(reg.FIRMWARE)])
            replies.append(status(motor.facts.id, motor.alert, model))
        return replies

    def _read(self, packet: Packet) -> list[bytes]:
        if len(packet.parameters) != 4:
            return self._answer(packet.id, Error.LENGTH)
        address, length = _word(packet.parameters, 0), _word(packet.parameters, 2)
        return [self._status_of(motor, address, length) for motor in self._addressed(packet.id, broadcast=False)]

    def _write(self, packet: Packet) -> list[bytes]:
        error = self._apply(packet.id, _word(packet.parameters, 0), packet.parameters[2:])
        return self._answer(packet.id, error)

    def _reg_write(self, packet: Packet) -> list[bytes]:
        self._registered[packet.id] = (_word(packet.parameters, 0), packet.parameters[2:])
        return self._answer(packet.id, Error.NONE)

    def _action(self, packet: Packet) -> list[bytes]:
        for id, (address, data) in self._registered.items():
            self._apply(id, address, data)
        self._registered.clear()
        return self._answer(packet.id, Error.NONE)

    def _reboot(self, packet: Packet) -> list[bytes]:
        for motor in self._addressed(packet.id):
            motor.reboot(self.now)
        return self._answer(packet.id, Error.NONE)

    def _sync_read(self, packet: Packet) -> list[bytes]:
        address, length = _word(packet.parameters, 0), _word(packet.parameters, 2)
        return self._in_turn([(id, address, length) for id in packet.parameters[4:]])

    def _bulk_read(self, packet: Packet) -> list[bytes]:
        parts = [packet.parameters[i : i + 5] for i in range(0, len(packet.parameters), 5)]
        return self._in_turn([(part[0], _word(part, 1), _word(part, 3)) for part in parts if len(part) == 5])

    def _sync_write(self, packet: Packet) -> list[bytes]:
        address, length = _word(packet.parameters, 0), _word(packet.parameters, 2)
        rest = packet.parameters[4:]
        for i in range(0, len(rest) - length, length + 1):
            self._apply(rest[i], address, rest[i + 1 : i + 1 + length])
        return []

    def _bulk_write(self, packet: Packet) -> list[bytes]:
        rest = packet.parameters
        while len(rest) >= 5:
            length = _word(rest, 3)
            self._apply(rest[0], _word(rest, 1), rest[5 : 5 + length])
            rest = rest[5 + length :]
        return []

    # parts

    def _addressed(self, id: int, broadcast: bool = True) -> list[EmulatedMotor]:
        """The motors that answer to `id`; a shadow obeys its master's id but answers only to its own."""
        ids = self.motors if id == BROADCAST and broadcast else [id]
        return [self.motors[i] for i in ids if i in self.motors and i not in self.silent]

    def _apply(self, id: int, address: int, data: bytes) -> int:
        error = Error.NONE
        for motor in self.motors.values():
            own = motor.facts.id == id or id == BROADCAST
            if motor.facts.id in self.silent or not (own or motor.get(reg.SECONDARY_ID) == id):
                continue
            result = motor.write(address, data, self.now)
            if own:
                error = error or result
            if not result and address <= reg.GOAL_POSITION.address < address + len(data):
                self.goals.append((self.now, motor.facts.id, motor.get(reg.GOAL_POSITION)))
        return error

    def _in_turn(self, asked: list[tuple[int, int, int]]) -> list[bytes]:
        replies = []
        for id, address, length in asked:
            if id not in self.motors or id in self.silent:
                break  # each waits for the one before it
            replies.append(self._status_of(self.motors[id], address, length))
        return replies

    def _status_of(self, motor: EmulatedMotor, address: int, length: int) -> bytes:
        data = motor.read(address, length)
        if data is None:
            return status(motor.facts.id, Error.RANGE | motor.alert)
        return status(motor.facts.id, motor.alert, data)

    def _answer(self, id: int, error: int) -> list[bytes]:
        if id == BROADCAST:
            return []
        return [status(id, error | motor.alert) for motor in self._addressed(id)]

    def _references(self) -> dict[str, float | None]:
        """What the motors want of each joint [rad]; a shadow carries a joint alone only if its master is limp."""
        wanted: dict[str, float | None] = {}
        for motor in self.motors.values():
            joint = motor.facts.joint or GRIPPER
            if wanted.get(joint) is None:
                wanted[joint] = motor.reference(self.now)
        return wanted

    def _sense(self) -> None:
        self.plant.update_efforts(self._references())
        for motor in self.motors.values():
            joint = motor.facts.joint or GRIPPER
            carriers = sum(1 for other in self.motors.values() if other.facts.joint == joint and other.torque)
            effort = self.plant.efforts[joint] / max(carriers, 1) if motor.torque else 0.0
            motor.sense(self.plant.positions[joint], self.plant.velocities[joint], effort)


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")
