"""`touchstone assets`: what it prints, and where things land."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tyro

from touchstone.assets import assets_folder
from touchstone.cli.assets import Assets
from touchstone.errors import UsageError
from touchstone.tasks.emoji.authors import authors_split
from touchstone.tasks.emoji.authors_files import FILES
from touchstone.tasks.emoji.table import emojis


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TOUCHSTONE_ASSETS", str(tmp_path / "assets"))
    return tmp_path / "assets"


def parse(*arguments: str) -> Assets:
    return tyro.cli(Assets, args=list(arguments))


def lists(folder: Path, *names: str) -> str:
    """Three emojis a list; the second's label is not its name; hard shares one with train."""
    for name in names:
        start = {"train": 0, "val": 3, "hard": 2}[name]
        rows = [
            {"char": row.char, "code": f"U+{row.code}", "desc": row.name, "paligemma_label": row.name}
            for row in emojis()[start : start + 3]
        ]
        if name == "train":
            rows[1]["paligemma_label"] = "something else"
        if name == "hard":
            rows[1:] = [
                {"char": row.char, "code": f"U+{row.code}", "desc": row.name, "paligemma_label": row.name}
                for row in emojis()[10:12]
            ]
        (folder / FILES[name]).write_text(json.dumps(rows))
    return str(folder)


def test_it_imports_and_says_what_and_what_next(tmp_path, home, capsys):
    assert parse("grinningface", "--from", lists(tmp_path, "train", "val", "hard")).run() == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "Imported 8 emojis: 3 train, 3 val, 3 hard; of hard, 1 are in train too and 0 in val."
    assert told[1].startswith(f"Labels that differ from the official name: 1. Stored in {home}/grinningface/lists.json")
    assert told[2].startswith("Next: touchstone eval pick-emoji --protocol val-authors") and len(told) == 3
    assert len(authors_split("val-authors")) == 3


def test_a_missing_hard_list_is_said(tmp_path, capsys):
    parse("grinningface", "--from", lists(tmp_path, "train", "val")).run()
    assert "3 train, 3 val; no hard list." in capsys.readouterr().out


def test_an_unknown_asset_is_refused_with_the_known_one(tmp_path):
    with pytest.raises(UsageError, match="Unknown asset 'emojis'; choose one of: grinningface"):
        parse("emojis", "--from", lists(tmp_path, "train", "val")).run()


@pytest.mark.parametrize(("arguments", "missing"), [(["grinningface"], "--from"), (["--from", "x"], "NAME")])
def test_name_and_source_are_both_asked_for(arguments, missing, capsys):
    with pytest.raises(SystemExit) as exit_:
        parse(*arguments)
    assert exit_.value.code == 2 and missing in capsys.readouterr().err


def test_the_help_needs_nothing_heavy():
    code = "import sys, touchstone.cli.assets; print(sorted({'PIL', 'emoji', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    before = subprocess.run(
        [sys.executable, "-c", code.replace("touchstone.cli.assets", "tyro")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == before.stdout


@pytest.mark.parametrize(
    ("own", "data", "folder"),
    [
        ("/srv/assets", "/data", "/srv/assets"),
        (None, "/data", "/data/touchstone"),
        (None, None, "/home/someone/.local/share/touchstone"),
        ("", "", "/home/someone/.local/share/touchstone"),
        ("~/mine", None, "/home/someone/mine"),
        ("~no-such-user/mine", None, "~no-such-user/mine"),
    ],
)
def test_where_assets_live(monkeypatch, own, data, folder):
    monkeypatch.setenv("HOME", "/home/someone")
    for name, value in (("TOUCHSTONE_ASSETS", own), ("XDG_DATA_HOME", data)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert assets_folder() == Path(folder)
