"""`touchstone assets`: brings in what Touchstone may use but not ship."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro

GRINNINGFACE = "grinningface"


@dataclass(frozen=True)
class Assets:
    """Import assets that Touchstone may not ship: the GrinningFace authors' emoji lists."""

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]
    """what to import: grinningface"""
    source: Annotated[str, tyro.conf.arg(name="from", metavar="FILE|URL")]
    """a folder, .zip, .tar.gz or JSON file of the authors' repository, or the http(s) address of one"""

    def run(self) -> int:
        from touchstone.errors import UsageError
        from touchstone.tasks.emoji.authors import import_lists

        if self.name != GRINNINGFACE:
            raise UsageError(f"Unknown asset '{self.name}'; choose one of: {GRINNINGFACE}.")
        print("\n".join(_told(import_lists(self.source))))
        return 0


def _told(imported) -> list[str]:
    counts = ", ".join(f"{count} {name}" for name, count in imported.counts.items() if name != "all")
    overlap = "no hard list"
    if "hard" in imported.counts:
        overlap = f"of hard, {imported.hard_in_train} are in train too and {imported.hard_in_val} in val"
    return [
        f"Imported {imported.emojis} emojis: {counts}; {overlap}.",
        f"Labels that differ from the official name: {imported.emojis - imported.official}. Stored in {imported.path} "
        f"(sha256 {imported.digest[:12]}).",
        "Next: touchstone eval pick-emoji --protocol val-authors --out runs/val-authors",
    ]
