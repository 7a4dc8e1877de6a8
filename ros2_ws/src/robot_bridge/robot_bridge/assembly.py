"""Puts together what came on several topics with one header.stamp."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

#: stamps kept while something of them is still missing; lockstep never has more than two under way
_KEPT = 8


class Assembler:
    """Collects messages by header stamp; stamps never go back, so an older one is dropped when a newer is whole."""

    def __init__(self) -> None:
        self._parts: dict[int, dict[str, Any]] = {}

    def add(self, stamp_ns: int, topic: str, message: Any) -> None:
        """Keeps a message; one that came before on the same topic with the same stamp is replaced."""
        self._parts.setdefault(stamp_ns, {})[topic] = message
        while len(self._parts) > _KEPT:
            del self._parts[min(self._parts)]

    def get(self, stamp_ns: int, needed: Collection[str]) -> dict[str, Any] | None:
        """The messages of `needed` topics with this stamp, or None if one has not come yet."""
        parts = self._parts.get(stamp_ns, {})
        return {topic: parts[topic] for topic in needed} if all(topic in parts for topic in needed) else None

    def missing(self, stamp_ns: int, needed: Collection[str]) -> list[str]:
        """The topics that have not come yet with this stamp."""
        parts = self._parts.get(stamp_ns, {})
        return [topic for topic in needed if topic not in parts]

    def forget_before(self, stamp_ns: int) -> None:
        """Drops everything older than `stamp_ns`."""
        for old in [stamp for stamp in self._parts if stamp < stamp_ns]:
            del self._parts[old]
