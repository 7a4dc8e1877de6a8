"""Between motor registers and what an xs_sdk makes of them (dynamixel-workbench, branch ros2)."""

from __future__ import annotations

from hardware.dynamixel import registers as reg
from hardware.dynamixel.registers import Register
from hardware.dynamixel.units import CENTRE, RADIANS, SPEED_UNIT

#: registers by the names that the services take
NAMES = {
    reg.MODEL: "Model_Number",
    reg.FIRMWARE: "Firmware_Version",
    reg.RETURN_DELAY: "Return_Delay_Time",
    reg.DRIVE_MODE: "Drive_Mode",
    reg.OPERATING_MODE: "Operating_Mode",
    reg.SECONDARY_ID: "Secondary_ID",
    reg.VELOCITY_LIMIT: "Velocity_Limit",
    reg.MAX_POSITION: "Max_Position_Limit",
    reg.MIN_POSITION: "Min_Position_Limit",
    reg.TORQUE_ENABLE: "Torque_Enable",
    reg.HARDWARE_ERROR: "Hardware_Error_Status",
    reg.BUS_WATCHDOG: "Bus_Watchdog",
    reg.GOAL_PWM: "Goal_PWM",
    reg.PROFILE_ACCELERATION: "Profile_Acceleration",
    reg.PROFILE_VELOCITY: "Profile_Velocity",
    reg.GOAL_POSITION: "Goal_Position",
    reg.PRESENT_POSITION: "Present_Position",
    reg.PRESENT_VOLTAGE: "Present_Input_Voltage",
    reg.PRESENT_TEMPERATURE: "Present_Temperature",
}

CURRENT_MA = 2.69  # [mA] that the workbench makes of one unit of register 126, of whatever motor
#: the workbench cuts off fractions of ticks; a quarter more, and cutting and rounding both give the tick that is meant
_QUARTER = 0.25


def commanded_angle(ticks: int) -> float:
    """The angle [rad] of which the xs_sdk makes `ticks`."""
    return (ticks - CENTRE + _QUARTER) * RADIANS


def position_ticks(angle: float) -> int:
    """The present position register behind an angle [rad] in joint_states."""
    return CENTRE + round(angle / RADIANS)


def velocity_units(velocity: float) -> int:
    """The present velocity register behind a speed [rad/s] in joint_states."""
    return round(velocity / SPEED_UNIT)


def effort_units(effort: float) -> int:
    """Register 126 behind an effort in joint_states: [mA] of an XM430; of an XL430, its load times the same number."""
    return round(effort / CURRENT_MA)


def register_value(register: Register, told: int) -> int:
    """A register's value of what the services tell, which leave the sign of small registers away."""
    bits = 8 * register.size
    return int.from_bytes((told % (1 << bits)).to_bytes(register.size, "little"), "little", signed=register.signed)
