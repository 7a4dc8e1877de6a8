import csv
import io
import re
import shutil
import subprocess

import pytest
from rich.console import Console

from tests.scoring.gap.studies import REAL, SHADOW, SIM, write_side
from tests.scoring.test_report import Page
from tests.support.sessions import CONFIG, PROVENANCE, plan, write_episode
from touchstone.cli.gap import Gap
from touchstone.data.journal import Session
from touchstone.scoring.gap.published import published_tables, ranking
from touchstone.scoring.gap.report import write_gap_report
from touchstone.scoring.gap.study import gap_study
from touchstone.scoring.gap.tables import latex, pairs_csv, policies_csv, write_tables
from touchstone.scoring.gap.terminal import print_study
from touchstone.scoring.published import GRINNINGFACE_TABLE_3


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("gap")
    write_side(root / "sim", "twin", SIM)
    write_side(root / "there", SHADOW, {**REAL, "a&b <i>": "rn"})
    write_side(root / "sim", "twin", {"a&b <i>": "rr"})
    return root


@pytest.fixture(scope="module")
def made(root):
    return gap_study(sim=[root / "sim"], real=[root / "there"])


@pytest.fixture(scope="module")
def text(root, made):
    return write_gap_report(*made, root / "out").read_text(encoding="utf-8")


def test_the_report_is_one_file_without_network_or_script(text):
    page = Page(text)
    assert all(source.startswith("data:image/") for source in page.sources)
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?\s*(?:https?:)?//", text)
    assert "url(" not in text and "@import" not in text
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert page.tags.count("svg") >= 3


def test_a_shadow_is_not_called_real(text):
    words = " ".join(Page(text).text.split())
    assert "Nothing here was measured on an arm" in words
    ours, published = words.split("Published, not measured here")
    for allowed in ("stands in for a bench", "takes the bench's place"):
        ours = ours.replace(allowed, "")
    assert not re.search(r"\b(real|bench)\b", ours, re.IGNORECASE)
    assert "GrinningFace, Table 1" in published and "INT-ACT" in published


def test_names_are_escaped(text):
    assert "<i>" not in text and "a&amp;b &lt;i&gt;" in text


def test_the_page_says_what_was_undefined_and_why(text):
    assert "undefined" in text and "need as many extra simulated ones" in text


def test_pictures_stand_side_by_side_and_differing_pairs_come_first(tmp_path):
    for world, endings in (("twin", ["right", "right"]), ("shadow:camera@1", ["right", "wrong"])):
        plant = world.split(":")[0]
        provenance = {**PROVENANCE, "plant": plant}
        with Session.open(tmp_path / plant, {**CONFIG, "world": world}, provenance) as session:
            for index, ending in enumerate(endings):
                write_episode(session, plan(index), ending)
    made = gap_study(sim=[tmp_path / "twin"], real=[tmp_path / "shadow"])
    page = Page(write_gap_report(*made, tmp_path / "out").read_text(encoding="utf-8"))
    assert sum(source.startswith("data:image/jpeg") for source in page.sources) == 4
    films = [link for link in page.links if link.endswith(".mp4")]
    assert films[0].endswith("twin/episodes/val-s0-0001.mp4")
    assert all((tmp_path / "out" / film).is_file() for film in films) and len(films) == 4


def test_tables_hold_the_same_numbers(made):
    study, paired = made
    rows = list(csv.DictReader(io.StringIO(policies_csv(study))))
    good = next(row for row in rows if row["policy"] == "good")
    assert (good["sim_overall_successes"], good["sim_overall_trials"]) == ("10", "12")
    assert (float(good["difference"]), good["finding"], good["other"]) == (-0.5, "open", SHADOW)
    assert good["finite_ppi"] == ""
    pairs = list(csv.DictReader(io.StringIO(pairs_csv(study, paired))))
    assert len(pairs) == sum(cell.pairs for cell in study.cells)
    won = [row for row in pairs if row["policy"] == "good" and row["other_success"] == "1"]
    assert len(won) == 4 and all(len(row["spec"]) == 12 for row in won)


def test_latex_is_balanced_and_escaped(made):
    text = latex(made[0])
    assert r"a\&b" in text and "stands in for a bench" in text
    assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 2
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body} == {5, 3}


def test_the_terminal_says_the_same(made):
    out = io.StringIO()
    print_study(made[0], Console(file=out, width=80))
    words = " ".join(out.getvalue().split())
    assert "MMRV, reference shadow" in words and "5 units" in words
    assert "10/12" in words and "nothing here was measured on an arm" in words


def test_the_command_writes_everything(root, capsys):
    assert Gap(sim=(root / "sim",), real=(root / "there",), out=root / "all").run() == 0
    names = ["gap.html", "gap.json", "gap-policies.csv", "gap-pairs.csv", "gap.tex"]
    assert [line.rsplit("/", 1)[-1] for line in capsys.readouterr().out.splitlines()[-5:]] == names
    assert all((root / "all" / name).stat().st_size > 0 for name in names)
    again = root / "again"
    write_tables(*gap_study(sim=[root / "sim"], real=[root / "there"]), again)
    assert (again / "gap.json").read_bytes() == (root / "all" / "gap.json").read_bytes()


def test_published_tables_are_as_published():
    one, _, three, row = published_tables()
    assert one.rows[0][:3] == ("Baseline", "30/30", "11/30")
    assert three.rows[0][1:] == ("94 / 81", "91 / 64", "92 / 47") and three.source == GRINNINGFACE_TABLE_3.place
    assert dict((name, value) for name, _, value in row.rows)["relation"] == "39.6"


def test_table_1_says_which_differences_are_significant():
    significant = {frozenset((one.first, one.second)) for one in ranking().contrasts if one.differs}
    assert frozenset(("Baseline", "Co-training")) in significant
    assert frozenset(("Co-training", "Latent action")) not in significant


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium")
def test_a_browser_without_network_draws_it(root, text, tmp_path):
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path}/profile"]
    done = subprocess.run(
        ["chromium", *options, "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", f"file://{root}/out/gap.html"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Configuration and hashes" in done.stdout and done.stdout.count("<svg") >= 3
