"""Presses the buttons of the page beside the bench, as a browser does."""

from __future__ import annotations

import json
import time
import urllib.request


class Person:
    """Of one page, by its address."""

    def __init__(self, url: str) -> None:
        self._base, self._token = url.split("/?")
        self._before: tuple | None = None

    def answer(self) -> str | None:
        """Presses the first button that is enabled, or agrees; None when there is nothing new to say."""
        time.sleep(0.1)
        try:
            with urllib.request.urlopen(f"{self._base}/state?{self._token}", timeout=10) as told:
                state = json.load(told)
            able = [button["answer"] for button in state["buttons"] if button["enabled"]]
            if not able or (state["number"], able) == self._before:
                return None
            self._before = (state["number"], able)
            wish = "agree" if "agree" in able else able[0]
            body = json.dumps({"number": state["number"], "answer": wish}).encode()
            with urllib.request.urlopen(f"{self._base}/answer?{self._token}", body, timeout=10):
                return wish
        except OSError:  # the page is gone with the session
            return None
