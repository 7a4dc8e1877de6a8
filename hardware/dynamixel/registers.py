"""Dynamixel X control table (Robotis e-manual, XM430-W350), as far as an arm needs it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Register:
    """address and size in bytes; signed values are two's complement."""

    name: str
    address: int
    size: int
    signed: bool = False
    writable: bool = True
    #: inclusive range of what may be written, None = everything that fits
    range: tuple[int, int] | None = None

    @property
    def eeprom(self) -> bool:
        """Kept without power, and only writable while torque is off."""
        return self.address < 64


def _r(name, address, size, signed=False, writable=True, range=None) -> Register:
    return Register(name, address, size, signed, writable, range)


MODEL = _r("model", 0, 2, writable=False)
FIRMWARE = _r("firmware", 6, 1, writable=False)
ID = _r("id", 7, 1, range=(0, 252))
BAUD = _r("baud", 8, 1, range=(0, 7))
RETURN_DELAY = _r("return_delay", 9, 1, range=(0, 254))  # [2 us]
DRIVE_MODE = _r("drive_mode", 10, 1, range=(0, 13))  # bit 0 reverse, bit 2 profile in ms
OPERATING_MODE = _r("operating_mode", 11, 1, range=(0, 16))
SECONDARY_ID = _r("secondary_id", 12, 1, range=(0, 255))  # 255 = none
HOMING_OFFSET = _r("homing_offset", 20, 4, signed=True, range=(-1044479, 1044479))
TEMPERATURE_LIMIT = _r("temperature_limit", 31, 1, range=(0, 100))
PWM_LIMIT = _r("pwm_limit", 36, 2, range=(0, 885))
CURRENT_LIMIT = _r("current_limit", 38, 2, range=(0, 1193))
VELOCITY_LIMIT = _r("velocity_limit", 44, 4, range=(0, 1023))  # [0.229 rev/min]
MAX_POSITION = _r("max_position", 48, 4, range=(0, 4095))
MIN_POSITION = _r("min_position", 52, 4, range=(0, 4095))
SHUTDOWN = _r("shutdown", 63, 1, range=(0, 63))
TORQUE_ENABLE = _r("torque_enable", 64, 1, range=(0, 1))
HARDWARE_ERROR = _r("hardware_error", 70, 1, writable=False)
POSITION_D = _r("position_d", 80, 2, range=(0, 16383))
POSITION_I = _r("position_i", 82, 2, range=(0, 16383))
POSITION_P = _r("position_p", 84, 2, range=(0, 16383))
BUS_WATCHDOG = _r("bus_watchdog", 98, 1, signed=True, range=(0, 127))  # [20 ms]; reads -1 when it has tripped
GOAL_PWM = _r("goal_pwm", 100, 2, signed=True, range=(-885, 885))
GOAL_CURRENT = _r("goal_current", 102, 2, signed=True, range=(-1193, 1193))
GOAL_VELOCITY = _r("goal_velocity", 104, 4, signed=True)
PROFILE_ACCELERATION = _r("profile_acceleration", 108, 4, range=(0, 32767))
PROFILE_VELOCITY = _r("profile_velocity", 112, 4, range=(0, 32767))
GOAL_POSITION = _r("goal_position", 116, 4, signed=True)
MOVING = _r("moving", 122, 1, writable=False)
PRESENT_PWM = _r("present_pwm", 124, 2, signed=True, writable=False)
PRESENT_CURRENT = _r("present_current", 126, 2, signed=True, writable=False)  # of an XL430: load [0.1 %]
PRESENT_VELOCITY = _r("present_velocity", 128, 4, signed=True, writable=False)
PRESENT_POSITION = _r("present_position", 132, 4, signed=True, writable=False)
PRESENT_VOLTAGE = _r("present_voltage", 144, 2, writable=False)  # [0.1 V]
PRESENT_TEMPERATURE = _r("present_temperature", 146, 1, writable=False)  # [deg C]

ALL = tuple(value for value in globals().values() if isinstance(value, Register))

#: models by number
MODELS = {1020: "XM430-W350", 1060: "XL430-W250", 1120: "XM540-W270", 1070: "XC430-W150"}
POSITION_MODE = 3
REVERSE, TIME_PROFILE = 1, 4  # bits of DRIVE_MODE
NO_SECONDARY = 255
#: bits of HARDWARE_ERROR
ERRORS = {0: "input voltage", 2: "overheating", 3: "encoder", 4: "electrical shock", 5: "overload"}
WATCHDOG_FIRMWARE = 38  # the first with BUS_WATCHDOG
WATCHDOG_UNIT_MS = 20


def error_words(bits: int) -> str:
    """`overheating and overload` of a hardware error register."""
    return " and ".join(ERRORS.get(i, f"bit {i}") for i in range(8) if bits >> i & 1) or "none"
