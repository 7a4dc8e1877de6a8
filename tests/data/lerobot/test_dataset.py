from __future__ import annotations

import fcntl
import json

import pytest

from tests.data.lerobot.made import FEATURES, ROBOT, SCENE, begin, stage, tree, values
from touchstone.data.lerobot import Dataset, Picture, Vector, read_dataset
from touchstone.errors import TouchstoneError, UsageError

SENTENCE = r"^[^\n]+\.$"


def refused(words: str, root, robot=ROBOT, fps=5, features=FEATURES):
    with pytest.raises(UsageError, match=SENTENCE) as caught:
        Dataset.open(root, robot, fps, features)
    assert words in str(caught.value)


def test_opening_again_resumes(tmp_path):
    dataset = begin(tmp_path / "a/b")
    stage(dataset, 0, 2)
    dataset.absorb([0])
    stage(dataset, 1, 2)
    before = tree(tmp_path / "a/b")
    again = begin(tmp_path / "a/b")
    assert again.absorbed() == {0: 0} and again.staged().keys() == {1}
    assert tree(tmp_path / "a/b") == before


def test_another_dataset_is_refused(tmp_path):
    root = tmp_path / "d"
    begin(root)
    refused("robot", root, robot="rm75")
    refused("rate", root, fps=20)
    without = {key: kind for key, kind in FEATURES.items() if key != "action"}
    for other in (
        without,
        {**FEATURES, "action": Vector(("dy",))},
        {**FEATURES, SCENE: Picture(96, 48)},
        dict(reversed(FEATURES.items())),
    ):
        refused("features", root, features=other)
    begin(root)


def test_what_is_no_dataset_is_refused_and_left_alone(tmp_path):
    (tmp_path / "holiday.txt").write_text("sun")
    refused("no dataset", tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["holiday.txt"]
    refused("not a folder", tmp_path / "holiday.txt")
    (tmp_path / "d/meta").mkdir(parents=True)
    (tmp_path / "d/meta/info.json").write_text("{")
    refused("info.json", tmp_path / "d")
    info = {"features": {}, "fps": 5, "total_episodes": 0, "total_frames": 0, "data_path": ""}
    (tmp_path / "d/meta/info.json").write_text(json.dumps({**info, "codebase_version": "v2.1"}))
    refused("v2.1", tmp_path / "d")


def test_a_creation_that_was_killed_is_no_obstacle(tmp_path):
    (tmp_path / "d/meta").mkdir(parents=True)
    (tmp_path / "d/meta/info.json.part").write_text("{")
    begin(tmp_path / "d")


def test_an_existing_dataset_of_someone_else_is_refused(tmp_path):
    import pyarrow.parquet as pq

    dataset = begin(tmp_path / "d")
    stage(dataset, 0, 1)
    dataset.absorb([0])
    path = tmp_path / "d/meta/episodes/chunk-000/file-000.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["attempt"]), path)
    refused("not written by Touchstone", tmp_path / "d")


def test_a_lost_file_is_told(tmp_path):
    dataset = begin(tmp_path / "d")
    stage(dataset, 0, 1)
    dataset.absorb([0])
    (tmp_path / "d/meta/episodes/chunk-000/file-000.parquet").unlink()
    refused("lost", tmp_path / "d")


@pytest.mark.parametrize("fps", [0, -5, 2.5, True])
def test_the_rate_is_a_whole_number(tmp_path, fps):
    refused("whole number", tmp_path / "d", fps=fps)


@pytest.mark.parametrize("key", ["index", "timestamp", "a/b", "../x", "", "a..b", "task", "a b"])
def test_names_that_cannot_be_features_are_refused(tmp_path, key):
    refused("name of a feature", tmp_path / "d", features={**FEATURES, key: Vector(("x",))})
    assert not (tmp_path / "d").exists()


def test_features_that_cannot_be_stored_are_refused(tmp_path):
    for height, width in ((3, 4), (4, 5), (0, 2), (-2, 2)):
        with pytest.raises(UsageError, match=SENTENCE):
            Picture(height, width)
    with pytest.raises(UsageError, match=SENTENCE):
        Vector(())
    refused("vector", tmp_path / "d", features={SCENE: Picture(2, 2)})


def test_only_what_is_staged_can_be_absorbed(tmp_path):
    dataset = begin(tmp_path / "d")
    stage(dataset, 0, 1)
    before = tree(tmp_path / "d")
    with pytest.raises(UsageError, match="Attempt 1 is not staged"):
        dataset.absorb([0, 1])
    assert tree(tmp_path / "d") == before
    dataset.absorb([])
    assert tree(tmp_path / "d") == before


def test_absorption_keeps_the_order_asked_for_and_reports(tmp_path):
    dataset = begin(tmp_path / "d")
    for attempt in (3, 1, 2):
        stage(dataset, attempt, attempt)
    told = []
    dataset.absorb([2, 3], lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
    assert dataset.absorbed() == {2: 0, 3: 1} and dataset.staged().keys() == {1}
    dataset.absorb([3, 1, 2])
    assert dataset.absorbed() == {2: 0, 3: 1, 1: 2} and dataset.staged() == {}


def test_extra_columns_are_those_of_the_dataset(tmp_path):
    dataset = begin(tmp_path / "d")

    def record(attempt, extra):
        episode = dataset.begin(attempt)
        episode.add(values(attempt, 0))
        episode.finish("do", extra)

    record(0, {"seed": 1})
    record(1, {"seed": 1.5})
    record(2, {"seed": 1, "more": "x"})
    record(3, {})
    record(4, {"seed": 7})
    for batch in ([0, 1], [2, 0], [0, 3]):
        before = tree(tmp_path / "d")
        with pytest.raises(UsageError, match=SENTENCE):
            dataset.absorb(batch)
        assert tree(tmp_path / "d") == before
    dataset.absorb([0])
    for attempt in (1, 2, 3):
        with pytest.raises(UsageError, match=f"Attempt {attempt} has the extra columns"):
            dataset.absorb([attempt])
    dataset.absorb([4])
    assert [row["seed"] for row in read_dataset(tmp_path / "d").episodes] == [1, 7]


def test_two_absorptions_at_once_are_refused(tmp_path):
    dataset = begin(tmp_path / "d")
    stage(dataset, 0, 1)
    with (tmp_path / "d/.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for act in (lambda: dataset.absorb([0]), dataset.clean):
            with pytest.raises(UsageError, match="Another run"):
                act()
    dataset.absorb([0])


def test_tasks_are_numbered_as_they_come_and_kept(tmp_path):
    dataset = begin(tmp_path / "d")
    wanted = ["b", "a", "b", "é “x”", "a", "c"]
    for attempt, text in enumerate(wanted):
        episode = dataset.begin(attempt)
        episode.add(values(attempt, 0))
        episode.finish(text, {})
    for attempt in range(6):
        dataset.absorb([attempt])
    reader = read_dataset(tmp_path / "d")
    assert reader.tasks == ["b", "a", "é “x”", "c"] and reader.info["total_tasks"] == 4
    assert [reader.tasks[int(reader.frames(index)["task_index"][0])] for index in range(6)] == wanted
    assert [row["tasks"] for row in reader.episodes] == [[text] for text in wanted]


def test_a_torn_film_is_one_sentence(tmp_path):
    dataset = begin(tmp_path / "d")
    stage(dataset, 0, 4)
    film = tmp_path / f"d/.staging/attempt-000000.{SCENE}.mp4"
    film.write_bytes(film.read_bytes()[:300])
    with pytest.raises(TouchstoneError, match=SENTENCE) as caught:
        dataset.absorb([0])
    assert film.name in str(caught.value)


def test_a_film_of_another_episode_is_noticed(tmp_path):
    dataset = begin(tmp_path / "d")
    stage(dataset, 0, 4)
    stage(dataset, 1, 5)
    one, other = (tmp_path / f"d/.staging/attempt-00000{k}.{SCENE}.mp4" for k in (0, 1))
    one.write_bytes(other.read_bytes())
    with pytest.raises(TouchstoneError, match="5 frames instead of 4"):
        dataset.absorb([0])
    assert dataset.absorbed() == {}
    dataset.absorb([1])


def test_files_beside_the_dataset_are_left_alone(tmp_path):
    dataset = begin(tmp_path / "d")
    for name in ("README.md", "data/notes.txt", "meta/card.json", ".staging/notes.txt"):
        (tmp_path / "d" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "d" / name).write_text("mine")
    stage(dataset, 0, 1)
    dataset.absorb([0])
    dataset.clean()
    for name in ("README.md", "data/notes.txt", "meta/card.json", ".staging/notes.txt"):
        assert (tmp_path / "d" / name).read_text() == "mine"
