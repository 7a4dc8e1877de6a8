"""The policies that a server may serve: loaded in the background, one of them current."""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from policy_server.loading import load_policy
from policy_server.serving.seats import Seats
from touchstone.errors import TouchstoneError, UsageError
from touchstone.policy import Policy, PolicyContract, SharedPolicy

log = logging.getLogger(__name__)

State = Literal["absent", "loading", "ready", "failed"]


@lru_cache(maxsize=16)
def digest(contract: PolicyContract) -> str:
    """Equal for equal contracts."""
    return hashlib.sha256(json.dumps(contract.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[:16]


@dataclass(eq=False)
class Entry:
    """A policy by the name it was announced with. sentence: why it failed. since: of its state [s]."""

    name: str
    state: State = "absent"
    seats: Seats | None = None
    sentence: str = ""
    since: float = field(default_factory=time.monotonic)

    def enter(self, state: State, seats: Seats | None = None, sentence: str = "") -> None:
        self.seats, self.sentence, self.since = seats, sentence, time.monotonic()
        self.state = state


class PolicyHost:
    """Only the policies that are named here can ever be loaded; the first is loaded first and becomes current.

    load: makes a policy by its name, in a thread of its own. changed: called in that thread when a load has ended.
    """

    def __init__(self, names: Sequence[str], load: Callable[[str], Policy] = load_policy) -> None:
        self.entries = {name: Entry(name) for name in names}
        self.current = self.entries[names[0]]
        self.changed: Callable[[], None] = lambda: None
        self._load = load

    def load(self, name: str) -> Entry:
        """Begins to load a policy, unless it is there or under way; returns at once."""
        entry = self.entries[name]
        if entry.state in ("absent", "failed"):
            entry.enter("loading")
            threading.Thread(target=self._fill, args=(entry,), name=f"load {name}", daemon=True).start()
        return entry

    def swap(self, name: str) -> None:
        """Makes a loaded policy current and lets go of the one before; requests under way keep it until answered."""
        before, self.current = self.current, self.entries[name]
        if before is not self.current:
            log.info("swapped %s for %s", before.name, name)
            before.enter("absent")
            gc.collect()

    def _fill(self, entry: Entry) -> None:
        try:
            policy = _checked(self._load(entry.name), entry.name)
        except TouchstoneError as error:
            entry.enter("failed", sentence=str(error))
        except BaseException as error:
            log.exception("loading %s failed", entry.name)
            entry.enter("failed", sentence=f"Loading '{entry.name}' failed: {type(error).__name__}: {error}.")
        else:
            log.info("loaded %s in %.1f s", entry.name, time.monotonic() - entry.since)
            entry.enter("ready", Seats(policy))
        self.changed()


def _checked(policy: Policy, name: str) -> Policy:
    batch = policy.contract.batch
    if batch > 1 and not (isinstance(policy, SharedPolicy) and hasattr(policy, "infer_batch")):
        raise UsageError(
            f"'{name}' says that it answers {batch} observations at once and lacks `session` or `infer_batch`."
        )
    return policy
