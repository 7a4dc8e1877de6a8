"""Both sides of gap studies made by hand: pick-emoji without pictures, an ending per episode."""

from __future__ import annotations

from pathlib import Path

from tests.support.pick_sessions import write_pick_session

SHADOW = "shadow:grip@0.5"


def write_side(root: Path, world: str, policies: dict[str, str], **config) -> Path:
    """A session per policy; its endings as `write_pick_session` takes them."""
    for policy, endings in policies.items():
        contract = {"name": policy, "version": "1", "needs_privileged": False}
        settings = {"world": world, "policy": policy, **config}
        write_pick_session(root / policy, endings, settings, plant=world.split(":")[0], contract=contract)
    return root


#: policy -> endings (r right, w wrong, n never lifted)
SIM = {"best": "rrrrrrrrrrrr", "good": "rrrrrrrrwwrr", "fair": "rrrrrrwwnnww", "poor": "rrnnnnwwnnnn"}
REAL = {"best": "rrrrrrrn", "good": "rrrrnnww", "fair": "rrnnnnww", "poor": "nnnnnnww"}
