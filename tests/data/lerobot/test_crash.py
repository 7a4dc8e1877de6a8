"""A process that dies at any moment leaves a dataset that goes on as if nothing had happened."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.data.lerobot.made import SCENE, begin, number_in, number_of, stage, tree
from touchstone.data.lerobot import read_dataset
from touchstone.errors import TouchstoneError

FIRST, SECOND = {0: 4, 1: 6}, {2: 3, 5: 5}
REPOSITORY = Path(__file__).parents[3]


class Killed(BaseException):
    """Passes every handler of errors, as a kill does."""


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """A dataset with one absorption behind it and two episodes staged."""
    root = tmp_path_factory.mktemp("crash") / "before"
    dataset = begin(root)
    for attempt, length in {**FIRST, **SECOND}.items():
        stage(dataset, attempt, length)
    dataset.absorb(list(FIRST))
    return root


@pytest.fixture(scope="module")
def undisturbed(before, tmp_path_factory):
    root = tmp_path_factory.mktemp("crash") / "undisturbed"
    shutil.copytree(before, root)
    begin(root).absorb(list(SECOND))
    return tree(root)


def count_calls(monkeypatch, fail_at=None, error=Killed):
    """Counts what reaches the disk for good (renames, removals, syncs); the one with number `fail_at` fails."""
    calls = []
    for name in ("replace", "unlink", "fsync"):
        real = getattr(os, name)

        def wrapped(*args, _real=real, _name=name, **named):
            calls.append(_name)
            if len(calls) - 1 == fail_at:
                raise error()
            return _real(*args, **named)

        monkeypatch.setattr(os, name, wrapped)
    return calls


def test_a_death_at_any_write_of_an_absorption(before, undisturbed, tmp_path, monkeypatch):
    shutil.copytree(before, tmp_path / "counted")
    dataset = begin(tmp_path / "counted")
    with monkeypatch.context() as patch:
        calls = count_calls(patch)
        dataset.absorb(list(SECOND))
        total = len(calls)
    assert tree(tmp_path / "counted") == undisturbed and {"replace", "unlink", "fsync"} == set(calls)
    for number in range(total):
        root = tmp_path / str(number)
        shutil.copytree(before, root)
        dataset = begin(root)
        with monkeypatch.context() as patch:
            count_calls(patch, number)
            with pytest.raises(Killed):
                dataset.absorb(list(SECOND))
        # what counts can be read at once, before anything is put right
        reader = read_dataset(root)
        for index, row in enumerate(reader.episodes):
            attempt = row["attempt"]
            numbers = [number_of(attempt, k) for k in range(row["length"])]
            assert [number_in(image) for image in reader.pictures(index, SCENE)] == numbers
        dataset = begin(root)
        assert dataset.absorbed().keys() | dataset.staged().keys() == {*FIRST, *SECOND}
        assert not dataset.absorbed().keys() & dataset.staged().keys()
        if number % 2:
            dataset.clean()
        dataset.absorb(list(SECOND))
        dataset.clean()
        assert tree(root) == undisturbed, f"after a death at call {number} ({calls[number]})"
        shutil.rmtree(root)


def test_clean_takes_back_an_absorption_that_does_not_count(before, tmp_path, monkeypatch):
    clean = tree(before)
    for number in range(100):
        root = tmp_path / str(number)
        shutil.copytree(before, root)
        dataset = begin(root)
        with monkeypatch.context() as patch:
            count_calls(patch, number)
            with pytest.raises(Killed):
                dataset.absorb(list(SECOND))
        if 2 in dataset.absorbed():
            break
        dataset.clean()
        assert tree(root) == clean, number
        shutil.rmtree(root)
    else:
        pytest.fail("no death came after the absorption counted")


def test_another_batch_after_a_death(before, tmp_path, monkeypatch):
    straight, disturbed = tmp_path / "straight", tmp_path / "disturbed"
    for root in (straight, disturbed):
        shutil.copytree(before, root)
    begin(straight).absorb([5])
    with monkeypatch.context() as patch:
        calls = count_calls(patch)
        trial = tmp_path / "trial"
        shutil.copytree(before, trial)
        begin(trial).absorb(list(SECOND))
    last = max(number for number, name in enumerate(calls) if name == "replace")  # that of info.json
    with monkeypatch.context() as patch:
        count_calls(patch, last)
        with pytest.raises(Killed):
            begin(disturbed).absorb(list(SECOND))
    begin(disturbed).absorb([5])
    assert tree(disturbed) == tree(straight)


KILL = """
import os, sys
from pathlib import Path
from tests.data.lerobot.made import begin
left = int(sys.argv[2])
real = os.replace
def replace(*args, **named):
    global left
    if left == 0:
        os.kill(os.getpid(), 9)
    left -= 1
    return real(*args, **named)
os.replace = replace
begin(Path(sys.argv[1])).absorb([2, 5])
"""


@pytest.mark.parametrize("renames", [0, 2, 4, 6])
def test_a_real_kill(before, undisturbed, tmp_path, renames):
    root = tmp_path / "d"
    shutil.copytree(before, root)
    done = subprocess.run([sys.executable, "-c", KILL, str(root), str(renames)], cwd=REPOSITORY, timeout=120)
    assert done.returncode == -9
    dataset = begin(root)
    dataset.clean()
    dataset.absorb([2, 5])
    assert tree(root) == undisturbed


def test_a_second_call_changes_nothing(before, undisturbed, tmp_path):
    root = tmp_path / "d"
    shutil.copytree(before, root)
    dataset = begin(root)
    dataset.absorb([2, 5])
    dataset.absorb([2, 5, 0, 2])
    assert tree(root) == undisturbed


def test_an_absorption_is_the_same_every_time(undisturbed, tmp_path):
    """From the first frame on: nothing depends on time, order of staging or folder."""
    dataset = begin(tmp_path / "d")
    for attempt, length in reversed({**FIRST, **SECOND}.items()):
        stage(dataset, attempt, length)
    dataset.absorb(list(FIRST))
    dataset.absorb(list(SECOND))
    assert tree(tmp_path / "d") == undisturbed


def test_a_full_disk_at_any_write_is_one_sentence(before, undisturbed, tmp_path, monkeypatch):
    number = 0
    while True:
        root = tmp_path / str(number)
        shutil.copytree(before, root)
        with monkeypatch.context() as patch:
            count_calls(patch, number, lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            try:
                begin(root).absorb(list(SECOND))
                break
            except TouchstoneError as error:
                assert "No space left on device" in str(error) and str(root) in str(error)
                assert "\n" not in str(error) and str(error).endswith(".")
        begin(root).absorb(list(SECOND))
        assert tree(root) == undisturbed
        shutil.rmtree(root)
        number += 3
    assert number > 15


def test_a_death_at_any_write_of_an_episode(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        calls = count_calls(patch)
        stage(begin(tmp_path / "counted"), 3, 4)
        total = len(calls)
    begin(tmp_path / "counted").absorb([3])
    for number in range(total):
        root = tmp_path / str(number)
        with monkeypatch.context() as patch:
            count_calls(patch, number)
            with pytest.raises(Killed):
                stage(begin(root), 3, 4)
        dataset = begin(root)
        dataset.clean()
        if 3 not in dataset.staged():
            assert list((root / ".staging").iterdir()) == []
            stage(dataset, 3, 4)
        dataset.absorb([3])
        assert tree(root) == tree(tmp_path / "counted"), number


def test_what_counts_is_on_the_disk_before_it_counts(before, tmp_path, monkeypatch):
    """For a loss of power: contents before names, names before info.json, and staged files go after that."""
    root = tmp_path / "d"
    shutil.copytree(before, root)
    dataset = begin(root)
    done = []

    def spy(name, told):
        real = getattr(os, name)

        def wrapped(*args, **named):
            done.append((name, *told(*args)))
            return real(*args, **named)

        monkeypatch.setattr(os, name, wrapped)

    spy("fsync", lambda handle: [os.readlink(f"/proc/self/fd/{handle}")])
    spy("replace", lambda source, target: [str(source), str(target)])
    spy("unlink", lambda path, **_: [str(path)])
    dataset.absorb(list(SECOND))
    renames = [number for number, what in enumerate(done) if what[0] == "replace"]
    last = renames[-1]
    assert done[last][2] == str(root / "meta/info.json") and len(renames) == 7
    for number in renames:
        _, source, target = done[number]
        assert ("fsync", source) in done[:number], target
        folders = [folder for folder in Path(target).parents if folder.is_relative_to(root)]
        if number != last:
            assert all(("fsync", str(folder)) in done[number:last] for folder in folders[:1]), target
    assert ("fsync", str(root / "meta")) in done[last:]
    removals = [number for number, what in enumerate(done) if what[0] == "unlink" and "/.staging/" in what[1]]
    assert len(removals) == 8 and min(removals) > last
