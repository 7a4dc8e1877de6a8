"""A user's mistake gets one sentence on stderr and exit code 2, before anything starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from touchstone import cli
from touchstone.evaluation.config import SessionConfig
from touchstone.tasks.emoji import cards


def run(capsys, monkeypatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["touchstone", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return exit_.value.code, capsys.readouterr().err


def only_one_sentence(text: str) -> bool:
    return text.startswith("touchstone: ") and text.count("\n") == 1 and "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["eval", "touch-nothing"], "Unknown task 'touch-nothing'; choose one of: int-act, pick-emoji, touch-emoji"),
        (["eval", "touch-emoji", "--world", "mars"], "Unknown world 'mars'; choose one of:"),
        (["eval", "touch-emoji", "--policy", "gpt"], "Unknown policy 'gpt'; choose one of: card-matcher"),
        (["eval", "touch-emoji", "--policy", "nowhere:Policy"], "nowhere"),
        (["eval", "touch-emoji", "--policy", "ftp://x"], "Unknown policy address"),
        (["eval", "touch-emoji", "--policy", "tcp://127.0.0.1:1"], "No policy server answers at tcp://127.0.0.1:1"),
        (["eval", "touch-emoji", "--robot", "r2d2"], "Unknown robot 'r2d2'"),
        (["eval", "touch-emoji", "--protocol", "test"], "Unknown protocol 'test'"),
        (["eval", "touch-emoji", "--trials", "0"], "--trials is 0"),
        (["eval", "touch-emoji", "--trials", "-3"], "--trials is -3"),
        (["eval", "touch-emoji", "--seed", "-1"], "--seed is -1"),
        (["eval", "touch-emoji", "--camera", "webcam"], "Unknown camera preset 'webcam'"),
        (["eval", "touch-emoji", "--shader", "raytraced"], "Unknown shader 'raytraced'"),
        (["eval", "touch-emoji", "--out", "/dev/null/runs"], "/dev/null/runs"),
        (["eval", "touch-emoji", "--out", "/proc/touchstone"], "/proc/touchstone"),
        (["eval", "touch-emoji", "--policy", "telepathy:Mind", "--world", "twin"], "telepathy"),
        (["eval", "pick-emoji", "--protocol", "id"], "there is none; name one with --record"),
        (["eval", "pick-emoji", "--protocol", "id", "--record", "nowhere"], "There is no training record at nowhere"),
        (["eval", "pick-emoji", "--record", "nowhere"], "replays no record"),
        (["eval", "touch-emoji", "--wording", "code"], "Unknown wording 'code'; touch-emoji has: paper"),
        (["eval", "touch-emoji", "--workers", "0"], "--workers is 0"),
        (["eval", "touch-emoji", "--world", "twin-ros", "--workers", "2"], "leave --workers out"),
        (["eval", "touch-emoji", "--world", "twin-ros", "--no-pictures"], "always has pictures"),
        (["eval", "touch-emoji", "--world", "twin:light"], "The twin has no variant 'light'"),
        (["eval", "touch-emoji", "--world", "shadow"], "A shadow needs its shifts"),
        (["eval", "touch-emoji", "--world", "shadow:ghost@0.5"], "Unknown shift 'ghost'"),
        (["eval", "touch-emoji", "--world", "shadow:light@2"], "The strength '2'"),
        (["eval", "touch-emoji", "--camera", "grinningface@31x20"], "no camera size"),
        (["eval", "touch-emoji", "--camera", "grinningface@320x240"], "320x240 and it needs 640x480"),
        (["eval", "touch-emoji", "--no-pictures"], "it needs camera 'scene' and there is none"),
        (["eval", "touch-emoji", "--robot", "rm75", "--meshes", "official"], "There are no official meshes"),
        (["collect", "touch-emoji", "--out", "demos"], "--expert is the only teacher"),
        (["collect", "touch-emoji", "--out", "demos", "--expert", "--world", "twin-ros"], "collected in this process"),
        (["collect", "touch-emoji", "--out", "demos", "--expert", "--episodes", "0"], "ask for at least 1"),
        (["assets", "smileys", "--from", "x"], "smileys"),
        (["table", "nowhere"], "nowhere"),
        (["unseal", "nowhere"], "There is no session in nowhere"),
        (["serve", "--policy", "gpt"], "gpt"),
        (["serve", "--policy", "hold", "--bind", "tcp://0.0.0.0:5555"], "0.0.0.0"),
        (["serve", "--policy", "hold", "--bind", "5555"], "5555"),
    ],
)
def test_one_sentence_and_exit_code_2(capsys, monkeypatch, tmp_path, arguments, says):
    monkeypatch.chdir(tmp_path)
    code, text = run(capsys, monkeypatch, *arguments)
    assert code == 2 and says in text and only_one_sentence(text), (code, text)


@pytest.mark.parametrize("command", ["report", "score"])
def test_an_empty_folder_has_no_report_and_no_score(capsys, monkeypatch, tmp_path, command):
    code, text = run(capsys, monkeypatch, command, str(tmp_path))
    assert code == 2 and str(tmp_path) in text and only_one_sentence(text)


def test_a_session_of_another_configuration_is_not_mixed_up(capsys, monkeypatch, tmp_path):
    from touchstone.data.journal import Session

    config = SessionConfig(
        task="touch-emoji", world="twin", robot="wx250s", policy="hold", protocol="val", seed=0, trials=1
    )
    Session.open(tmp_path, config.identity(), {"plant": "twin", "path": "inproc"}).close()
    code, text = run(
        capsys, monkeypatch, "eval", "touch-emoji", "--policy", "hold", "--seed", "1", "--out", str(tmp_path)
    )
    assert code == 2 and "seed 0 -> 1" in text and only_one_sentence(text)


def test_a_missing_font_is_named_before_anything_starts(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(cards, "FONT_FOLDERS", (str(tmp_path),))
    cards.emoji_font.cache_clear()
    try:
        code, text = run(capsys, monkeypatch, "eval", "touch-emoji", "--out", str(tmp_path / "run"))
    finally:
        cards.emoji_font.cache_clear()
    assert code == 2 and "NotoColorEmoji" in text and only_one_sentence(text)


@pytest.mark.parametrize("world", ["twin", "twin-ros"])
def test_no_vulkan_device_is_one_sentence(tmp_path, world):
    nowhere = str(tmp_path / "no-driver.json")
    done = subprocess.run(
        [sys.executable, "-m", "touchstone.cli", "eval", "touch-emoji"]
        + ["--world", world, "--out", str(tmp_path / "run")],
        env=os.environ | {"VK_DRIVER_FILES": nowhere, "VK_ICD_FILENAMES": nowhere},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 2, done.stderr
    assert "No Vulkan device that SAPIEN accepts" in done.stderr and "Traceback" not in done.stderr
    assert sum(line.startswith("touchstone: ") for line in done.stderr.splitlines()) == 1
