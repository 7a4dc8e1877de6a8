"""One chunk after the other: the next answer replaces what is left of the last one."""

from __future__ import annotations

from touchstone.control.strategies.base import Ask, NewestOnly
from touchstone.control.strategies.timing import busy_until, from_now_on
from touchstone.errors import ContractMismatch
from touchstone.policy import Chunk, PolicyContract


class Receding:
    """Asks again when `execute` elements of a chunk have been carried out; the default, and a receding horizon.

    While the policy thinks, the rest of the old chunk is carried out. execute: the contract's unless given. Without
    latency this is lockstep: ask, carry out `execute`, ask again.
    """

    name = "receding"

    def __init__(self, execute: int | None = None) -> None:
        self._execute = execute
        self._newest = NewestOnly()
        self._commanded_ns: int | None = None
        self._free_ns = 0

    def begin(self, contract: PolicyContract, dt_ns: int) -> None:
        ticks = self._ticks(contract)
        if ticks > contract.chunk_length:
            raise ContractMismatch(
                f"--strategy {self.name} is to execute {ticks} actions of a chunk and policy '{contract.name}' answers "
                f"{contract.chunk_length}; execute at most as many."
            )
        # half a tick early, so that jitter of a stamp does not cost a tick
        self._turn_ns = ticks * dt_ns - dt_ns // 2
        self._early_ns = dt_ns // 2

    def ask(self, now_ns: int) -> Ask | None:
        if self._commanded_ns is None or now_ns >= min(
            self._commanded_ns + self._turn_ns, self._free_ns - self._early_ns
        ):
            return Ask()
        return None

    def answer(self, chunk: Chunk, now_ns: int) -> Chunk | None:
        if not self._newest.admits(chunk):
            return None
        handed = from_now_on(chunk, now_ns)
        if handed is not None:
            self._commanded_ns, self._free_ns = now_ns, busy_until(handed, now_ns)
        return handed

    def _ticks(self, contract: PolicyContract) -> int:
        return contract.execute if self._execute is None else self._execute


class Sync(Receding):
    """Asks again when the whole chunk has been carried out; the arm holds while the policy thinks.

    The plain loop of most policies' own evaluation scripts.
    """

    name = "sync"

    def _ticks(self, contract: PolicyContract) -> int:
        return contract.chunk_length
