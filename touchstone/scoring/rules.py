"""What the rules of the built-in tasks ask for, in one sentence each, for people."""

from __future__ import annotations

_SENTENCES = {
    ("pick-emoji", "strict"): "the cube was lifted in the gripper, was not on the bare table since, and lay on a "
    "card, flat, released and still, for half a second.",
    ("pick-emoji", "paper"): "as in GrinningFace's code: at one moment the cube was near a card's middle (9.9 cm), not "
    "grasped, and the arm slow. A cube that is pushed, or dropped in passing, counts too.",
    ("touch-emoji", "measured"): "the card under the fingertips at the moment when the gripper was measured to have "
    "closed.",
    ("touch-emoji", "commanded"): "the card under the fingertips at the moment when closing was commanded.",
}


def rule_sentence(task: str, rule: str) -> str | None:
    """What a rule asks for; None for one that is not built in."""
    return _SENTENCES.get((task, rule))
