from __future__ import annotations

import json
import multiprocessing
import pickle
from dataclasses import replace

import numpy as np
import pytest

from tests.data.lerobot.made import FEATURES, SCENE, begin, extra, number_of, stage, stage_several, task, tree, values
from touchstone.data.lerobot import Dataset, Vector, read_dataset
from touchstone.errors import TouchstoneError


@pytest.fixture
def dataset(tmp_path):
    return begin(tmp_path / "d")


def test_an_episode_counts_once_it_is_finished(dataset):
    episode = dataset.begin(12)
    episode.add(values(12, 0))
    assert dataset.staged() == {}
    done = episode.finish(task(12), extra(12))
    assert (done.attempt, done.length, done.task, done.extra) == (12, 1, task(12), extra(12))
    (again,) = dataset.staged().values()
    assert replace(again, histograms={}) == replace(done, histograms={})
    assert sorted(path.name for path in (dataset.root / ".staging").iterdir()) == [
        "attempt-000012.json",
        "attempt-000012.observation.images.scene.mp4",
        "attempt-000012.observation.images.wrist.mp4",
        "attempt-000012.parquet",
    ]


def test_an_abandoned_episode_leaves_nothing(dataset):
    for frames in (0, 3):
        episode = dataset.begin(1)
        for frame in range(frames):
            episode.add(values(1, frame))
        episode.abandon()
        assert list((dataset.root / ".staging").iterdir()) == []


def test_opening_in_a_worker_leaves_the_parts_of_others_alone_and_clean_removes_them(dataset):
    episode = dataset.begin(1)
    for frame in range(80):  # more than the encoder holds back
        episode.add(values(1, frame))
    stage(dataset, 2, 2)
    before = set(tree(dataset.root))
    begin(dataset.root)
    assert set(tree(dataset.root)) == before and len(before) == 7
    dataset.clean()
    assert dataset.staged().keys() == {2}
    assert not [name for name in tree(dataset.root) if "000001" in name]


def test_a_mark_without_its_files_is_no_episode(dataset):
    stage(dataset, 2, 2)
    (dataset.root / ".staging" / f"attempt-000002.{SCENE}.mp4").unlink()
    assert dataset.staged() == {}
    dataset.clean()
    assert list((dataset.root / ".staging").iterdir()) == []
    stage(dataset, 2, 2)
    assert dataset.staged().keys() == {2}


def test_an_attempt_is_begun_once(dataset):
    stage(dataset, 2, 2)
    with pytest.raises(ValueError, match="already"):
        dataset.begin(2)
    dataset.absorb([2])
    with pytest.raises(ValueError, match="already"):
        dataset.begin(2)
    for wrong in (-1, 1.5, True):
        with pytest.raises(ValueError, match="numbered"):
            dataset.begin(wrong)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("action", np.zeros(2)),
        ("action", np.zeros((1, 1))),
        ("action", np.array([np.nan])),
        ("action", np.array([1e39])),
        ("action", np.array(["1"])),
        ("action", np.array([True])),
        (SCENE, np.zeros((48, 96, 3), dtype=np.float32)),
        (SCENE, np.zeros((96, 48, 3), dtype=np.uint8)),
        (SCENE, np.zeros((48, 96), dtype=np.uint8)),
        ("surprise", np.zeros(1)),
    ],
)
def test_a_frame_that_does_not_fit_is_refused_and_not_half_taken(dataset, key, value):
    episode = dataset.begin(0)
    with pytest.raises(ValueError, match=r"action|scene|surprise"):
        episode.add({**values(0, 0), key: value})
    episode.add(values(0, 0))
    episode.finish("do", {})
    dataset.absorb([0])
    reader = read_dataset(dataset.root)
    assert len(reader.frames(0)["action"]) == len(list(reader.pictures(0, SCENE))) == 1


def test_a_frame_with_a_feature_missing_is_refused(dataset):
    episode = dataset.begin(0)
    with pytest.raises(ValueError, match="a frame holds"):
        episode.add({"action": np.zeros(1)})


def test_arrays_of_any_layout_and_number_type_are_taken(tmp_path):
    dataset = Dataset.open(tmp_path / "d", "robot", 5, {"action": Vector(("a", "b"))})
    episode = dataset.begin(0)
    wide = np.arange(4)
    for value in (wide[::2], wide[::2].astype(np.float64), wide[::2].astype(np.float32), [0, 2]):
        episode.add({"action": value})
    wide[:] = 9  # the writer keeps no view
    episode.finish("do", {})
    dataset.absorb([0])
    assert read_dataset(tmp_path / "d").frames(0)["action"].tolist() == [[0, 2]] * 4


def test_pictures_that_are_views_or_read_only_are_taken(dataset):
    episode = dataset.begin(0)
    frame = values(0, 0)
    frame[SCENE] = np.ascontiguousarray(frame[SCENE][:, ::-1])[:, ::-1]
    frame[SCENE].flags.writeable = False
    episode.add(frame)
    episode.finish("do", {})
    dataset.absorb([0])
    (image,) = read_dataset(dataset.root).pictures(0, SCENE)
    assert np.abs(image.astype(int) - frame[SCENE]).mean() < 6


def test_an_episode_needs_frames_and_a_task(dataset):
    with pytest.raises(ValueError, match="frame"):
        dataset.begin(0).finish("do", {})
    episode = dataset.begin(1)
    episode.add(values(1, 0))
    with pytest.raises(ValueError, match="task"):
        episode.finish("", {})


@pytest.mark.parametrize(
    "wrong",
    [{"length": 1}, {"a/b": 1}, {"stats/x": 1.0}, {"": 1}, {"x": None}, {"x": [1]}, {"attempt": 4}, {"tasks": "a"}],
)
def test_extras_that_cannot_be_columns_are_refused(dataset, wrong):
    episode = dataset.begin(0)
    episode.add(values(0, 0))
    with pytest.raises(ValueError, match=r"extra|attempt"):
        episode.finish("do", wrong)


def test_extras_may_be_numpy_scalars_and_name_the_attempt(dataset):
    episode = dataset.begin(7)
    episode.add(values(7, 0))
    done = episode.finish("do", {"attempt": 7, "n": np.int64(3), "ok": np.bool_(True), "x": np.float32(0.5)})
    assert done.extra == {"n": 3, "ok": True, "x": 0.5}
    assert [type(value) for value in done.extra.values()] == [int, bool, float]
    dataset.absorb([7])
    assert read_dataset(dataset.root).episodes[0]["attempt"] == 7


def test_two_processes_stage_at_once(dataset):
    context = multiprocessing.get_context("spawn")
    shares = [{attempt: 3 + attempt for attempt in range(first, 8, 2)} for first in (0, 1)]
    workers = [context.Process(target=stage_several, args=(dataset.root, share)) for share in shares]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert list(dataset.staged()) == list(range(8))
    dataset.absorb(range(8))
    reader = read_dataset(dataset.root)
    for attempt in range(8):
        numbers = reader.frames(attempt)["observation.state"][:, 0].tolist()
        assert numbers == [number_of(attempt, k) for k in range(3 + attempt)]


def test_a_dataset_can_be_sent_to_a_process(dataset):
    stage(pickle.loads(pickle.dumps(dataset)), 3, 1)
    assert dataset.staged().keys() == {3}


def test_a_full_disk_is_one_sentence(dataset):
    (dataset.root / ".staging" / f"attempt-000003.{SCENE}.mp4").symlink_to("/dev/full")
    episode = dataset.begin(3)
    with pytest.raises(TouchstoneError, match=r"No space left on device.*\.$") as caught:
        rng = np.random.default_rng(0)
        for frame in range(400):
            noise = rng.integers(0, 256, (48, 96, 3), dtype=np.uint8)
            episode.add({**values(3, frame), SCENE: noise})
        episode.finish("do", {})
    assert "\n" not in str(caught.value) and str(dataset.root) in str(caught.value)
    episode.abandon()
    assert dataset.staged() == {} and list((dataset.root / ".staging").iterdir()) == []


def test_the_mark_is_plain_json(dataset):
    stage(dataset, 2, 2)
    mark = json.loads((dataset.root / ".staging/attempt-000002.json").read_text())
    assert mark["length"] == 2 and mark["task"] == task(2) and mark["extra"] == extra(2)
    assert mark["histograms"].keys() == {key for key in FEATURES if "images" in key}
