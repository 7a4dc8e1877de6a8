"""Which emojis a label may mean: by its Unicode name, and by the authors' lists where they are imported."""

from __future__ import annotations

from touchstone.errors import UsageError
from touchstone.tasks.emoji.authors import emojis_labelled
from touchstone.tasks.emoji.table import Emoji, emoji_named


def emojis_called(label: str) -> tuple[Emoji, ...]:
    """Every emoji that `label` may mean, at least one. Raises UsageError when no card can show it."""
    labelled = emojis_labelled(label)
    try:
        named = emoji_named(label)
    except UsageError:
        if not labelled:
            raise
        return labelled
    return (named, *(emoji for emoji in labelled if emoji.char != named.char))
