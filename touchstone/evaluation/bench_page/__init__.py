"""The page beside the bench: where a person sees what to place and says what happened."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from touchstone.evaluation.attended import AttendedWorld
from touchstone.evaluation.bench_page.operator import PageOperator
from touchstone.evaluation.bench_page.server import PageServer
from touchstone.evaluation.config import SessionConfig
from touchstone.world import World


@contextmanager
def attended(
    world: World, config: SessionConfig, inhibit: Callable[[bool], None] = lambda hands: None
) -> Iterator[World]:
    """The world with the operator whom the session names beside it; the world itself if it names none.

    inhibit: told True while hands are in the bench. Raises UsageError for a nameless operator and a taken port.
    """
    if config.operator is None:
        yield world
        return
    server = PageServer(config.operator_port)
    try:
        operator = PageOperator(config.operator, server)
        print(f"Beside the bench, open {server.url}", file=sys.stderr, flush=True)
        yield AttendedWorld(world, operator, inhibit)
    finally:
        server.close()
