"""What librealsense's errors mean to whoever stands beside the camera: one sentence each."""

from __future__ import annotations

from touchstone.errors import UsageError

UDEV = "install the udev rule of docs/cameras.md and plug the camera in again."

#: parts of librealsense's texts, lower case: of its V4L2 and libusb back ends, as in public reports (its issues 8020,
#: 12382, 7521, 4768), and of the software device
BUSY = ("device or resource busy", "errno=16", "status_busy", "set power state", "is streaming")
SHUT = ("permission denied", "errno=13", "status_access", "libusb_error_access")
UNPLUGGED = ("no such device", "errno=19", "status_no_device", "disconnected")
MEANINGS = (
    (BUSY, "is in use by another program; end that."),
    (SHUT, f"may not be opened; {UDEV}"),
    (UNPLUGGED, "was unplugged; plug it in again."),
)


def explain(error: Exception, name: str) -> UsageError:
    """The sentence for an error of librealsense about the camera `name`."""
    text = str(error).lower()
    for parts, meaning in MEANINGS:
        if any(part in text for part in parts):
            return UsageError(f"{name} {meaning}")
    return UsageError(f"{name} cannot be used, says librealsense: {str(error).rstrip('.')}; plug it in again.")
