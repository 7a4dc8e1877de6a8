"""What follows the colon in `emulated:...` and `real:...`: how this bench differs from the usual one."""

from __future__ import annotations

from touchstone.errors import UsageError

Value = str | bool | int | float

#: word -> its default and what it means; the default's type is the word's
EMULATED: dict[str, tuple[Value, str]] = {
    "time_scale": (0.25, "seconds of the world in a real second"),
    "fps": (10, "pictures in a second of the world"),
    "speed": (1.0, "part of the joints' speed that is used"),
}
REAL: dict[str, tuple[Value, str]] = {
    "driver": ("vendor", "vendor, or interbotix for a WidowX behind a running xs_sdk"),
    "name": ("wx250s", "robot_name of that xs_sdk"),
    "port": ("", "serial port of a WidowX's U2D2"),
    "host": ("", "address of a Realman's controller"),
    "device": ("realsense", "realsense[:SERIAL], uvc:DEVICE or file:PATH"),
    "fps": (30, "pictures in a second"),
    "exposure": (-1.0, "of the camera, in its own units"),
    "gain": (-1.0, "of a RealSense, in its own units"),
    "white_balance": (-1.0, "of the camera [K]"),
    "focus": (-1.0, "of a USB camera, in its own units"),
    "speed": (1.0, "part of the joints' speed that is used; 0.1 for a new arm"),
    "dry_run": (False, "run everything, and send the arm nothing"),
}


def parse(world: str, variant: str | None) -> dict[str, Value]:
    """All options of `emulated` or `real`, those of `variant` (`port=/dev/ttyDXL,speed=0.1`) in place of their
    defaults. Raises UsageError. Ranges are checked by the nodes, which declare them."""
    known = {"emulated": EMULATED, "real": REAL}[world]
    found = {name: default for name, (default, _) in known.items()}
    for part in (variant or "").split(",") if variant else ():
        name, equals, text = part.partition("=")
        if name not in known or not equals:
            usual = ", ".join(f"{name} ({meaning})" for name, (_, meaning) in known.items())
            raise UsageError(f"'{part}' says nothing about world {world}; write NAME=VALUE of {usual}.")
        found[name] = _value(name, text, type(known[name][0]))
    return found


def written(world: str, given: dict[str, str]) -> str:
    """The inverse of `parse`: the world with those of `given` that say something, as `--world` takes it."""
    said = [f"{name}={value}" for name, value in given.items() if value]
    return f"{world}:{','.join(said)}" if said else world


def _value(name: str, text: str, kind: type) -> Value:
    try:
        return {"true": True, "false": False}[text] if kind is bool else kind(text)
    except (ValueError, KeyError):
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise UsageError(f"{name}={text} is no value of a bench; give {name} {wanted}.") from None
