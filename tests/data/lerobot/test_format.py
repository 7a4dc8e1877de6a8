"""Field by field: what LeRobot's v3.0 documentation and source say a dataset holds."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.lerobot.made import FEATURES, SCENE, begin, extra, stage, task
from touchstone.data.lerobot import Picture, Vector

LENGTHS = {4: 3, 1: 7, 2: 2}
STATISTICS = ["min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"]
INDEX = {"timestamp": "float32", "frame_index": "int64", "episode_index": "int64", "index": "int64"}
INDEX["task_index"] = "int64"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("format") / "dataset"
    dataset = begin(root)
    for attempt, length in LENGTHS.items():
        stage(dataset, attempt, length)
    dataset.absorb(list(LENGTHS))
    return root


def test_the_files_are_where_they_belong(root):
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} - {".lock"}
    assert files == {
        "data/chunk-000/file-000.parquet",
        "meta/episodes/chunk-000/file-000.parquet",
        "meta/info.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        "videos/observation.images.scene/chunk-000/file-000.mp4",
        "videos/observation.images.wrist/chunk-000/file-000.mp4",
    }


def test_info(root):
    info = json.loads((root / "meta/info.json").read_text())
    features = info.pop("features")
    assert info == {
        "codebase_version": "v3.0",
        "robot_type": "wx250s",
        "fps": 5,
        "total_episodes": 3,
        "total_frames": 12,
        "total_tasks": 2,
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "splits": {"train": "0:3"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
    }
    assert list(features) == [*FEATURES, *INDEX]
    assert features["observation.state"] == {"dtype": "float32", "shape": [3], "names": ["number", "wave", "attempt"]}
    assert features["action"] == {"dtype": "float32", "shape": [1], "names": ["dx"]}
    for key, dtype in INDEX.items():
        assert features[key] == {"dtype": dtype, "shape": [1], "names": None}
    scene = features[SCENE]
    coded = scene.pop("info")
    assert scene == {"dtype": "video", "shape": [48, 96, 3], "names": ["height", "width", "channels"]}
    assert coded["has_audio"] is False and coded["is_depth_map"] is False
    told = {name: coded[f"video.{name}"] for name in ("height", "width", "codec", "pix_fmt", "fps", "channels")}
    assert told == {"height": 48, "width": 96, "codec": "h264", "pix_fmt": "yuv420p", "fps": 5, "channels": 3}


def test_data(root):
    table = pq.read_table(root / "data/chunk-000/file-000.parquet")
    assert table.schema.names == ["observation.state", "action", *INDEX]
    assert table.schema.field("observation.state").type == pa.list_(pa.float32(), 3)
    assert table.schema.field("action").type == pa.float32()  # LeRobot reads shape (1,) as a plain column
    assert {name: str(table.schema.field(name).type).replace("float", "float32") for name in INDEX} == INDEX
    described = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    number = {"dtype": "float32", "_type": "Value"}
    assert described["observation.state"] == {"feature": number, "length": 3, "_type": "List"}
    assert described["action"] == number and described["index"] == {"dtype": "int64", "_type": "Value"}
    rows = table.to_pydict()
    assert rows["index"] == list(range(12))
    assert rows["episode_index"] == [0] * 3 + [1] * 7 + [2] * 2
    assert rows["frame_index"] == [*range(3), *range(7), *range(2)]
    assert rows["task_index"] == [0] * 10 + [1] * 2
    assert rows["timestamp"] == pytest.approx([k / 5 for k in rows["frame_index"]], abs=1e-6)
    assert pq.read_metadata(root / "data/chunk-000/file-000.parquet").num_row_groups == 3


def test_tasks_as_pandas_stores_them(root):
    path = root / "meta/tasks.parquet"
    assert pq.read_table(path).to_pydict() == {"task_index": [0, 1], "task": [task(4), task(2)]}
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(path)
    assert frame.index.name == "task" and list(frame.columns) == ["task_index"]
    assert list(frame.index) == [task(4), task(2)] and frame.loc[task(2)].task_index == 1
    again = path.with_name("again.parquet")
    frame.to_parquet(again)
    assert pandas.read_parquet(again).equals(frame)
    again.unlink()


def test_episodes(root):
    table = pq.read_table(root / "meta/episodes/chunk-000/file-000.parquet")
    row = table.to_pylist()[1]
    statistics = {name: row.pop(name) for name in table.schema.names if name.startswith("stats/")}
    films = [key for key, kind in FEATURES.items() if isinstance(kind, Picture)]
    where = {}
    for key in films:
        where |= {f"videos/{key}/chunk_index": 0, f"videos/{key}/file_index": 0}
        where |= {f"videos/{key}/from_timestamp": 3 / 5, f"videos/{key}/to_timestamp": 10 / 5}
    assert row == {
        "episode_index": 1,
        "tasks": [task(1)],
        "length": 7,
        "data/chunk_index": 0,
        "data/file_index": 0,
        "dataset_from_index": 3,
        "dataset_to_index": 10,
        **where,
        "meta/episodes/chunk_index": 0,
        "meta/episodes/file_index": 0,
        "attempt": 1,
        **extra(1),
    }
    assert set(statistics) == {f"stats/{key}/{name}" for key in (*FEATURES, *INDEX) for name in STATISTICS}
    vector, pixels = pa.list_(pa.float64()), pa.list_(pa.list_(pa.list_(pa.float64())))
    for key in (*FEATURES, *INDEX):
        for name in STATISTICS:
            kind = table.schema.field(f"stats/{key}/{name}").type
            if name == "count":
                assert kind == pa.list_(pa.int64()) and statistics[f"stats/{key}/{name}"] == [7]
            else:
                assert kind == (pixels if key in films else vector)
    assert table.schema.field("success").type == pa.bool_() and table.schema.field("seed").type == pa.int64()
    assert table.schema.field("score").type == pa.float64() and table.schema.field("spec").type == pa.string()


def test_stats(root):
    stats = json.loads((root / "meta/stats.json").read_text())
    assert list(stats) == [*FEATURES, *INDEX]
    for key, kind in {**FEATURES, **dict.fromkeys(INDEX, Vector(("it",)))}.items():
        assert list(stats[key]) == ["min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"]
        assert stats[key]["count"] == [12]
        for name in set(STATISTICS) - {"count"}:
            value = stats[key][name]
            if isinstance(kind, Picture):
                assert [len(value), len(value[0]), len(value[0][0])] == [3, 1, 1]
                assert all(0 <= channel[0][0] <= 1 for channel in value)
            else:
                assert len(value) == len(kind.names)
