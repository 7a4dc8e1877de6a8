"""Moves staged episodes into the files of the dataset, so that a crash at any moment loses nothing.

Every absorption writes new files, first under the names `*.part`; they are renamed when all are on the disk, and count
once `info.json`, renamed last, says so. Staged files go after that.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from touchstone.data import disk
from touchstone.data.lerobot import books, layout, staging, statistics
from touchstone.data.lerobot.books import Books
from touchstone.data.lerobot.features import Features, data_schema, pictures
from touchstone.data.lerobot.film import MAX_SECONDS, FilmJoin, parameters
from touchstone.data.lerobot.layout import Slot
from touchstone.data.lerobot.staging import StagedEpisode
from touchstone.data.lerobot.statistics import Histogram
from touchstone.errors import UsageError

Progress = Callable[[int, int], None]

_TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


def absorb(root: Path, old: Books, features: Features, episodes: list[StagedEpisode], progress: Progress) -> None:
    """Appends whole staged episodes (at least one) in this order. progress(done, total) is called after each.

    Raises UsageError if their extra columns differ, from each other or from those of the dataset.
    """
    extra = _common_extra(root, old, episodes)
    fps, staged = old.info["fps"], root / layout.STAGING
    tasks = list(dict.fromkeys([*old.tasks, *(episode.task for episode in episodes)]))
    data = _DataFiles(root, old, data_schema(features))
    films = {key: _Films(root, old, key) for key in pictures(features)}
    ledger = _Ledger(root, old, extra)
    frame = old.info["total_frames"]
    for number, episode in enumerate(episodes):
        index = len(old.attempts) + number
        columns = staging.read_rows(staged, episode, features)
        columns |= _index_columns(episode.length, fps, index, frame, tasks.index(episode.task))
        row: dict[str, Any] = {"episode_index": index, "tasks": [episode.task], "length": episode.length}
        row |= data.add(columns)
        row |= {"dataset_from_index": frame, "dataset_to_index": frame + episode.length}
        for key, film in films.items():
            row |= film.add(staging.film_path(staged, episode.attempt, key), episode.length)
        stats = {key: histogram.stats() for key, histogram in episode.histograms.items()}
        stats |= {key: statistics.of_rows(rows) for key, rows in columns.items()}
        for key in (*features, *(key for key in columns if key not in features)):
            row |= {f"stats/{key}/{name}": value.tolist() for name, value in stats[key].items()}
        ledger.add(row, episode)
        frame += episode.length
        progress(number + 1, len(episodes))
    for writer in (data, *films.values(), ledger):
        writer.close()
    videos = [path for film in films.values() for path in film.files]
    _settle(root, [*videos, *data.files, *ledger.files])

    books.write_tasks(layout.part(root / layout.TASKS), tasks)
    _settle(root, [Path(layout.TASKS)])
    whole = books.whole_stats(root, [*old.data, *data.files], [*old.episodes, *ledger.files], features)
    disk.replace_whole(root / layout.STATS, books.encode_stats(whole))
    total = len(old.attempts) + len(episodes)
    totals = {"total_episodes": total, "total_frames": frame, "total_tasks": len(tasks)}
    info = {**old.info, **totals, "splits": {"train": f"0:{total}"}}
    disk.replace_whole(root / layout.INFO, books.encode_info(info))


class _DataFiles:
    """The files of data/: one row group an episode, so that each can be read alone."""

    def __init__(self, root: Path, old: Books, schema: pa.Schema) -> None:
        self._root, self._schema = root, schema
        self._chunks_size = old.info["chunks_size"]
        self._limit = old.info["data_files_size_in_mb"] * layout.MB
        self._slot, self._writer, self._size = old.slots["data"], None, 0
        self.files: list[Path] = []

    def add(self, columns: dict[str, np.ndarray]) -> dict[str, int]:
        """Rows of one episode, and where they are: columns of meta/episodes."""
        table = pa.table([_array(columns[field.name], field.type) for field in self._schema], schema=self._schema)
        if self._writer is None or self._size + table.nbytes > self._limit:
            self.close()
            self._slot, self._size = layout.after(self._slot, self._chunks_size), 0
            self.files.append(layout.data_file(self._slot))
            self._writer = pq.ParquetWriter(_fresh(self._root / self.files[-1]), self._schema, compression="snappy")
        self._writer.write_table(table)
        self._size += table.nbytes
        return _place("data", self._slot)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class _Films:
    """The files of videos/KEY/."""

    def __init__(self, root: Path, old: Books, key: str) -> None:
        self._root, self._key, self._name = root, key, f"videos/{key}"
        self._fps, self._chunks_size = old.info["fps"], old.info["chunks_size"]
        self._limit = old.info["video_files_size_in_mb"] * layout.MB
        self._slot, self._join, self._size, self._parameters = old.slots[self._name], None, 0, b""
        self.files: list[Path] = []

    def add(self, film: Path, length: int) -> dict[str, int | float]:
        """Appends the film of one episode, and says where it is: columns of meta/episodes."""
        size, coded = film.stat().st_size, parameters(film)
        if self._join is None or not self._fits(size, coded, length):
            self.close()
            self._slot, self._size = layout.after(self._slot, self._chunks_size), 0
            self._parameters = coded
            self.files.append(layout.video_file(self._key, self._slot))
            self._join = FilmJoin(_fresh(self._root / self.files[-1]), self._fps)
        start = self._join.length
        self._join.add(film, length)
        self._size += size
        return {
            **_place(self._name, self._slot),
            f"{self._name}/from_timestamp": start / self._fps,
            f"{self._name}/to_timestamp": (start + length) / self._fps,
        }

    def _fits(self, size: int, coded: bytes, length: int) -> bool:
        seconds = (self._join.length + length) / self._fps
        return self._size + size <= self._limit and seconds <= MAX_SECONDS and coded == self._parameters

    def close(self) -> None:
        if self._join is not None:
            self._join.close()
            self._join = None


class _Ledger:
    """The files of meta/episodes: one row an episode."""

    def __init__(self, root: Path, old: Books, extra: dict[str, pa.DataType]) -> None:
        self._root, self._extra = root, extra
        self._chunks_size = old.info["chunks_size"]
        self._limit = old.info["data_files_size_in_mb"] * layout.MB
        self._slot = layout.after(old.slots["meta/episodes"], self._chunks_size)
        self._rows: list[dict[str, Any]] = []
        self._histograms: dict[str, Histogram] = {}
        self._size = 0
        self.files: list[Path] = []

    def add(self, row: dict[str, Any], episode: StagedEpisode) -> None:
        size = _numbers(row) * 8
        if self._rows and self._size + size > self._limit:
            self.close()
            self._slot = layout.after(self._slot, self._chunks_size)
        self._rows.append({**row, **_place("meta/episodes", self._slot), "attempt": episode.attempt, **episode.extra})
        for key, histogram in episode.histograms.items():
            self._histograms[key] = self._histograms.get(key, Histogram()) + histogram
        self._size += size

    def close(self) -> None:
        if not self._rows:
            return
        fields = [pa.field(name, self._extra.get(name) or _type(value)) for name, value in self._rows[0].items()]
        schema = books.with_histograms(pa.schema(fields), self._histograms)
        self.files.append(layout.episodes_file(self._slot))
        path = _fresh(self._root / self.files[-1])
        pq.write_table(pa.Table.from_pylist(self._rows, schema=schema), path, compression="snappy")
        self._rows, self._histograms, self._size = [], {}, 0


def _index_columns(length: int, fps: int, episode: int, first: int, task: int) -> dict[str, np.ndarray]:
    frames = np.arange(length, dtype=np.int64)
    return {
        "timestamp": (frames / fps).astype(np.float32),
        "frame_index": frames,
        "episode_index": np.full(length, episode, dtype=np.int64),
        "index": frames + first,
        "task_index": np.full(length, task, dtype=np.int64),
    }


def _common_extra(root: Path, old: Books, episodes: list[StagedEpisode]) -> dict[str, pa.DataType]:
    """Types of the extra columns: one set for the dataset, since its readers take the files as one table."""
    expected = old.extra
    for episode in episodes:
        found = {name: _TYPES[type(value)] for name, value in episode.extra.items()}
        expected = found if expected is None else expected
        if found != expected:
            raise UsageError(
                f"Attempt {episode.attempt} has the extra columns {_told(found)}, the dataset in {root} has "
                f"{_told(expected)}; collect it into another folder."
            )
    return expected


def _told(extra: dict[str, pa.DataType]) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in extra.items()) or "none"


def _place(name: str, slot: Slot) -> dict[str, int]:
    return {f"{name}/chunk_index": slot[0], f"{name}/file_index": slot[1]}


def _fresh(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return layout.part(path)


def _settle(root: Path, files: list[Path]) -> None:
    """Gives finished files their names, once all of them are on the disk."""
    for path in files:
        disk.sync(layout.part(root / path))
    for path in files:
        layout.part(root / path).replace(root / path)
    for folder in sorted({root / parent for path in files for parent in path.parents}):
        disk.sync(folder)


def _array(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), kind.value_type), kind.list_size)
    return pa.array(values.ravel(), kind)


def _type(value: Any) -> pa.DataType:
    return pa.list_(_type(value[0])) if isinstance(value, list) else _TYPES[type(value)]


def _numbers(row: Any) -> int:
    if isinstance(row, dict):
        return sum(map(_numbers, row.values()))
    return sum(map(_numbers, row)) if isinstance(row, list) else 1
