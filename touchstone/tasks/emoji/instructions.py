"""The sentences a policy is told, whose they are, and the way back to the label."""

from __future__ import annotations

import re

from touchstone.errors import UsageError

#: wording -> sentence, the default first. GrinningFace's paper (arXiv 2511.06619) on its real-arm task
TOUCH = {"paper": "Touch {label}."}
#: the paper's sentence, and the one that the authors' code gives to the policy
PICK = {
    "paper": "Pick the cube and place it on {label}",
    "code": "pick the block and place it on {label}",
}
_SENTENCES = tuple(
    re.compile(
        r"\s*"
        + re.escape(text.rstrip(".")).replace(r"\{label\}", r"(?P<label>[^.\s].*?)").replace(r"\ ", r"\s+")
        + r"\.?\s*",
        flags=re.IGNORECASE | re.DOTALL,
    )
    for wordings in (TOUCH, PICK)
    for text in wordings.values()
)


def label_of(instruction: str) -> str:
    """The label in an instruction of either task, in any wording. Raises UsageError for another sentence."""
    for sentence in _SENTENCES:
        found = sentence.fullmatch(instruction)
        if found is not None:
            return found["label"]
    examples = "' or '".join(wordings["paper"].format(label="red apple") for wordings in (TOUCH, PICK))
    raise UsageError(f"'{instruction}' is not an instruction of the form '{examples}'.")
