"""Addresses, scripts and what is said when something is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from policy_server.vla import lerobot, openvla, spatialvla
from policy_server.vla.options import from_address
from touchstone.errors import MissingPart, UsageError
from touchstone.registry import POLICY_SCHEMES, load

FOLDER = Path(openvla.__file__).parent
NAMES = ("lerobot", "openvla", "spatialvla", "magma", "octo")


def test_an_address_says_everything(tmp_path):
    made = from_address("openvla://openvla/openvla-7b?unnorm_key=other&device=cpu&rate_hz=10", openvla.OpenVlaOptions)
    assert (made.checkpoint, made.unnorm_key, made.device, made.rate_hz) == ("openvla/openvla-7b", "other", "cpu", 10.0)
    folder = tmp_path / "a model"
    folder.mkdir()
    address = f"lerobot://{str(folder).replace(' ', '%20')}?execute=3&layout=bridge"
    made = from_address(address, lerobot.LeRobotOptions)
    assert (made.checkpoint, made.execute, made.layout) == (str(folder), 3, "bridge")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("openvla://model", "is no model: write a folder with its slash"),
        ("openvla:///nowhere/at/all", "There is no folder '/nowhere/at/all'"),
        ("openvla://a/b?key=x", "has no option 'key'; openvla:// takes revision, device"),
        ("openvla://a/b?device=cpu&device=cuda", "says the same option twice"),
        ("openvla://a/b?rate_hz=-5", "wrong value for 'rate_hz'"),
        ("openvla://a/b?action_kind=joint_abs", "wrong value for 'action_kind'"),
        ("openvla://a/b?checkpoint=c/d", "has no option 'checkpoint'"),
    ],
)
def test_a_wrong_address_is_refused_in_one_sentence(address, sentence):
    with pytest.raises(UsageError, match=re.escape(sentence)):
        from_address(address, openvla.OpenVlaOptions)


@pytest.mark.parametrize("name", NAMES)
def test_each_scheme_is_registered(name):
    connect = load(POLICY_SCHEMES, name)
    assert connect.__module__ == f"policy_server.vla.{name}"


def test_without_the_library_the_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingPart, match=r"uv run policy_server/vla/spatialvla\.py --checkpoint a/b --bind"):
        spatialvla.connect("spatialvla://a/b", timeout_s=1.0)


def header(name: str) -> str:
    text = (FOLDER / f"{name}.py").read_text()
    block = re.match(r"# /// script\n((?:#.*\n)+?)# ///\n", text)
    assert block, f"{name}.py has no script header"
    return "".join(line.removeprefix("#").removeprefix(" ") for line in block[1].splitlines(keepends=True))


@pytest.mark.parametrize("name", NAMES)
def test_every_dependency_of_a_script_is_pinned(name):
    dependencies = re.findall(r'^    "(.+)",$', header(name), flags=re.MULTILINE)
    assert re.search(r'^requires-python = "[>=]=', header(name), flags=re.MULTILINE)
    assert all(
        re.fullmatch(r"[\w-]+(\[[\w,]+\])?==[\w.]+|[\w-]+ @ git\+https://.+@[0-9a-f]{40}", d) for d in dependencies
    )
    # what Touchstone itself needs to serve and to process
    for library in ("numpy", "scipy", "pydantic", "tyro", "pyzmq", "msgpack", "msgspec", "prometheus-client"):
        assert any(d.startswith(f"{library}==") for d in dependencies), library


@pytest.mark.parametrize("name", NAMES)
def test_a_script_refuses_a_wrong_checkpoint_in_one_sentence(name, tmp_path):
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), "--checkpoint", "nothing", "--bind", "tcp://127.0.0.1:0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("'nothing' is no model") and done.stderr.count("\n") == 1
