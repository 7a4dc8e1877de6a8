import re
from html.parser import HTMLParser

import pytest

from tests.support.pick_sessions import write_pick_session
from tests.support.sessions import write_session
from touchstone.data.labels import plain_words, world_label
from touchstone.errors import UsageError
from touchstone.scoring import pictures, report
from touchstone.scoring.report import write_report

VOID = {"meta", "img", "input", "link", "br"}


class Page(HTMLParser):
    """Collects ids, links, sources and text, and fails on a tag that closes another than the open one."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.sources, self.text, self.open, self.tags = [], [], [], "", [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes["href"]] if "href" in attributes else []
        self.sources += [attributes["src"]] if "src" in attributes else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return write_session(tmp_path_factory.mktemp("session"), ["right", "wrong", "never", "beside"], path="ros")


@pytest.fixture(scope="module")
def page(out):
    return Page(write_report(out).read_text(encoding="utf-8"))


def test_the_report_is_one_file_without_network_or_script(out, page):
    text = (out / "report.html").read_text(encoding="utf-8")
    assert page.sources and all(source.startswith("data:image/") for source in page.sources)
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?\s*(?:https?:)?//", text)
    assert "url(" not in text and "@import" not in text
    assert not {"script", "link", "iframe"} & set(page.tags)


def test_every_episode_is_shown_with_its_files(out, page):
    for index in range(4):
        name = f"val-s0-000{index}"
        assert name in page.ids
        assert {f"episodes/{name}.mp4", f"episodes/{name}.mcap"} <= set(page.links)
    for link in page.links:
        assert link[1:] in page.ids if link.startswith("#") else (out / link).is_file()
    assert sum(source.startswith("data:image/jpeg") for source in page.sources) == 4
    assert len(set(page.ids)) == len(page.ids)


def test_the_headline_says_what_ran_where_in_plain_words(page):
    words = " ".join(page.text.split())
    assert "Simulated: ManiSkill twin, through ROS 2" in words
    assert "card-matcher succeeded in 1 of 4 trials of touch-emoji" in words
    assert "50.0 %" in words and "1 of 2 · 95 % interval" in words and "chance 33 %" in words
    assert "No physical arm took part" in words
    assert "touchstone eval touch-emoji --world twin" in words
    assert not re.search(r"\breal\b", words)


def test_the_other_rule_stands_beside_every_rate_and_is_explained(tmp_path):
    out = write_pick_session(tmp_path, "rpnw")
    words = " ".join(Page(write_report(out).read_text(encoding="utf-8")).text.split())
    assert "expert succeeded in 1 of 4 trials of pick-emoji" in words and "rule strict" in words
    assert "2 of 4 · 95 % interval" in words and "paper rule: 3/4, 75.0 % (30.1–95.4)" in words
    assert "1 of 2 · 95 % interval" in words and "paper rule: 2/3, 66.7 % (20.8–93.9)" in words
    assert "paper rule: 2/4, 50.0 %" in words
    strictly = "the cube was lifted in the gripper, was not on the bare table since, and lay on a card, flat"
    assert f"The strict rule decides: {strictly}" in words
    assert "Beside it, the paper rule: as in GrinningFace's code" in words
    assert "It gives 3 of 4 episodes the same verdict" in words
    # once among the failures, once under the episode, and nowhere else
    assert "the cube was never lifted (paper rule: right card)" in words
    assert len(re.findall("paper rule: (?:right card|wrong card|no execution)", words)) == 2


def test_a_rule_without_trials_or_explanation_does_not_break_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "rule_sentence", lambda task, rule: None)
    words = " ".join(Page(write_report(write_pick_session(tmp_path, "n")).read_text(encoding="utf-8")).text.split())
    assert "paper rule: 0/0, n/a" in words and "The strict rule decides." in words


def test_the_touch_rules_are_called_by_their_moments(page):
    words = " ".join(page.text.split())
    assert (
        "The measured rule decides: the card under the fingertips at the moment when the gripper was measured" in words
    )
    assert "the commanded rule: the card under the fingertips at the moment when closing was commanded. " in words
    assert "commanded rule: 1/4, 25.0 %" in words and "It gives 4 of 4 episodes the same verdict" in words


def test_a_session_without_a_recorded_command_gets_one_that_asks_for_the_same(tmp_path):
    out = write_session(tmp_path, ["right"], command=None, trials=5)
    command = "touchstone eval touch-emoji --world twin --policy card-matcher --robot wx250s --protocol val --seed 0"
    assert f"{command} --trials 5 --out OUT" in Page(write_report(out).read_text(encoding="utf-8")).text


def test_labels_from_outside_are_escaped(tmp_path):
    out = write_session(tmp_path, ["right"], command="echo <script>alert(1)</script>")
    page = Page(write_report(out).read_text(encoding="utf-8"))
    assert "script" not in page.tags and "<script>" in page.text


def test_without_the_emoji_font_the_characters_stand_in(tmp_path, monkeypatch):
    out = write_session(tmp_path, ["right"])
    monkeypatch.setattr(pictures, "glyph", lambda emoji, pixels: None)
    pictures.glyph_uri.cache_clear()
    page = Page(write_report(out).read_text(encoding="utf-8"))
    pictures.glyph_uri.cache_clear()
    assert not any(source.startswith("data:image/webp") for source in page.sources)


def test_an_unfinished_and_a_privileged_session_say_so(tmp_path):
    out = write_session(tmp_path, ["never"], trials=30, contract={"needs_privileged": True})
    words = " ".join(Page(write_report(out).read_text(encoding="utf-8")).text.split())
    assert "Unfinished: 1 of 30 trials" in words and "Privileged policy" in words and "n/a" in words


def test_a_folder_without_episodes_is_refused(tmp_path):
    with pytest.raises(UsageError, match="There is no session"):
        write_report(tmp_path)


def test_only_atoms_are_called_real():
    for plant in ("twin", "shadow", "atoms"):
        for path in ("inproc", "ros", "wire"):
            assert (world_label(plant, path) == "real") == (plant == "atoms" and path == "wire")
            assert plain_words(plant, path).startswith("Real" if plant == "atoms" else "Simulated")
    assert (world_label("twin", "inproc"), world_label("twin", "ros")) == ("twin", "twin-ros")
