"""When a reading was taken, on our clock: the sender's may be another computer's."""

from __future__ import annotations

WINDOW_NS = 5_000_000_000  # clocks drift by less than a millisecond in it


class Stamping:
    """Header stamps to our clock. The quickest message of the last two windows tells how far the clocks are apart; one
    that was under way for longer is as much older. What delays every message is not seen."""

    def __init__(self) -> None:
        self._begun_ns: int | None = None
        self._before_ns = self._quickest_ns = 0

    def stamp_ns(self, header_ns: int, arrived_ns: int) -> int:
        """header_ns: as the sender says; arrived_ns: on our clock. Never later than `arrived_ns`."""
        apart = arrived_ns - header_ns
        if self._begun_ns is None:
            self._begun_ns, self._before_ns, self._quickest_ns = arrived_ns, apart, apart
        elif arrived_ns - self._begun_ns > WINDOW_NS:
            self._begun_ns, self._before_ns, self._quickest_ns = arrived_ns, self._quickest_ns, apart
        self._quickest_ns = min(self._quickest_ns, apart)
        return header_ns + min(self._before_ns, self._quickest_ns)
