"""A suite's report.html and tables, read as a reader would."""

import csv
import re
from html.parser import HTMLParser

import pytest

from tests.scoring.int_act.story_world import run_stories, suite_config
from touchstone.scoring.int_act import gallery as galleries
from touchstone.scoring.int_act.published import NOT_FOUND, PI0_FINETUNED, QUOTES
from touchstone.scoring.int_act.report import write_suite_report
from touchstone.scoring.int_act.score import scored_suite
from touchstone.scoring.int_act.words import percent_of_base, points
from touchstone.tasks.int_act.suite import suite

VOID = {"meta", "img", "input", "link", "br"}
CARROT, CUBE, SINK = "widowx_carrot_on_plate", "widowx_cube_on_plate_clean", "widowx_put_eggplant_in_basket"
ORDER = ("strict", "paper_only", "grasped", "wrong")


class Page(HTMLParser):
    """Collects links, sources and text, and fails on a tag that closes another than the open one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.sources, self.open, self.tags, self.words = [], [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
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
            self.words += data


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    config = suite_config((CARROT, CUBE, SINK), episodes=4, pictures=True)
    out = run_stories(tmp_path_factory.mktemp("suite"), config, lambda spec: ORDER[spec.index])
    write_suite_report(scored_suite(out))
    return out


@pytest.fixture(scope="module")
def page(out):
    return Page((out / "report.html").read_text(encoding="utf-8"))


def test_the_report_is_one_file_without_network_or_script(out, page):
    text = (out / "report.html").read_text(encoding="utf-8")
    assert page.sources and all(source.startswith("data:image/") for source in page.sources)
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?\s*(?:https?:)?//", text)
    assert "url(" not in text and "@import" not in text
    assert not {"script", "link", "iframe"} & set(page.tags)


def test_the_headline_has_intention_success_and_strict(page):
    assert "hold on INT-ACT: intention 75.0 %, success 50.0 %, strict 25.0 %" in page.words
    assert "Simulated: ManiSkill twin, in one process" in page.words and "No physical arm took part" in page.words
    assert "INT-ACT's own rule counts 3 of 12 episodes that the strict rule does not" in page.words
    assert "3 times it was not released in time" in page.words
    assert not re.search(r"\breal\b", page.words)


def test_what_was_not_run_is_said(page):
    assert "Not run: 47 of 50 tasks" in page.words and "3 of 50 tasks" in page.words
    assert "carrot_on_plate_lang_neg" in page.words


def test_published_rows_stand_beside_ours_and_are_called_published(page):
    assert "published: pi0, fine-tuned, success" in page.words and "Published, not measured here" in page.words
    for value in PI0_FINETUNED.success.values():
        assert str(value) in page.words
    for name in NOT_FOUND:
        assert name in page.words
    assert PI0_FINETUNED.source in page.words


def test_published_columns_are_the_suites_and_numbers_have_sources():
    assert list(PI0_FINETUNED.success) == [name for names in suite().families.values() for name in names]
    assert all(quote.source for quote in QUOTES)
    original = next(quote for quote in QUOTES if quote.where == "original" and quote.metric == "success")
    assert original.percent == PI0_FINETUNED.success["original"]


def test_ends_of_episodes_are_shown_with_their_films_different_ones_first(out, page):
    films = [link for link in page.links if link.endswith(".mp4")]
    assert len(films) == 8 and all((out / film).is_file() for film in films)
    # four pictures a subcategory, of its tasks in turn
    run = scored_suite(out)
    blocks = galleries.gallery(run)
    assert [block["family"] for block in blocks] == ["original", "object diversity"]
    assert [one["ending"] for one in blocks[1]["episodes"]] == ["strict", "paper_only", "grasped", "never"]


def test_every_configuration_has_its_hash(out, page):
    scores = scored_suite(out).scores
    assert scores.config_hash in page.words
    for session in scores.sessions:
        assert session.name in page.words and session.config_hash in page.words
    for digest in scores.tables.values():
        assert digest in page.words


def test_the_tables_hold_what_the_summary_holds(out):
    scores = scored_suite(out).scores
    tasks = {row["task"]: row for row in csv.DictReader((out / "tasks.csv").open())}
    assert set(tasks) == {CARROT, CUBE, SINK}
    assert float(tasks[CUBE]["success_rate"]) == 0.5 and float(tasks[CUBE]["success_delta"]) == 0
    groups = {(row["level"], row["group"]): row for row in csv.DictReader((out / "groups.csv").open())}
    assert len(groups) == 11 + 4 + 1
    assert float(groups["subcategory", "ood_relation"]["wrong_object_mean"]) == 0.25
    assert groups["subcategory", "commonsense"]["success_mean"] == ""
    assert float(groups["subcategory", "commonsense"]["published_success_percent"]) == 26.4
    assert groups["all", "all"]["published_success_percent"] == ""
    episodes = list(csv.DictReader((out / "episodes.csv").open()))
    assert len(episodes) == scores.trials and sum(int(row["success"]) for row in episodes) == 6
    latex = (out / "tables.tex").read_text()
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") == 2
    assert r"carrot\_on\_plate & 4 & 75.0 & 75.0 & 50.0 & 25.0 & 25.0 & --" in latex
    assert not re.search(r"(?<!\\)[_%#]", latex)


def test_privileged_unfinished_and_pictureless_runs_say_so(tmp_path):
    def course(spec):
        if spec.index:
            raise KeyboardInterrupt
        return "strict"

    with pytest.raises(KeyboardInterrupt):
        run_stories(tmp_path, suite_config((CARROT,), episodes=2), course)
    run = scored_suite(tmp_path)
    told = run.scores.model_copy(update={"privileged": True})
    page = Page(write_suite_report(type(run)(run.path, run.head, run.sessions, told))[0].read_text(encoding="utf-8"))
    assert "Unfinished: 1 of 2 episodes" in page.words and "Privileged policy" in page.words
    assert "the suite was run without pictures" in page.words and page.sources == []


def test_sentences_of_ones_own_are_escaped_and_words_have_a_table(tmp_path):
    run_stories(tmp_path, suite_config((CARROT,), episodes=1), lambda spec: "strict")
    sentence = "<script>alert(1)</script> {source}"
    run_stories(tmp_path, suite_config((CARROT,), episodes=1, instruction=sentence), lambda spec: "grasped")
    files = write_suite_report(scored_suite(tmp_path))
    page = Page(files[0].read_text(encoding="utf-8"))
    assert "script" not in page.tags and "<script>alert(1)</script> carrot" in page.words
    assert "Same scenes, other words" in page.words and "Exact McNemar test" in page.words
    rows = list(csv.DictReader((tmp_path / "words.csv").open()))
    assert [row["success_successes"] for row in rows] == ["1", "0"]


def test_signs_are_true_ones_and_zero_has_none():
    assert [points(value) for value in (-0.125, 0.0, -1e-9, 0.5, None)] == ["−12.5", "0.0", "0.0", "+50.0", "–"]
    assert [percent_of_base(value) for value in (-24.4, 0.2, 125.0, None)] == ["−24 %", "0 %", "+125 %", "–"]
