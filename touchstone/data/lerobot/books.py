"""The books of a dataset: what `info.json` accounts for, and which files that is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from touchstone.data import disk
from touchstone.data.lerobot import layout, statistics
from touchstone.data.lerobot.features import Features, pictures
from touchstone.data.lerobot.layout import Slot
from touchstone.data.lerobot.statistics import Histogram, Stats
from touchstone.errors import UsageError

#: key in the schema metadata of a meta/episodes file, with the picture histograms of its episodes
_METADATA = b"touchstone"


@dataclass(frozen=True)
class Books:
    """What counts. attempts: -> episode_index. tasks: by task_index. episodes, data, videos: files below the root.

    slots: the last in use of `data`, `meta/episodes` and each `videos/KEY`; None before the first.
    extra: the extra columns of meta/episodes and their types; None before the first episode.
    """

    info: dict[str, Any]
    tasks: list[str]
    attempts: dict[int, int]
    slots: dict[str, Slot | None]
    episodes: list[Path]
    data: list[Path]
    videos: list[Path]
    extra: dict[str, pa.DataType] | None


def read_info(root: Path) -> dict[str, Any]:
    """`meta/info.json`. Raises UsageError if there is none, or none of version 3."""
    path = root / layout.INFO
    try:
        info = json.loads(path.read_bytes())
        version = str(info["codebase_version"])
        for key in ("features", "fps", "total_episodes", "total_frames", "data_path"):
            info[key]
    except FileNotFoundError:
        raise UsageError(f"There is no dataset in {root} (no {layout.INFO}); give the folder of one.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{path} does not describe a dataset that can be read; choose another folder.") from None
    if not version.startswith("v3."):
        raise UsageError(f"The dataset in {root} is of version {version}, not v3; convert it with LeRobot first.")
    return info


def read_tasks(root: Path, count: int) -> list[str]:
    """The first `count` tasks; their place is their task_index."""
    if not count:
        return []
    table = pq.read_table(root / layout.TASKS)
    # before LeRobot named the index, pandas stored it so
    name = "task" if "task" in table.column_names else "__index_level_0__"
    tasks = dict(zip(table["task_index"].to_pylist(), table[name].to_pylist(), strict=True))
    return [tasks[index] for index in range(count)]


def write_tasks(path: Path, tasks: list[str]) -> None:
    """As pandas stores a frame with the index `task` and the column task_index."""
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks, pa.string())})
    text = {"pandas_type": "unicode", "numpy_type": "object"}
    described = {
        "index_columns": ["task"],
        "column_indexes": [{"name": None, "field_name": None, **text, "metadata": {"encoding": "UTF-8"}}],
        "columns": [
            {
                "name": "task_index",
                "field_name": "task_index",
                "pandas_type": "int64",
                "numpy_type": "int64",
                "metadata": None,
            },
            {"name": "task", "field_name": "task", **text, "metadata": None},
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": None,
    }
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(described)}), path, compression="snappy")


def read_books(root: Path, features: Features) -> Books:
    """What `info.json` accounts for; anything beyond is what a crash left."""
    info = read_info(root)
    keys = list(pictures(features))
    names = ["data", *(f"videos/{key}" for key in keys), "meta/episodes"]
    columns = [f"{name}/{part}_index" for name in names for part in ("chunk", "file")]
    attempts: dict[int, int] = {}
    slots: dict[str, dict[Slot, None]] = {name: {} for name in names}
    extra = None
    slot, files = None, []
    while len(attempts) < info["total_episodes"]:
        slot = layout.after(slot, info["chunks_size"])
        path = root / layout.episodes_file(slot)
        if not path.is_file():
            raise UsageError(f"The dataset in {root} has lost {path}; restore it from a copy or choose another folder.")
        schema = pq.read_schema(path)
        if "attempt" not in schema.names:
            raise UsageError(f"The dataset in {root} was not written by Touchstone; choose another folder.")
        extra = extra_types(schema)
        rows = pq.read_table(path, columns=["episode_index", "attempt", *columns]).to_pydict()
        attempts.update(zip(rows["attempt"], rows["episode_index"], strict=True))
        files.append(layout.episodes_file(slot))
        for name in names:
            slots[name].update(dict.fromkeys(zip(rows[f"{name}/chunk_index"], rows[f"{name}/file_index"], strict=True)))
    return Books(
        info=info,
        tasks=read_tasks(root, info["total_tasks"]),
        attempts=attempts,
        slots={name: next(reversed(used), None) for name, used in slots.items()},
        episodes=files,
        data=[layout.data_file(slot) for slot in slots["data"]],
        videos=[layout.video_file(key, slot) for key in keys for slot in slots[f"videos/{key}"]],
        extra=extra,
    )


def extra_types(schema: pa.Schema) -> dict[str, pa.DataType]:
    """The extra columns of a meta/episodes file: those after `attempt`."""
    return {field.name: field.type for field in list(schema)[schema.get_field_index("attempt") + 1 :]}


def drop_unaccounted(root: Path, books: Books) -> None:
    """Removes the files, whole or torn, that a crash left and that do not count."""
    counted = {root / path for path in (*books.episodes, *books.data, *books.videos)}
    for pattern in ("data/chunk-*/file-*", "meta/episodes/chunk-*/file-*", "videos/*/chunk-*/file-*", "meta/*.part"):
        for path in root.glob(pattern):
            if path not in counted:
                path.unlink()


def settle_summaries(root: Path, books: Books, features: Features) -> None:
    """Takes `tasks.parquet` and `stats.json` back to what counts, if a crash left them ahead of it."""
    tasks, stats = root / layout.TASKS, root / layout.STATS
    if not books.attempts:
        tasks.unlink(missing_ok=True)
        stats.unlink(missing_ok=True)
        return
    if pq.read_metadata(tasks).num_rows != len(books.tasks):
        write_tasks(layout.part(tasks), books.tasks)
        disk.sync(layout.part(tasks))
        layout.part(tasks).replace(tasks)
    if json.loads(stats.read_bytes())["index"]["count"] != [books.info["total_frames"]]:
        disk.replace_whole(stats, encode_stats(whole_stats(root, books.data, books.episodes, features)))


def whole_stats(root: Path, data: list[Path], episodes: list[Path], features: Features) -> dict[str, Stats]:
    """Statistics over all rows of the data files and all picture histograms in the meta/episodes files."""
    out: dict[str, Stats] = {}
    schemas = [pq.read_schema(root / path) for path in episodes]
    for key in pictures(features):
        histograms = [_histograms(schema)[key] for schema in schemas]
        out[key] = sum(histograms, Histogram()).stats()
    for name in pq.read_schema(root / data[0]).names:
        rows = [column_rows(pq.read_table(root / path, columns=[name])[name]) for path in data]
        out[name] = statistics.of_rows(np.concatenate(rows))
    return {key: out[key] for key in (*features, *(name for name in out if name not in features))}


def with_histograms(schema: pa.Schema, histograms: dict[str, Histogram]) -> pa.Schema:
    """The schema of a meta/episodes file, carrying the picture histograms of its episodes.

    They cannot be columns: LeRobot reads every column, and takes each one under `stats/` for a statistic.
    """
    text = json.dumps({"histograms": {key: each.to_json() for key, each in histograms.items()}})
    return schema.with_metadata({_METADATA: text})


def column_rows(column: pa.ChunkedArray) -> np.ndarray:
    """[N] of a plain column, [N,D] of one of lists of equal length."""
    flat = column.combine_chunks()
    if pa.types.is_fixed_size_list(flat.type) or pa.types.is_list(flat.type):
        return flat.flatten().to_numpy(zero_copy_only=False).reshape(len(flat), -1)
    return flat.to_numpy(zero_copy_only=False)


def encode_stats(stats: dict[str, Stats]) -> bytes:
    return json.dumps(statistics.to_json(stats), indent=4).encode()


def encode_info(info: dict[str, Any]) -> bytes:
    return json.dumps(info, indent=4, ensure_ascii=False).encode()


def _histograms(schema: pa.Schema) -> dict[str, Histogram]:
    data = json.loads(schema.metadata[_METADATA])["histograms"]
    return {key: Histogram.from_json(each) for key, each in data.items()}
