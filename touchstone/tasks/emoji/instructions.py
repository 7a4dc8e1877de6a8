"""The sentence a policy is told, and the way back; GrinningFace's `Touch [desc.]`."""

from __future__ import annotations

import re

from touchstone.errors import UsageError

_SENTENCE = re.compile(r"\s*touch\s+(?P<label>[^.\s].*?)\.?\s*", flags=re.IGNORECASE | re.DOTALL)


def touch_instruction(label: str) -> str:
    """`Touch red apple.`"""
    return f"Touch {label}."


def label_of(instruction: str) -> str:
    """The label in a touch instruction. Raises UsageError for another sentence."""
    found = _SENTENCE.fullmatch(instruction)
    if found is None:
        raise UsageError(f"'{instruction}' is not an instruction of the form '{touch_instruction('red apple')}'.")
    return found["label"]
