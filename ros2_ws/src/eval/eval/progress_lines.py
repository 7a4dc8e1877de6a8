"""Progress as lines of JSON on the episode node's standard output; the supervisor reads them back."""

from __future__ import annotations

from touchstone.data.json_messages import decode, encode
from touchstone.data.records import EpisodeLine
from touchstone.errors import TouchstoneError


def print_progress(line: EpisodeLine | None, done: int, trials: int) -> None:
    """One line: the episode that was finished (None before the first), and how many are done of how many."""
    episode = None if line is None else line.model_dump(mode="json")
    print(encode("progress", {"line": episode, "done": done, "trials": trials}), flush=True)


def parse_progress(text: str) -> tuple[EpisodeLine | None, int, int] | None:
    """What `print_progress` printed, or None for any other line."""
    if not text.startswith("{"):
        return None
    try:
        data = decode("progress", text)
        line = data["line"]
        return None if line is None else EpisodeLine.model_validate(line), data["done"], data["trials"]
    except (TouchstoneError, KeyError, ValueError):
        return None
