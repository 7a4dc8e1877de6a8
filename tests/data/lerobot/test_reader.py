from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.lerobot.made import SCENE, begin, extra, number_in, number_of, stage, task, values
from touchstone.data.lerobot import read_dataset
from touchstone.errors import TouchstoneError, UsageError

SENTENCE = r"^[^\n]+\.$"


@pytest.fixture
def root(tmp_path):
    dataset = begin(tmp_path / "d")
    for attempt, length in {0: 3, 1: 5}.items():
        stage(dataset, attempt, length)
    dataset.absorb([1, 0])
    return tmp_path / "d"


def test_everything_comes_back(root):
    reader = read_dataset(root)
    assert reader.info["total_frames"] == 8 and reader.tasks == [task(1), task(0)]
    for index, (attempt, length) in enumerate({1: 5, 0: 3}.items()):
        row = reader.episodes[index]
        assert row["length"] == length and row["attempt"] == attempt
        assert {name: row[name] for name in extra(attempt)} == extra(attempt)
        frames = reader.frames(index)
        for key in ("observation.state", "action"):
            written = np.stack([values(attempt, k)[key] for k in range(length)]).astype(np.float32)
            assert frames[key].dtype == np.float32 and np.array_equal(frames[key], written)
        assert frames["frame_index"].tolist() == list(range(length)) and frames["index"].dtype == np.int64
        assert frames["timestamp"].dtype == np.float32
        assert np.array_equal(frames["timestamp"], (np.arange(length) / 5).astype(np.float32))
        images = list(reader.pictures(index, SCENE))
        assert all(image.shape == (48, 96, 3) and image.dtype == np.uint8 for image in images)
        assert [number_in(image) for image in images] == [number_of(attempt, k) for k in range(length)]


def test_what_is_no_dataset_is_one_sentence(root, tmp_path):
    with pytest.raises(UsageError, match=SENTENCE):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=SENTENCE):
        read_dataset(tmp_path)
    path = root / "meta/info.json"
    info = json.loads(path.read_text())
    for wrong in ("", "[]", "{}", json.dumps({**info, "codebase_version": "v2.1"}), "\x00\xff"):
        path.write_text(wrong)
        with pytest.raises(UsageError, match=SENTENCE):
            read_dataset(root)
    path.write_text(json.dumps({**info, "total_episodes": 3}))
    with pytest.raises(UsageError, match=SENTENCE):
        read_dataset(root)


@pytest.mark.parametrize("name", ["stats.json", "tasks.parquet", "episodes/chunk-000/file-000.parquet"])
def test_a_damaged_file_is_one_sentence(root, name):
    (root / "meta" / name).write_bytes(b"torn\n")
    with pytest.raises(UsageError, match=SENTENCE):
        read_dataset(root)


def test_a_film_that_lacks_frames_is_one_sentence(root):
    film = root / f"videos/{SCENE}/chunk-000/file-000.mp4"
    path = root / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    at = table.schema.names.index("length")
    pq.write_table(table.set_column(at, "length", pa.array([5, 6])), path)
    with pytest.raises(TouchstoneError, match=SENTENCE) as caught:
        list(read_dataset(root).pictures(1, SCENE))
    assert "1.600 s" in str(caught.value)
    film.write_bytes(b"torn")
    with pytest.raises(TouchstoneError, match=SENTENCE):
        list(read_dataset(root).pictures(0, SCENE))
    film.unlink()
    with pytest.raises(TouchstoneError, match=SENTENCE):
        list(read_dataset(root).pictures(0, SCENE))


def test_what_is_not_there_cannot_be_asked_for(root):
    reader = read_dataset(root)
    for index in (-1, 2):
        with pytest.raises(IndexError):
            reader.frames(index)
    with pytest.raises(KeyError):
        reader.pictures(0, "action")
    with pytest.raises(KeyError):
        reader.pictures(0, "nothing")


def test_an_empty_dataset_can_be_read(tmp_path):
    begin(tmp_path / "d")
    reader = read_dataset(tmp_path / "d")
    assert reader.episodes == [] and reader.tasks == [] and reader.stats == {}
