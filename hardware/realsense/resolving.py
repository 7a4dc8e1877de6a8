"""From a spec to a device of librealsense. What follows is the same for a camera, a recording and an emulated one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hardware.realsense import usb
from hardware.realsense.sdk import rs
from hardware.realsense.sentences import UDEV, explain
from hardware.realsense.spec import RealSenseSpec
from touchstone.clock import Clock
from touchstone.errors import UsageError


@dataclass(frozen=True)
class Source:
    """A device and what is known of it. name: for sentences. recorded: its stamps are of another day. gone: a sentence
    once it will give no more pictures, else None. close: lets go of it. context: lives as long as the device, or
    librealsense does not notice that it is unplugged."""

    device: rs.device
    name: str
    gone: Callable[[], str | None]
    recorded: bool = False
    close: Callable[[], None] = field(default=lambda: None)
    context: rs.context | None = None


def resolve_device(spec: RealSenseSpec, clock: Clock) -> Source:
    """Finds what the spec means. Raises UsageError: no such camera (naming those there), no permission, no such file,
    nobody renders."""
    if spec.frames is not None:
        return _emulated(spec.frames, spec.start_s, clock)
    return _recorded(spec.file) if spec.file is not None else _on_usb(spec.serial)


def on_usb(context: rs.context) -> dict[str, rs.device]:
    """The cameras that librealsense can open, by serial number. Raises UsageError."""
    try:
        return {info(device, rs.camera_info.serial_number): device for device in context.query_devices()}
    except RuntimeError as error:
        raise explain(error, "A RealSense camera") from error


def info(device: rs.device, what: rs.camera_info) -> str:
    """What a device says about itself, `?` if it does not."""
    return device.get_info(what) if device.supports(what) else "?"


def _on_usb(serial: str | None) -> Source:
    context = rs.context()
    found = on_usb(context)
    device = found.get(serial) if serial else next(iter(found.values()), None)
    if device is None or (serial is None and len(found) > 1):
        raise UsageError(_no_choice(serial, list(found), usb.plugged_in()))
    name = f"{info(device, rs.camera_info.name)} {info(device, rs.camera_info.serial_number)}"
    link = info(device, rs.camera_info.usb_type_descriptor)
    if link.startswith(("1", "2")):
        raise UsageError(f"{name} is on a USB {link} link, too slow for it; use a USB 3 port and cable.")

    def gone() -> str | None:
        return None if device.is_connected() else f"{name} was unplugged; plug it in and connect again."

    return Source(device, name, gone, context=context)


def _no_choice(serial: str | None, found: list[str], plugged: list[usb.Plugged]) -> str:
    """Why there is no camera to take: one sentence."""
    if serial is None and found:
        return f"There are {len(found)} RealSense cameras, {', '.join(sorted(found))}; say which by its serial number."
    shut = [camera for camera in plugged if not camera.open_to_us]
    if shut and len(plugged) > len(found):
        return f"{shut[0].product} is plugged in, but {shut[0].node} may not be opened; {UDEV}"
    if len(plugged) > len(found):
        return f"{plugged[0].product} is plugged in, but cannot be opened; {UDEV}"
    wanted = f"RealSense camera with serial number {serial}" if serial else "RealSense camera"
    there = f"there is {', '.join(sorted(found))}" if found else "none is plugged in"
    return f"There is no {wanted}; {there}."


def _recorded(path: Path) -> Source:
    if not path.is_file():
        raise UsageError(f"There is no recording {path}; give the path of a .bag or .db3 file.")
    context = rs.context()
    try:
        device = context.load_device(str(path))
    except RuntimeError as error:
        raise UsageError(f"{path} is no RealSense recording ({error}); give a .bag or .db3 file.") from error

    def gone() -> str | None:
        over = device.current_status() == rs.playback_status.stopped
        return f"The recording {path} has ended; connect again to play it once more." if over else None

    return Source(device, f"The recording {path}", gone, recorded=True, context=context)


def _emulated(name: str, wait_s: float, clock: Clock) -> Source:
    # a bench with a camera needs no emulator
    from hardware.emulators.realsense.camera import EmulatedCamera

    camera = EmulatedCamera(name, clock, wait_s)
    return Source(camera.device, camera.name, camera.gone, close=camera.close)
