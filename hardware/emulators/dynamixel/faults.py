"""What can go wrong on a bus, on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hardware.dynamixel import registers as reg
from hardware.emulators.dynamixel.bus import Bus
from hardware.emulators.dynamixel.plant import POSES, KinematicPlant
from hardware.emulators.operations import Operations
from touchstone.clock import REAL_TIME, Clock

SNAPSHOT = {
    "torque": reg.TORQUE_ENABLE,
    "watchdog": reg.BUS_WATCHDOG,
    "error": reg.HARDWARE_ERROR,
    "goal": reg.GOAL_POSITION,
    "position": reg.PRESENT_POSITION,
    "temperature": reg.PRESENT_TEMPERATURE,
    "drive_mode": reg.DRIVE_MODE,
    "homing_offset": reg.HOMING_OFFSET,
    "profile_velocity": reg.PROFILE_VELOCITY,
    "goal_pwm": reg.GOAL_PWM,
}
_REGISTERS = {register.name: register for register in reg.ALL}


class Faults(Operations):
    """Counts down the replies that are to be spoilt, and carries out requests.

    Operations:
    drop, corrupt (count): the next replies are lost or damaged. delay (count, seconds): they come late.
    silence (ids): these motors do not answer; [] = all do. disconnect, reconnect: the adapter is unplugged, and back.
    motor_error (id, bits): latches a hardware error. temperature (id, celsius). block (joints): something holds them.
    push (newtons): the TCP presses down. register (id, name, value): sets any register, firmware or model, too.
    reset (pose): another arm, in its `sleep`, `ready` or `home` pose.
    clear: ends all of these; errors stay latched until a reboot. state, goals (since_s): what is and what was asked.
    """

    def __init__(self, bus: Bus, plug: Callable[[bool], None], clock: Clock = REAL_TIME) -> None:
        self._bus, self._plug, self.clock = bus, plug, clock
        self.drop = self.corrupt = self.late = 0
        self.delay_s = 0.0

    def spoil(self, reply: bytes) -> tuple[bytes | None, float]:
        """What becomes of a reply: its bytes, None if it is lost, and by how many seconds it is late."""
        late = 0.0
        if self.late:
            self.late -= 1
            late = self.delay_s
        if self.drop:
            self.drop -= 1
            return None, late
        if self.corrupt:
            self.corrupt -= 1
            return reply[:-1] + bytes([reply[-1] ^ 0xFF]), late
        return reply, late

    def _do_drop(self, count: int) -> None:
        self.drop = int(count)

    def _do_corrupt(self, count: int) -> None:
        self.corrupt = int(count)

    def _do_delay(self, count: int, seconds: float) -> None:
        self.late, self.delay_s = int(count), float(seconds)

    def _do_silence(self, ids: list[int]) -> None:
        self._bus.silent = {self._bus.motors[id].facts.id for id in ids}

    def _do_disconnect(self) -> None:
        self._plug(False)

    def _do_reconnect(self) -> None:
        self._plug(True)

    def _do_motor_error(self, id: int, bits: int) -> None:
        self._bus.motors[id].fail(int(bits))

    def _do_temperature(self, id: int, celsius: int) -> None:
        self._bus.motors[id].put(reg.PRESENT_TEMPERATURE, celsius)

    def _do_block(self, joints: list[str]) -> None:
        unknown = set(joints) - set(self._bus.plant.positions)
        if unknown:
            raise KeyError(f"there is no joint {', '.join(sorted(unknown))}")
        self._bus.plant.blocked = set(joints)

    def _do_push(self, newtons: float) -> None:
        self._bus.plant.push = float(newtons)

    def _do_register(self, id: int, name: str, value: int) -> None:
        self._bus.motors[id].put(_REGISTERS[name], value)

    def _do_clear(self) -> None:
        self.drop = self.corrupt = self.late = 0
        self._bus.silent = set()
        self._bus.plant.blocked, self._bus.plant.push = set(), 0.0
        for id in self._bus.motors:
            self._do_temperature(id, 30)

    def _do_reset(self, pose: str) -> None:
        if not isinstance(self._bus.plant, KinematicPlant):
            raise ValueError("the arm is moved by a simulator, which starts it where it likes")
        self._do_clear()
        self._bus.reset(KinematicPlant(POSES[pose]))

    def _do_state(self) -> dict[str, Any]:
        motors = {
            id: {name: motor.get(register) for name, register in SNAPSHOT.items()} | {"tripped": motor.tripped}
            for id, motor in self._bus.motors.items()
        }
        plant = self._bus.plant
        return {
            "motors": motors,
            "positions": plant.positions,
            "velocities": plant.velocities,
            "packets": self._bus.packets,
            "now_s": self._bus.now,
            "longest_gap_s": self._bus.longest_gap,
        }

    def _do_goals(self, since_s: float = 0.0) -> dict[str, Any]:
        return {"goals": [goal for goal in self._bus.goals if goal[0] >= since_s]}
