"""Episodes on their way into a dataset: each a few files of its own, whole once its json is there."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from touchstone.data import disk
from touchstone.data.lerobot.features import INDEX_COLUMNS, Features, pictures, vectors
from touchstone.data.lerobot.film import FilmWriter
from touchstone.data.lerobot.statistics import Histogram

Extra = dict[str, str | int | float | bool]

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILE = re.compile(r"attempt-(\d{6,})\..+")
#: columns of meta/episodes that LeRobot and this writer fill
_TAKEN = {"tasks", "length", "dataset_from_index", "dataset_to_index", "task", *INDEX_COLUMNS}


@dataclass(frozen=True)
class StagedEpisode:
    """A whole episode that waits to be absorbed. length: frames. histograms: of its pictures, by feature."""

    attempt: int
    length: int
    task: str
    extra: Extra
    histograms: dict[str, Histogram]


class EpisodeStage:
    """Writes one episode: `add` for every frame, then `finish` or `abandon`. Full disk: TouchstoneError."""

    def __init__(self, folder: Path, attempt: int, fps: int, features: Features) -> None:
        self._folder, self._attempt, self._features = folder, attempt, features
        self._rows: dict[str, list[np.ndarray]] = {key: [] for key in vectors(features)}
        self._histograms = {key: Histogram() for key in pictures(features)}
        self._length = 0
        with disk.told_in_one_sentence(folder.parent):
            self._films = {
                key: FilmWriter(film_path(folder, attempt, key), fps, picture.height, picture.width)
                for key, picture in pictures(features).items()
            }

    def add(self, values: dict[str, np.ndarray]) -> None:
        """One frame: every feature, a Vector as float[D], a Picture as uint8[H,W,3] RGB.

        Raises ValueError for other keys, shapes or types and for numbers that are not finite as float32.
        """
        if values.keys() != self._features.keys():
            raise ValueError(f"a frame holds {sorted(values)}, the dataset {sorted(self._features)}")
        row = {key: _vector(key, values[key], len(vector.names)) for key, vector in vectors(self._features).items()}
        images = {
            key: _image(key, values[key], (picture.height, picture.width, 3))
            for key, picture in pictures(self._features).items()
        }
        with disk.told_in_one_sentence(self._folder.parent):
            for key, image in images.items():
                self._films[key].add(image)
                self._histograms[key].add(image)
        for key, vector in row.items():
            self._rows[key].append(vector)
        self._length += 1

    def finish(self, task: str, extra: Extra) -> StagedEpisode:
        """Makes the episode whole. task: the instruction. extra: more columns of meta/episodes, by name.

        Raises ValueError without frames, without a task, or for an extra that cannot be such a column.
        """
        if not self._length or not task:
            raise ValueError("an episode needs at least one frame and a task")
        episode = StagedEpisode(
            self._attempt, self._length, task, check_extra(extra, self._attempt), dict(self._histograms)
        )
        with disk.told_in_one_sentence(self._folder.parent):
            for key, film in self._films.items():
                film.finish()
                disk.sync(film_path(self._folder, self._attempt, key))
            rows = rows_path(self._folder, self._attempt)
            pq.write_table(
                pa.table({key: _column(np.stack(values)) for key, values in self._rows.items()}),
                rows,
                compression="snappy",
            )
            disk.sync(rows)
            disk.sync(self._folder)
            disk.replace_whole(mark_path(self._folder, self._attempt), _encode(episode))
        return episode

    def abandon(self) -> None:
        """Drops the episode and removes what was written of it."""
        for film in self._films.values():
            with suppress(OSError):
                film.abandon()
        remove(self._folder, {self._attempt})


def staged_episodes(folder: Path) -> dict[int, StagedEpisode]:
    """The whole episodes in a staging folder, by attempt, ascending."""
    attempts = {_attempt(path) for path in folder.glob("attempt-*.json")} - {None}
    found = ((attempt, staged_episode(folder, attempt)) for attempt in sorted(attempts))
    return {attempt: episode for attempt, episode in found if episode}


def staged_episode(folder: Path, attempt: int) -> StagedEpisode | None:
    """The staged episode; None if it is not whole."""
    try:
        episode = _decode(mark_path(folder, attempt).read_bytes())
    except FileNotFoundError:
        return None
    files = [rows_path(folder, attempt), *(film_path(folder, attempt, key) for key in episode.histograms)]
    return episode if all(path.exists() for path in files) else None


def remove(folder: Path, attempts: Collection[int]) -> None:
    """Removes every file of these attempts; the marks first, so that a crash leaves no mark without files."""
    paths = [path for path in folder.iterdir() if _attempt(path) in attempts]
    for path in sorted(paths, key=lambda path: path.suffix != ".json"):
        path.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Removes what killed processes left of episodes that never became whole."""
    whole = staged_episodes(folder)
    for path in folder.iterdir():
        attempt = _attempt(path)
        if attempt is not None and (attempt not in whole or path.suffix == ".part"):
            path.unlink(missing_ok=True)


def read_rows(folder: Path, episode: StagedEpisode, features: Features) -> dict[str, np.ndarray]:
    """float32[length, D] of every vector feature."""
    table = pq.read_table(rows_path(folder, episode.attempt))
    return {
        key: table[key].combine_chunks().flatten().to_numpy().reshape(episode.length, len(vector.names))
        for key, vector in vectors(features).items()
    }


def rows_path(folder: Path, attempt: int) -> Path:
    return folder / f"{_stem(attempt)}.parquet"


def film_path(folder: Path, attempt: int, key: str) -> Path:
    return folder / f"{_stem(attempt)}.{key}.mp4"


def mark_path(folder: Path, attempt: int) -> Path:
    return folder / f"{_stem(attempt)}.json"


def check_extra(extra: Extra, attempt: int) -> Extra:
    """`extra` in plain Python types. `attempt` is written in any case and may be named if it is the same."""
    out: Extra = {}
    for name, value in extra.items():
        value = value.item() if isinstance(value, np.generic) else value
        if not _WORD.fullmatch(name) or name in _TAKEN:
            raise ValueError(f"{name!r} cannot be the name of an extra column")
        if type(value) not in (str, int, float, bool):
            raise ValueError(f"the extra {name} is a {type(value).__name__}; only str, int, float and bool are columns")
        if name != "attempt":
            out[name] = value
        elif value != attempt:
            raise ValueError(f"the extra attempt is {value}, the attempt is {attempt}")
    return out


def _stem(attempt: int) -> str:
    return f"attempt-{attempt:06d}"


def _attempt(path: Path) -> int | None:
    match = _FILE.fullmatch(path.name)
    return int(match[1]) if match else None


def _vector(key: str, value: np.ndarray, size: int) -> np.ndarray:
    value = np.asarray(value)
    if value.shape != (size,) or value.dtype.kind not in "fiu":
        raise ValueError(f"{key} is {value.dtype}{list(value.shape)}, expected float[{size}]")
    with np.errstate(over="ignore"):
        value = value.astype(np.float32)
    if not np.isfinite(value).all():
        raise ValueError(f"{key} is not finite: {value}")
    return value


def _image(key: str, value: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    value = np.asarray(value)
    if value.shape != shape or value.dtype != np.uint8:
        raise ValueError(f"{key} is {value.dtype}{list(value.shape)}, expected uint8{list(shape)}")
    return np.ascontiguousarray(value)


def _column(rows: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])


def _encode(episode: StagedEpisode) -> bytes:
    histograms = {key: histogram.to_json() for key, histogram in episode.histograms.items()}
    return json.dumps({**episode.__dict__, "histograms": histograms}, ensure_ascii=False).encode()


def _decode(mark: bytes) -> StagedEpisode:
    data = json.loads(mark)
    data["histograms"] = {key: Histogram.from_json(each) for key, each in data["histograms"].items()}
    return StagedEpisode(**data)
