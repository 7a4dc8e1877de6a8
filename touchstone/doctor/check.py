"""What one check of `touchstone doctor` answers."""

from __future__ import annotations

from typing import Literal

from touchstone.facts import Record

Status = Literal["ok", "missing", "warning", "not needed here"]


class Check(Record):
    """One part of the machine.

    detail: what was found. fix: what to do about it, empty when there is nothing to do.
    needed_for_main_job: `make touch-emoji` cannot run while this part is missing.
    """

    name: str
    status: Status
    detail: str
    fix: str = ""
    needed_for_main_job: bool = False

    @property
    def blocks(self) -> bool:
        return self.needed_for_main_job and self.status == "missing"
