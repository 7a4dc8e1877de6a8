"""Train, val and hard: which emojis an episode may show.

Rule: order the table by the SHA-256 of each emoji's code (`1F34E`, ASCII); the first 100 are train, the next 100 val,
the rest hard. The three are disjoint, and the order depends on nothing but the code points, so that neither a package
nor a font can move one. GrinningFace's own lists (100 / 100 / 213, the hard one overlapping the others, names from a
model's descriptions) are apart, in `authors`.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from touchstone.errors import UsageError
from touchstone.tasks.emoji.table import Emoji, emojis

TRAIN_SIZE = 100
VAL_SIZE = 100
PROTOCOLS = ("train", "val", "hard")


def split(protocol: str) -> tuple[Emoji, ...]:
    """The emojis of `train`, `val` or `hard`, in the rule's order. Raises UsageError for another name."""
    if protocol not in PROTOCOLS:
        raise UsageError(f"Unknown protocol '{protocol}'; choose one of: {', '.join(PROTOCOLS)}.")
    return _splits()[protocol]


@lru_cache(maxsize=1)
def _splits() -> dict[str, tuple[Emoji, ...]]:
    ordered = tuple(sorted(emojis(), key=lambda row: sha256(row.code.encode("ascii")).hexdigest()))
    end = TRAIN_SIZE + VAL_SIZE
    return {"train": ordered[:TRAIN_SIZE], "val": ordered[TRAIN_SIZE:end], "hard": ordered[end:]}
