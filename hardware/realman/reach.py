"""Can the controller be reached, and its state reach us? Asked before the SDK is, which would not say what is wrong."""

from __future__ import annotations

import socket

from touchstone.errors import UsageError

PROBE_S = 3.0
#: the SDK keeps every UDP port that it is told until the process ends, and takes no more than these many
MOST_PORTS = 5
_ours: set[int] = set()


def check_reach(host: str, port: int) -> str:
    """The IP address of a controller that takes connections. Raises UsageError: wrong address, nothing listens."""
    try:
        address = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]
    except (OSError, UnicodeError) as error:
        raise UsageError(f"There is no address of '{host}'; give the controller's IP address.") from error
    try:
        socket.create_connection((address, port), timeout=PROBE_S).close()
    except ConnectionRefusedError as error:
        raise UsageError(
            f"Nothing listens on port {port} of {host}; look whether it is the controller and has started."
        ) from error
    except OSError as error:
        raise UsageError(
            f"{host} does not answer; look at the cable, the controller's power and this computer's own address."
        ) from error
    return address


def check_udp_port(port: int) -> None:
    """Raises UsageError if another process receives on it, or if the SDK takes no other one in this process."""
    if port in _ours:
        return
    if len(_ours) >= MOST_PORTS:
        raise UsageError(
            f"RealMan's SDK takes no more than {MOST_PORTS} UDP ports in one process; give one of "
            f"{', '.join(map(str, sorted(_ours)))} as udp_port."
        )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError as error:
            raise UsageError(
                f"UDP port {port} is in use by another process, so that no state would arrive; end that process or "
                "give another udp_port."
            ) from error
    _ours.add(port)


def own_address(address: str) -> str:
    """The address of this computer on the way to `address`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((address, 9))  # sends nothing
        return probe.getsockname()[0]
