"""How a session's chunks are carried out and what latency it is charged, as the user asks for it."""

from __future__ import annotations

from typing import Literal

from touchstone.control import strategies
from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.policy import PolicyContract
from touchstone.world import WorldOffer

#: the longest latency that can be charged [ms]; longer than any episode is no evaluation
LONGEST_MS = 60_000.0
REAL = "real"


class Execution(Record):
    """strategy: as `touchstone.control.strategies.make` takes it.

    charge: what every answer's latency counts for in the world's time: None for nothing (the world stands still while
    the policy thinks), a number of ms, or `real` for the measured round trip, which no second run reproduces.
    """

    strategy: str = strategies.DEFAULT
    charge: float | Literal["real"] | None = None

    @staticmethod
    def parse(strategy: str, charge_latency: str | None) -> Execution:
        """From the command line's words. Raises UsageError."""
        return Execution(strategy=strategies.canonical(strategy), charge=_charge(charge_latency))

    @property
    def is_lockstep(self) -> bool:
        """Whether the world stands still and every chunk is followed by the next: what every world can do."""
        return self == Execution()

    @property
    def time_scale(self) -> str:
        """For the record, beside plant and path."""
        if self.charge is None:
            return "lockstep"
        return "charged as measured, not reproducible" if self.charge == REAL else f"charged {self.charge:g} ms"

    def identity(self) -> dict[str, str]:
        """What makes another session of it; empty for lockstep, so that earlier sessions stay what they are."""
        charge = self.charge if self.charge is None or self.charge == REAL else f"{self.charge:g}"
        asked = {"strategy": self.strategy, "charge_latency": charge}
        default = {"strategy": strategies.DEFAULT, "charge_latency": None}
        return {key: value for key, value in asked.items() if value != default[key]}

    def check_fit(self, contract: PolicyContract, offer: WorldOffer, dt_ns: int) -> None:
        """Raises UsageError or ContractMismatch, in one sentence, for what this world or this policy cannot do."""
        if not self.is_lockstep and offer.path != "inproc":
            refuse_world(f"the {offer.plant} behind '{offer.path}'")
        strategies.make(self.strategy).begin(contract, dt_ns)


LOCKSTEP = Execution()


def refuse_world(what: str) -> None:
    """Raises UsageError: `what` runs in lockstep only."""
    raise UsageError(
        f"Strategies and charged latency need a world whose clock this process drives, and {what} is none; leave "
        "--strategy and --charge-latency out, or use --world twin."
    )


def _charge(text: str | None) -> float | Literal["real"] | None:
    if text is None or text == REAL:
        return text
    try:
        ms = float(text)
    except ValueError:
        ms = float("nan")
    if not 0.0 <= ms <= LONGEST_MS:
        raise UsageError(f"--charge-latency is '{text}'; give milliseconds from 0 to {LONGEST_MS:g}, or {REAL}.")
    return ms
