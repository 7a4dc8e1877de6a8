import base64
import csv
import io
import re
import shutil
import subprocess

import av
import pytest
from rich.console import Console

from tests.scoring.gap.studies import REAL, SHADOW, SIM, write_side
from tests.scoring.test_report import Page
from tests.support.pick_sessions import write_pick_session
from tests.support.sessions import CONFIG, PROVENANCE, TASK, episode, plan, write_episode
from touchstone.cli.gap import Gap
from touchstone.data.journal import Session
from touchstone.facts import Event
from touchstone.scoring.gap.film import WIDTH as FILM_WIDTH
from touchstone.scoring.gap.film import side_by_side
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
    assert all(source.startswith(("data:image/", "data:video/mp4")) for source in page.sources)
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


def test_what_ran_in_atoms_is_called_a_bench(root, tmp_path):
    for policy, endings in REAL.items():
        config = {"world": "real", "policy": policy}
        contract = {"name": policy, "version": "1", "needs_privileged": False}
        write_pick_session(tmp_path / "bench" / policy, endings, config, plant="atoms", path="wire", contract=contract)
    study, paired = gap_study(sim=[root / "sim"], real=[tmp_path / "bench"])
    assert not study.stands_in and study.real.label == "real"
    words = " ".join(Page(write_gap_report(study, paired, tmp_path).read_text(encoding="utf-8")).text.split())
    assert "The bench succeeds 34.4 points less often than the twin" in words and "Real arm" in words
    assert "shadow" not in words and "Nothing here was measured on an arm" not in words
    assert "not on an arm" not in words and "measured here, not published" in words
    assert "stands in" not in latex(study)


def test_names_are_escaped(text):
    assert "<i>" not in text and "a&amp;b &lt;i&gt;" in text


def test_the_page_says_what_was_undefined_and_why(text):
    assert "undefined" in text and "PPI needs a paired and an extra simulated trial" in text


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
    joined = [source for source in page.sources if source.startswith("data:video/mp4;base64,")]
    assert len(joined) == page.tags.count("video") == 2
    with av.open(io.BytesIO(base64.b64decode(joined[0].split(",")[1]))) as film:
        assert (film.streams.video[0].width, film.duration > 0) == (2 * FILM_WIDTH, True)


def test_a_film_that_is_gone_leaves_the_pictures(tmp_path):
    assert side_by_side(tmp_path / "one.mp4", tmp_path / "other.mp4") is None
    (tmp_path / "one.mp4").write_bytes(b"no film")
    assert side_by_side(tmp_path / "one.mp4", tmp_path / "one.mp4") is None
    assert side_by_side(None, tmp_path / "one.mp4") is None


def test_a_short_film_waits_for_the_longer_one(tmp_path):
    with Session.open(tmp_path, CONFIG, PROVENANCE) as session:
        films = [
            tmp_path / write_episode(session, plan(k), "right", n).files["mp4"].path for k, n in ((0, 10), (1, 14))
        ]
    lengths = []
    for uri in (side_by_side(*films), side_by_side(films[1], films[1])):
        with av.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))) as film:
            lengths.append(sum(1 for _ in film.decode(video=0)))
    assert lengths[0] == lengths[1]


def test_events_settings_and_hashes_are_told_for_each_side(tmp_path):
    happened = ("action_rejected", "action_rejected", "intervention", "operator_placed")
    for world, kinds in (("twin", ()), ("shadow:camera@1", happened)):
        plant = world.split(":")[0]
        config = {**CONFIG, "world": world, "camera": "grinningface"}
        provenance = {**PROVENANCE, "plant": plant, "python": "3.11.7" if kinds else "3.12.1"}
        with Session.open(tmp_path / plant, config, provenance) as session:
            for index in range(2):
                spec = plan(index)
                ticks = episode(spec)
                odd = [Event(stamp_ns=0, step=0, kind=kind) for kind in kinds] if index else []
                recorder = session.record(spec)
                for k, one in enumerate(ticks):
                    now = one.events + (odd if k == 0 else [])
                    recorder.tick(one.observation, one.facts, now, one.chunk, one.stages_ms)
                recorder.finish(TASK.judge(spec, [one.facts for one in ticks], []))
    study, paired = gap_study(sim=[tmp_path / "twin"], real=[tmp_path / "shadow"])
    assert study.sim.events == {}
    assert {kind: (one.times, one.episodes) for kind, one in study.real.events.items()} == {
        "action_rejected": (2, 1),
        "intervention": (1, 1),
    }
    text = " ".join(Page(write_gap_report(study, paired, tmp_path / "out").read_text(encoding="utf-8")).text.split())
    assert "action_rejected02 in 1 of 2 episodes" in text and "intervention01 in 1 of 2 episodes" in text
    assert "python3.12.13.11.7" in text and "cameragrinningfacegrinningface" in text
    assert all(session.config_hash in text for session in study.sessions)


def test_tables_hold_the_same_numbers(made):
    study, paired = made
    rows = list(csv.DictReader(io.StringIO(policies_csv(study))))
    good = next(row for row in rows if row["policy"] == "good")
    assert (good["sim_overall_successes"], good["sim_overall_trials"]) == ("10", "12")
    assert (float(good["difference"]), good["finding"], good["other"]) == (-0.5, "open", SHADOW)
    # four extra episodes of the twin, two of them failures, correct the first four of eight pairs by half
    assert float(good["finite_ppi"]) == (4 - 2 * 0.5) / 8
    assert next(row for row in rows if row["pairs"] == "2")["finite_ppi"] == ""
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
    assert dict((name, value) for name, _, value in row.rows)["OOD relation"] == "39.6"


def test_rows_of_the_study_stand_beside_the_table_of_their_task(made):
    one, two, three, row = published_tables(made[0])
    assert not one.ours and not two.ours and not row.ours
    assert len(three.ours) == 2 * len(made[0].cells) and all(len(ours) == len(three.head) for ours in three.ours)
    # good: 10 of 12 right of 12 in the twin, 4 right of 6 laid down of 8 in the shadow
    assert ("good, val, twin, 12 trials", "-", "-", "100 / 83") in three.ours
    assert (f"good, val, {SHADOW}, 8 trials", "-", "-", "75 / 67") in three.ours


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
