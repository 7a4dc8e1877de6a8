"""The server's log: lines for people, or one JSON object a line for machines."""

from __future__ import annotations

import json
import logging
import time
from typing import Literal


def set_up(form: Literal["text", "json"]) -> None:
    """Logs to stderr from now on."""
    if form == "text":
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class Complaints:
    """Warnings about what clients send, at most ten a second: a flood of rubbish must not become a flood of lines."""

    PER_S = 10

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._second, self._said, self._swallowed = 0, 0, 0

    def add(self, sentence: str) -> None:
        second = int(time.monotonic())
        if second != self._second:
            if self._swallowed:
                self._log.warning("refused %d more messages", self._swallowed)
            self._second, self._said, self._swallowed = second, 0, 0
        if self._said < self.PER_S:
            self._said += 1
            self._log.warning("refused a message: %s", sentence)
        else:
            self._swallowed += 1


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
