"""Puts together what came on several topics and belongs together by its header stamps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: stamps kept of a topic while something that belongs to them is missing: eight seconds of joint states at 50 Hz
KEPT = 400


class Assembler:
    """Collects messages by topic and header stamp; of each topic the newest `kept`, or as many as `fewer` says."""

    def __init__(self, kept: int = KEPT, fewer: Mapping[str, int] | None = None) -> None:
        self._kept, self._fewer = kept, fewer or {}
        self._parts: dict[str, dict[int, Any]] = {}

    def add(self, stamp_ns: int, topic: str, message: Any) -> None:
        """Keeps a message; one that came before on the same topic with the same stamp is replaced."""
        parts = self._parts.setdefault(topic, {})
        parts[stamp_ns] = message
        while len(parts) > self._fewer.get(topic, self._kept):
            del parts[min(parts)]

    def get(self, wanted: Mapping[str, int]) -> dict[str, Any] | None:
        """The message of each topic with the stamp [ns] that is wanted of it, or None if one has not come yet."""
        if self.missing(wanted):
            return None
        return {topic: self._parts[topic][stamp] for topic, stamp in wanted.items()}

    def missing(self, wanted: Mapping[str, int]) -> list[str]:
        """The topics that have not delivered what is wanted of them."""
        return [topic for topic, stamp in wanted.items() if stamp not in self._parts.get(topic, {})]

    def forget_before(self, wanted: Mapping[str, int]) -> None:
        """Drops what is older than what was wanted: stamps never go back, and one picture may be wanted again."""
        for topic, stamp in wanted.items():
            for old in [at for at in self._parts.get(topic, {}) if at < stamp]:
                del self._parts[topic][old]
