"""Runs an adapter as a script: `python policy_server/vla/NAME.py --checkpoint CHECKPOINT --bind ADDRESS`."""

from __future__ import annotations

import sys
from collections.abc import Callable

import tyro

from policy_server.vla.adapter import Model, VlaPolicy
from policy_server.vla.options import OptionsT, check
from touchstone.errors import TouchstoneError


def run(name: str, kind: type[OptionsT], load: Callable[[OptionsT], Model]) -> int:
    """Reads the command line and serves the model; returns the exit code. Call it in the script's main module.

    name: of the policy in the server's log. kind: which options there are. load: makes the model.
    """

    class Command(kind):
        bind: str = "tcp://127.0.0.1:5555"
        """where to serve"""

    command = tyro.cli(Command, description=sys.modules["__main__"].__doc__)
    try:
        options = check(kind(**command.model_dump(exclude={"bind"})))
        from policy_server.server import serve

        return serve([name], command.bind, load=lambda _: VlaPolicy(load(options)))
    except TouchstoneError as error:
        print(error, file=sys.stderr)
        return error.exit_code
