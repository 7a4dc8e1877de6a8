"""One emulated motor: its registers and what its firmware does with them."""

from __future__ import annotations

from hardware.dynamixel import registers as reg
from hardware.dynamixel.registers import Register
from hardware.dynamixel.units import CENTRE, CURRENT_UNIT, LOAD_UNIT, RADIANS, SPEED_UNIT, XL430_STALL, XM430_TORQUE
from hardware.emulators.dynamixel.packets import ALERT, Error
from hardware.emulators.dynamixel.profile import Profile
from hardware.widowx.motors import XL430, Motor

RESULT_FAIL = 1
TABLE_SIZE = 147
OVERHEAT_BIT = 2
FIRST_FIRMWARE = 45
_BY_ADDRESS = {register.address: register for register in reg.ALL}
_GOALS = (reg.GOAL_PWM, reg.GOAL_CURRENT, reg.GOAL_VELOCITY, reg.GOAL_POSITION)
#: factory and Interbotix values of what the driver does not set
_DEFAULTS = {
    reg.BAUD: 3,
    reg.RETURN_DELAY: 0,
    reg.OPERATING_MODE: reg.POSITION_MODE,
    reg.TEMPERATURE_LIMIT: 80,
    reg.PWM_LIMIT: 885,
    reg.SHUTDOWN: 52,
    reg.GOAL_PWM: 885,
    reg.POSITION_P: 800,
    reg.PRESENT_VOLTAGE: 120,
    reg.PRESENT_TEMPERATURE: 30,
}


class EmulatedMotor:
    """A motor with the EEPROM of its `facts`. misfit: ticks by which its horn was assembled off the joint's zero.

    The encoder counts `raw`; the registers show `+-(raw + homing offset)`, minus (and a turn) in reverse drive mode.
    """

    def __init__(self, facts: Motor, misfit: int = 0) -> None:
        self.facts, self.misfit = facts, misfit
        self._table = bytearray(TABLE_SIZE)
        self.tripped = False
        self._profile = Profile.resting(CENTRE, 0.0)
        self._raw = float(CENTRE)
        for register, value in {
            **_DEFAULTS,
            reg.MODEL: facts.model,
            reg.FIRMWARE: FIRST_FIRMWARE,
            reg.ID: facts.id,
            reg.DRIVE_MODE: reg.REVERSE * facts.reverse,
            reg.SECONDARY_ID: facts.secondary,
            reg.CURRENT_LIMIT: 0 if facts.model == XL430 else 1193,
            reg.VELOCITY_LIMIT: facts.velocity_limit,
            reg.MIN_POSITION: facts.lower,
            reg.MAX_POSITION: facts.upper,
        }.items():
            self.put(register, value)

    # registers

    def get(self, register: Register) -> int:
        raw = self._table[register.address : register.address + register.size]
        return int.from_bytes(raw, "little", signed=register.signed)

    def put(self, register: Register, value: int) -> None:
        raw = int(value).to_bytes(register.size, "little", signed=register.signed)
        self._table[register.address : register.address + register.size] = raw

    @property
    def torque(self) -> bool:
        return bool(self.get(reg.TORQUE_ENABLE))

    @property
    def alert(self) -> int:
        """The bit that every status carries while the hardware error register is not 0."""
        return ALERT if self.get(reg.HARDWARE_ERROR) else 0

    def read(self, address: int, length: int) -> bytes | None:
        """What a read instruction gets; None if it reaches beyond the table."""
        return bytes(self._table[address : address + length]) if address + length <= TABLE_SIZE else None

    def write(self, address: int, data: bytes, now: float) -> int:
        """Carries out a write instruction, wholly or not at all; the error number. now: [s]."""
        wanted: list[tuple[Register, int]] = []
        at = address
        while at < address + len(data):
            register = _BY_ADDRESS.get(at)
            if register is None:
                return Error.ACCESS
            part = data[at - address : at - address + register.size]
            if len(part) < register.size:
                return Error.LENGTH
            value = int.from_bytes(part, "little", signed=register.signed)
            problem = self._problem(register, value)
            if problem:
                return problem
            wanted.append((register, value))
            at += register.size
        for register, value in wanted:
            self._carry_out(register, value, now)
        return RESULT_FAIL if (reg.TORQUE_ENABLE, 1) in wanted and not self.torque else Error.NONE

    def _problem(self, register: Register, value: int) -> int:
        if not register.writable or (register.eeprom and self.torque):
            return Error.ACCESS
        if register.range and not register.range[0] <= value <= register.range[1]:
            return Error.RANGE
        if self.tripped and (register in _GOALS or (register == reg.BUS_WATCHDOG and value != 0)):
            return Error.RANGE
        low, high = self.get(reg.MIN_POSITION), self.get(reg.MAX_POSITION)
        position_mode = self.get(reg.OPERATING_MODE) == reg.POSITION_MODE
        if register == reg.GOAL_POSITION and position_mode and not low <= value <= high:
            return Error.LIMIT
        if register == reg.GOAL_PWM and abs(value) > self.get(reg.PWM_LIMIT):
            return Error.LIMIT
        return Error.NONE

    def _carry_out(self, register: Register, value: int, now: float) -> None:
        if register == reg.TORQUE_ENABLE and value and self.get(reg.HARDWARE_ERROR) & self.get(reg.SHUTDOWN):
            return  # shut down until it is rebooted
        switched_on = register == reg.TORQUE_ENABLE and value and not self.torque
        self.put(register, value)
        if switched_on:
            self._rest_at(self.shown(self._raw), now)
        if register == reg.BUS_WATCHDOG and value == 0:
            self.tripped = False
        if register == reg.GOAL_POSITION and self.torque:
            begin = self._profile.reference(now)
            pace = self.get(reg.PROFILE_VELOCITY), self.get(reg.PROFILE_ACCELERATION)
            make = Profile.timed if self.get(reg.DRIVE_MODE) & reg.TIME_PROFILE else Profile.paced
            self._profile = make(begin, value, now, *pace)

    def _rest_at(self, ticks: float, now: float) -> None:
        self._profile = Profile.resting(ticks, now)
        self.put(reg.GOAL_POSITION, round(ticks))

    def reboot(self, now: float) -> None:
        """Torque off, errors and watchdog cleared, RAM as at power-on; EEPROM stays."""
        self._table[64:] = bytes(TABLE_SIZE - 64)
        for register, value in _DEFAULTS.items():
            if not register.eeprom:
                self.put(register, value)
        self.tripped = False

    # time and the world

    def tick(self, now: float, last_packet: float) -> None:
        """What the firmware does by itself. now, last_packet: [s], when the bus carried its last instruction."""
        timeout = self.get(reg.BUS_WATCHDOG)
        if timeout > 0 and not self.tripped and now - last_packet > timeout * reg.WATCHDOG_UNIT_MS / 1e3:
            self.tripped = True
            self.put(reg.BUS_WATCHDOG, -1)
            if self.torque:
                self._rest_at(self._profile.reference(now), now)  # stops and holds
        if self.get(reg.PRESENT_TEMPERATURE) >= self.get(reg.TEMPERATURE_LIMIT):
            self.fail(1 << OVERHEAT_BIT)

    def fail(self, bits: int) -> None:
        """Latches hardware errors; those that the shutdown register names switch the torque off."""
        self.put(reg.HARDWARE_ERROR, self.get(reg.HARDWARE_ERROR) | bits)
        if bits & self.get(reg.SHUTDOWN):
            self.put(reg.TORQUE_ENABLE, 0)

    def reference(self, now: float) -> float | None:
        """The joint angle [rad] that it wants, None without torque."""
        return self._angle(self.raw(self._profile.reference(now))) if self.torque else None

    def sense(self, angle: float, velocity: float, effort: float) -> None:
        """Joint angle [rad], speed [rad/s] and this motor's share of the effort [N m], into the registers."""
        mirrored = -1 if self.facts.reverse else 1
        self._raw = mirrored * angle / RADIANS + CENTRE + self.misfit
        direction = mirrored * (-1 if self._reversed else 1)
        self.put(reg.PRESENT_POSITION, round(self.shown(self._raw)))
        self.put(reg.PRESENT_VELOCITY, round(direction * velocity / SPEED_UNIT))
        self.put(reg.MOVING, int(abs(velocity) > SPEED_UNIT))
        load = effort / XL430_STALL / LOAD_UNIT if self.facts.model == XL430 else effort / XM430_TORQUE / CURRENT_UNIT
        self.put(reg.PRESENT_CURRENT, round(direction * load))

    @property
    def _reversed(self) -> bool:
        return bool(self.get(reg.DRIVE_MODE) & reg.REVERSE)

    def shown(self, raw: float) -> float:
        """The position that the registers show of an encoder count."""
        shifted = raw + self.get(reg.HOMING_OFFSET)
        return 2 * CENTRE - shifted if self._reversed else shifted

    def raw(self, shown: float) -> float:
        return (2 * CENTRE - shown if self._reversed else shown) - self.get(reg.HOMING_OFFSET)

    def _angle(self, raw: float) -> float:
        return (raw - CENTRE - self.misfit) * RADIANS * (-1 if self.facts.reverse else 1)
