"""Exposure, gain and white balance of the colour sensor: locked to a value, or left to the camera."""

from __future__ import annotations

from hardware.realsense.sdk import rs
from hardware.realsense.spec import RealSenseSpec
from touchstone.errors import UsageError

#: what is set -> the option that makes the camera set it itself
AUTOMATIC = {
    "exposure": rs.option.enable_auto_exposure,
    "gain": rs.option.enable_auto_exposure,
    "white_balance": rs.option.enable_auto_white_balance,
}


def set_controls(sensor: rs.sensor, spec: RealSenseSpec, name: str) -> None:
    """Raises UsageError for a value that the camera does not have, does not take, or does not keep."""
    wanted = {control: getattr(spec, control) for control in AUTOMATIC}
    locked = {AUTOMATIC[control] for control, value in wanted.items() if value is not None}
    for switch in set(AUTOMATIC.values()):
        # a camera keeps what an earlier program set until it is unplugged
        if sensor.supports(switch) and not sensor.is_option_read_only(switch):
            sensor.set_option(switch, 0.0 if switch in locked else 1.0)
    for control, value in wanted.items():
        if value is not None:
            _set(sensor, control, value, name)


def read_controls(sensor: rs.sensor) -> dict[str, float]:
    """What the camera says of exposure, gain and white balance; without those it does not have."""
    options = {control: getattr(rs.option, control) for control in AUTOMATIC}
    return {control: sensor.get_option(option) for control, option in options.items() if sensor.supports(option)}


def _set(sensor: rs.sensor, control: str, value: float, name: str) -> None:
    option, words = getattr(rs.option, control), control.replace("_", " ")
    if not sensor.supports(option) or sensor.is_option_read_only(option):
        raise UsageError(f"{name} has no {words} to set; leave out {control}.")
    bounds = sensor.get_option_range(option)
    if not bounds.min <= value <= bounds.max:
        raise UsageError(f"{name} takes {words} from {bounds.min:g} to {bounds.max:g}, not {value:g}; choose one.")
    sensor.set_option(option, value)
    kept = sensor.get_option(option)
    if abs(kept - value) > max(bounds.step, 1e-6):
        raise UsageError(
            f"{name} kept {words} at {kept:g} instead of {value:g}; give a value in steps of {bounds.step:g}."
        )
