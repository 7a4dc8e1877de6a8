"""Robotic_Arm, RealMan's SDK, with its threads started once and its state push handed to whom it belongs.

The SDK's threads and its state callback exist once in a process, however many arms there are. It tells their pushes
apart by the sender's address: the port that it names with them is right for the first arm only.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable
from typing import Any

from touchstone.errors import MissingPart, UsageError

QUIET = 5  # log level; at 3 and below the SDK prints its errors, which the driver tells in sentences
_lock = threading.Lock()
_listeners: dict[str, Callable[[Any], None]] = {}
_callback: Any = None  # the SDK keeps only its address


def robotic_arm(address: str, port: int, listener: Callable[[Any], None]) -> Any:
    """A RoboticArm that is connected, or whose handle id is -1.

    Raises MissingPart without the SDK, UsageError when this process drives an arm at `address` already.

    listener: is given every `rm_realtime_arm_joint_state_t` of this arm, in a thread of the SDK's.
    """
    sdk = _start()
    if _listeners.setdefault(address, listener) != listener:
        raise UsageError(f"This process drives an arm at {address} already; drive the other one from another process.")
    arm = sdk.RoboticArm()
    arm.rm_create_robot_arm(address, port, QUIET)
    return arm


def forget(address: str, listener: Callable[[Any], None]) -> None:
    """No state goes to this listener any more."""
    if _listeners.get(address) == listener:
        del _listeners[address]


def push_config(cycle: int, port: int, ip: str) -> Any:
    """The state of the arm to `ip`:`port`; cycle: [5 ms]."""
    no_force_sensor = -1
    return _start().rm_realtime_push_config_t(cycle, True, port, no_force_sensor, ip)


def _start() -> Any:
    global _callback
    try:
        from Robotic_Arm import rm_robot_interface as sdk
    except (ImportError, OSError) as error:
        raise MissingPart("RealMan's SDK is not installed; install it with: pip install Robotic_Arm==1.1.6.") from error
    with _lock:
        if _callback is None:
            with contextlib.redirect_stdout(io.StringIO()):
                # the first one starts the threads, for TCP and for UDP; a second start would start them again
                starter = sdk.RoboticArm(sdk.rm_thread_mode_e.RM_TRIPLE_MODE_E)
            _callback = sdk.rm_realtime_arm_state_callback_ptr(_hand_out)
            starter.rm_realtime_arm_state_call_back(_callback)
    return sdk


def _hand_out(state: Any) -> None:
    listener = _listeners.get(state.arm_ip.decode(errors="replace"))
    if listener is not None:
        listener(state)
