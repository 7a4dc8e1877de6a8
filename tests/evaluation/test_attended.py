"""An evaluation with a person beside the bench: their page over real HTTP, their words in the journal.

The bench is the twin, whose knowledge of its cards is thrown away: what counts is what the camera finds.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from touchstone.data.journal import read_session
from touchstone.errors import UsageError
from touchstone.evaluation.attended import AttendedWorld, Discarded
from touchstone.evaluation.bench_page.server import Button, PageServer
from touchstone.scoring.score import score_session
from touchstone.tasks.labels import LABEL, NONE_TOUCHED, PLACED


class Person:
    """Presses buttons on the page, as the browser does."""

    def __init__(self, url: str) -> None:
        self.base, self.token = url.split("/?")

    def state(self) -> dict:
        with urllib.request.urlopen(f"{self.base}/state?{self.token}", timeout=10) as answer:
            return json.load(answer)

    def press(self, number: int, answer: str, token: str | None = None) -> int:
        body = json.dumps({"number": number, "answer": answer}).encode()
        url = f"{self.base}/answer?{token or self.token}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body), timeout=10) as said:
                return said.status
        except urllib.error.HTTPError as error:
            return error.code


@pytest.fixture
def page():
    server = PageServer(0)
    yield server, Person(server.url)
    server.close()


def test_an_answer_counts_once_for_the_question_that_was_shown_and_only_while_it_is_allowed(page):
    server, person = page
    server.show("one", "?", buttons=(Button("go", "Go", "Enter", enabled=False),))
    first = person.state()["number"]
    person.press(first, "go")
    assert server.answer(0.2) is None
    server.show("one", "?", buttons=(Button("go", "Go", "Enter"),))
    person.press(first, "fly")
    person.press(first, "go")
    assert server.answer(5) == "go"
    server.show("two", "?", buttons=(Button("go", "Go", "Enter"),))
    person.press(first, "go")
    assert server.answer(0.2) is None


def test_nobody_answers_without_the_pages_token(page):
    server, person = page
    server.show("one", "?", buttons=(Button("go", "Go", "Enter"),))
    assert person.press(person.state()["number"], "go", token="guessed") == 403
    assert person.press(0, "go" * 1000) == 403
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{person.base}/state?guessed", timeout=10)
    assert server.answer(0.2) is None


def test_a_taken_port_is_one_sentence(page):
    _, person = page
    with pytest.raises(UsageError, match=r"choose another with --operator-port\.$"):
        PageServer(int(person.base.rsplit(":", 1)[1]))


class Still:
    """A world of which only the order of calls matters."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def reset(self, spec) -> None:
        self.calls.append("reset")

    def facts(self):
        return type("F", (), {"stamp_ns": 0, "step": 0})()


class Absent:
    """An operator who never comes."""

    name = "nobody"

    def __init__(self, world: Still) -> None:
        self.world = world

    def clear(self, spec) -> None:
        self.world.calls.append("clear")

    def place(self, spec, look):
        self.world.calls.append("place")
        raise KeyboardInterrupt

    def label(self, spec, verdict, last):
        raise Discarded("gone.")


def test_the_arm_moves_only_after_the_bench_is_clear_and_not_while_hands_are_in_it():
    from tests.support.sessions import plan

    world = Still()
    attended = AttendedWorld(world, Absent(world), lambda hands: world.calls.append(f"hands {hands}"))
    with pytest.raises(KeyboardInterrupt):
        attended.reset(plan(0))
    assert world.calls == ["clear", "reset", "hands True", "place", "hands False"]


def test_only_touch_is_scored_with_an_operator():
    from tests.support.sessions import plan

    world = Still()
    with pytest.raises(UsageError, match="only touch-emoji"):
        AttendedWorld(world, Absent(world)).reset(plan(0).model_copy(update={"task": "pick-emoji"}))
    assert world.calls == []


SAID = {"val-s0-0000": "agree", "val-s0-0001": "discard", "val-s0-0002": NONE_TOUCHED}


def test_a_rehearsal_in_the_twin_from_the_first_card_to_the_journal(tmp_path):
    options = ["--trials", "3", "--operator", "A. Person", "--operator-port", "0", "--out", str(tmp_path / "run")]
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "touchstone.cli", "eval", "touch-emoji", *options], stderr=log, stdout=log, text=True
    )
    try:
        said = _attend(process, tmp_path / "log")
        assert process.wait(60) == 0, (tmp_path / "log").read_text()
    finally:
        process.kill()
    assert said.count("discard") == 1
    _check_journal(tmp_path / "run")


def _attend(process, log: Path) -> list[str]:
    """Presses what a person would until the session ends; gives the answers."""
    deadline, said, thrown = time.monotonic() + 240, [], False
    while not (found := re.search(r"open (http\S+)", log.read_text())):
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    person, before = Person(found[1]), None
    while process.poll() is None and time.monotonic() < deadline:
        try:
            state = person.state()
        except OSError:
            continue
        able = [button["answer"] for button in state["buttons"] if button["enabled"]]
        episode = state["title"].split(" ", 1)[0]
        if able and (state["number"], able) != before:
            before = (state["number"], able)
            # `trust` comes first when a card is partly behind the arm: the person sees that it lies there
            wish = SAID[episode] if "agree" in able else able[0]
            if wish == "discard" and thrown:
                wish = "agree"
            thrown = thrown or wish == "discard"
            said.append(wish)
            person.press(state["number"], wish)
        time.sleep(0.05)
    return said


def _check_journal(out: Path) -> None:
    record = read_session(out)
    assert record.last_run["operator"] == "A. Person"
    assert [line.episode for line in record.lines] == sorted(SAID)
    for line in record.lines:
        log = record.read(line)
        placed = [json.loads(event.detail) for event in log.events if event.kind == PLACED]
        assert len(placed) == 1 and set(placed[0]) == {"card_0", "card_1", "card_2"}
        for name, fact in log.facts[-1].objects.items():
            assert fact.source in ("detected", "operator")
            np.testing.assert_allclose(fact.value[:2], log.spec.placement(name).xy, atol=0.006)
    overruled = record.lines[2]
    assert not overruled.verdict.execution and overruled.verdict.beside["measured"].execution
    assert overruled.verdict.reason.endswith("(says the operator)")
    assert overruled.events[LABEL] == 1 and LABEL not in record.lines[0].events
    assert score_session(out).trials == 3
