"""Reads a v3 dataset back, whoever wrote it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from touchstone.data.lerobot import books, film, layout
from touchstone.data.lerobot.features import INDEX_COLUMNS
from touchstone.data.lerobot.statistics import Stats
from touchstone.errors import UsageError


class DatasetReader:
    """A dataset as it was when it was opened.

    info: `info.json`. stats: feature -> name -> array, empty if there are none. tasks: by task_index.
    episodes: one dict an episode, by episode_index, with every column of meta/episodes but the statistics.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.info: dict[str, Any] = books.read_info(self.root)
        try:
            self.stats: dict[str, Stats] = _read_stats(self.root / layout.STATS)
            self.tasks: list[str] = books.read_tasks(self.root, self.info.get("total_tasks", 0))
            self.episodes: list[dict[str, Any]] = _read_episodes(self.root, self.info["total_episodes"])
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            raise UsageError(
                f"The dataset in {self.root} is damaged ({_first_line(error)}); restore it from a copy."
            ) from None

    def frames(self, episode: int) -> dict[str, np.ndarray]:
        """Every column of one episode by name: [N] for the index columns, [N,D] for vectors. IndexError if none."""
        row = self._row(episode)
        path = self.root / self.info["data_path"].format(
            chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
        )
        table = pq.read_table(path, filters=[("episode_index", "==", episode)])
        out = {name: books.column_rows(table[name]) for name in table.column_names}
        return {
            name: rows[:, None] if rows.ndim == 1 and name not in INDEX_COLUMNS else rows for name, rows in out.items()
        }

    def pictures(self, episode: int, key: str) -> Iterator[np.ndarray]:
        """The frames of one film of an episode, uint8[H,W,3] RGB, one for each row. KeyError, IndexError if none."""
        if self.info["features"][key]["dtype"] != "video":
            raise KeyError(f"{key} is no film")
        row = self._row(episode)
        path = self.root / self.info["video_path"].format(
            video_key=key, chunk_index=row[f"videos/{key}/chunk_index"], file_index=row[f"videos/{key}/file_index"]
        )
        return film.frames(path, row[f"videos/{key}/from_timestamp"], row["length"], self.info["fps"])

    def _row(self, episode: int) -> dict[str, Any]:
        if not 0 <= episode < len(self.episodes):
            raise IndexError(f"there are episodes 0 to {len(self.episodes) - 1}, not {episode}")
        return self.episodes[episode]


def read_dataset(root: Path) -> DatasetReader:
    """The dataset in a folder. Raises UsageError if there is none of version 3, or if it is damaged."""
    return DatasetReader(root)


def _read_stats(path: Path) -> dict[str, Stats]:
    if not path.exists():
        return {}
    data = json.loads(path.read_bytes())
    return {key: {name: np.array(value) for name, value in each.items()} for key, each in data.items()}


def _read_episodes(root: Path, total: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in sorted(root.glob("meta/episodes/chunk-*/file-*.parquet")):
        names = [name for name in pq.read_schema(path).names if not name.startswith("stats/")]
        rows += pq.read_table(path, columns=names).to_pylist()
    # a crash may have left rows beyond those that count
    rows = sorted((row for row in rows if row["episode_index"] < total), key=lambda row: row["episode_index"])
    if [row["episode_index"] for row in rows] != list(range(total)):
        raise ValueError(f"{total} episodes are announced and {len(rows)} are there")
    return rows


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
