"""How chunks are carried out: when a policy is asked again, and how its answers are joined.

`make("async:g=0.5")` gives a new `Strategy` for one episode; docs/latency.md describes them all.
"""

from touchstone.control.strategies.base import Ask, Strategy
from touchstone.control.strategies.naming import DEFAULT, NAMES, canonical, make
from touchstone.control.strategies.realtime import soft_mask

__all__ = ["DEFAULT", "NAMES", "Ask", "Strategy", "canonical", "make", "soft_mask"]
