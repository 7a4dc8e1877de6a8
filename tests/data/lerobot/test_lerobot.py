"""LeRobot itself opens what is written here. Needs LeRobot: here, or in the interpreter that LEROBOT_PYTHON names."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.data.lerobot.made import FEATURES, FPS, ROBOT, begin, extra, stage, task, values
from touchstone.data.lerobot import Dataset, Picture, Vector, read_dataset
from touchstone.data.lerobot.statistics import to_json

SCRIPT = Path(__file__).with_name("open_with_lerobot.py")
LENGTHS = {3: 11, 0: 1, 7: 23, 1: 6, 12: 2}


@pytest.fixture
def python() -> str:
    named = os.environ.get("LEROBOT_PYTHON")
    if not named and importlib.util.find_spec("lerobot") is None:
        pytest.skip("no LeRobot here; LEROBOT_PYTHON may name an interpreter that has it")
    return named or sys.executable


def run(python: str, code: list[str], folder: Path) -> subprocess.CompletedProcess:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf")}
    return subprocess.run([python, *code], env=environment, capture_output=True, text=True, timeout=600)


def test_lerobot_reads_every_frame_as_it_was_written(python, tmp_path):
    dataset = begin(tmp_path / "d")
    for attempt, length in LENGTHS.items():
        stage(dataset, attempt, length)
    dataset.absorb([3, 0, 7])
    dataset.absorb([1, 12])
    order = [(attempt, frame) for attempt, length in LENGTHS.items() for frame in range(length)]
    ends = np.cumsum(list(LENGTHS.values())).tolist()
    arrays = {key: np.stack([values(*which)[key] for which in order]) for key in FEATURES}
    rows = [
        {"tasks": [task(attempt)], "length": length, "dataset_from_index": end - length, "dataset_to_index": end}
        | {"attempt": attempt, **extra(attempt)}
        for (attempt, length), end in zip(LENGTHS.items(), ends, strict=True)
    ]
    stats = {}
    for key, array in arrays.items():
        image = array.ndim == 4
        flat = (array.reshape(-1, 3) / 255.0) if image else array.astype(np.float32).astype(np.float64)
        shape = (3, 1, 1) if image else (-1,)
        found = {name: getattr(flat, name)(axis=0).reshape(shape) for name in ("min", "max", "mean", "std")}
        for level in (1, 10, 50, 90, 99):
            found[f"q{level:02d}"] = np.quantile(flat, level / 100, axis=0).reshape(shape)
        stats[key] = {**found, "count": np.array([len(order)])}
    about = {"fps": FPS, "robot": ROBOT, "tasks": [task(attempt) for attempt, _ in order], "episodes": rows}
    np.savez(tmp_path / "expected.npz", about=json.dumps({**about, "stats": to_json(stats)}), **arrays)
    done = run(python, [str(SCRIPT), str(tmp_path / "d"), str(tmp_path / "expected.npz")], tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"{len(order)} frames as written" in done.stdout
    print(done.stdout)


MAKE = """
import sys
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
features = {
    "observation.state": {"dtype": "float32", "shape": (2,), "names": ["a", "b"]},
    "action": {"dtype": "float32", "shape": (1,), "names": ["dx"]},
    "observation.images.scene": {"dtype": "video", "shape": (64, 96, 3), "names": ["height", "width", "channels"]},
}
dataset = LeRobotDataset.create("touchstone/test", 5, features, root=sys.argv[1], robot_type="robot")
for episode in range(3):
    for k in range(4 + episode):
        dataset.add_frame({
            "observation.state": np.array([episode, k], dtype=np.float32), "action": np.array([k], dtype=np.float32),
            "observation.images.scene": np.full((64, 96, 3), 40 * episode + 10 * k, dtype=np.uint8),
            "task": f"task {episode % 2}",
        })
    dataset.save_episode()
dataset.finalize()
"""


def test_datasets_of_lerobot_can_be_read_and_have_the_same_schema(python, tmp_path):
    import pyarrow.parquet as pq

    done = run(python, ["-c", MAKE, str(tmp_path / "theirs")], tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    theirs = read_dataset(tmp_path / "theirs")
    assert theirs.tasks == ["task 0", "task 1"] and [row["length"] for row in theirs.episodes] == [4, 5, 6]
    for index in range(3):
        rows = theirs.frames(index)
        assert rows["observation.state"].tolist() == [[index, k] for k in range(4 + index)]
        assert rows["action"].tolist() == [[k] for k in range(4 + index)]
        images = list(theirs.pictures(index, "observation.images.scene"))
        shades = [image.mean() for image in images]
        assert shades == pytest.approx([40 * index + 10 * k for k in range(4 + index)], abs=4)

    features = {"observation.state": Vector(("a", "b")), "action": Vector(("dx",))}
    features["observation.images.scene"] = Picture(64, 96)
    ours = Dataset.open(tmp_path / "ours", "robot", 5, features)
    for attempt in range(3):
        episode = ours.begin(attempt)
        for k in range(4 + attempt):
            shade = np.full((64, 96, 3), 40 * attempt + 10 * k, dtype=np.uint8)
            rows = {"observation.state": np.array([attempt, k]), "action": np.array([k])}
            episode.add({**rows, "observation.images.scene": shade})
        episode.finish(f"task {attempt % 2}", {})
    ours.absorb([0, 1, 2])
    for name in ("data/chunk-000/file-000.parquet", "meta/tasks.parquet"):
        one, other = (pq.read_schema(tmp_path / who / name) for who in ("ours", "theirs"))
        assert one.equals(other, check_metadata=False)
    name = "data/chunk-000/file-000.parquet"
    tables = [pq.read_table(tmp_path / who / name) for who in ("ours", "theirs")]
    assert tables[0].to_pydict() == tables[1].to_pydict()
    described = [json.loads(table.schema.metadata[b"huggingface"])["info"]["features"] for table in tables]
    assert described[0] == described[1]
    name = "meta/episodes/chunk-000/file-000.parquet"
    tables = [pq.read_table(tmp_path / who / name) for who in ("ours", "theirs")]
    one, other = ({field.name: field.type for field in table.schema} for table in tables)
    assert {key: kind for key, kind in one.items() if key != "attempt"} == other
    for mine, other in zip(*(table.to_pylist() for table in tables), strict=True):
        for key, value in other.items():
            kind = key.rsplit("/", 1)[-1]
            if not key.startswith("stats/") or kind == "count":
                assert mine[key] == value or mine[key] == pytest.approx(value), key
            elif kind in ("min", "max", "mean", "std"):
                # LeRobot computes the std from a float32 mean of squares
                assert np.ravel(mine[key]) == pytest.approx(np.ravel(value), abs=1e-3), key
    mine, other = (json.loads((tmp_path / who / "meta/info.json").read_text()) for who in ("ours", "theirs"))
    films = [info["features"]["observation.images.scene"].pop("info") for info in (mine, other)]
    assert mine == other and films[0].keys() <= films[1].keys()
