"""What an adapter can be told: in an address (`openvla://openvla/openvla-7b?device=cpu`) or as its script's options."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import parse_qsl, unquote

from pydantic import Field, ValidationError

from touchstone.errors import UsageError
from touchstone.facts import Record


class Options(Record):
    """For every model."""

    checkpoint: str
    """a folder, written with its slash (/data/model, ./model), or a name on the Hugging Face hub (owner/model)"""
    revision: str | None = None
    """branch, tag or commit on the hub"""
    device: str = "auto"
    """where it runs: cuda, cuda:1, cpu; auto takes a GPU if there is one"""
    camera: str = "scene"
    """the world's camera that the model looks through"""


class BridgeOptions(Options):
    """For a model that was trained on Bridge V2."""

    action_kind: Literal["align2", "target_delta"] = "align2"
    """what a rotation turns about: align2 the measured gripper, as in INT-ACT; target_delta the commanded one"""
    rate_hz: float = Field(default=5.0, gt=0)
    """the control rate that it was trained for; Bridge's is 5 Hz"""


OptionsT = TypeVar("OptionsT", bound=Options)


def from_address(url: str, kind: type[OptionsT]) -> OptionsT:
    """The options in `SCHEME://CHECKPOINT?name=value&...`. Raises UsageError, in one sentence."""
    scheme, _, rest = url.partition("://")
    checkpoint, _, query = rest.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    known = [name for name in kind.model_fields if name != "checkpoint"]
    given = dict(pairs)
    for name in given:
        if name not in known:
            raise UsageError(f"'{url}' has no option '{name}'; {scheme}:// takes {', '.join(known)}.")
    if len(given) != len(pairs):
        raise UsageError(f"'{url}' says the same option twice; say it once.")
    try:
        return check(kind(checkpoint=unquote(checkpoint), **given))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"'{url}' has a wrong value for '{where}': {first['msg']}.") from error


def check(options: OptionsT) -> OptionsT:
    """The options, if their checkpoint is a folder that exists or can be a hub name. Raises UsageError."""
    name = options.checkpoint
    if is_folder(name):
        if not Path(name).expanduser().is_dir():
            raise UsageError(f"There is no folder '{name}' to load a model from.")
        return options.model_copy(update={"checkpoint": str(Path(name).expanduser())})
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise UsageError(
            f"'{name}' is no model: write a folder with its slash, /data/model or ./model, or a hub name, OWNER/NAME."
        )
    return options


def is_folder(checkpoint: str) -> bool:
    """Whether it is written as a folder and not as a hub name."""
    return checkpoint.startswith(("/", "./", "../", "~"))
