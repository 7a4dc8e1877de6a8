"""Statistics of features: min, max, mean, std (population), count and quantiles, as LeRobot's stats.json has them.

Rows give them exactly. Pictures are counted in histograms, which add up exactly too: over every frame, thinned out in
space as LeRobot does; values 0..1, shape (3, 1, 1), count in frames.
"""

from __future__ import annotations

import numpy as np

Stats = dict[str, np.ndarray]

#: LeRobot's quantiles
QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
#: pictures with a side of 300 or more are thinned out towards 150, as LeRobot does
_LARGE, _TARGET = 300, 150


def of_rows(rows: np.ndarray) -> Stats:
    """rows: [N] or [N,D], N > 0 -> float64[1] or float64[D] each; count int64[1]."""
    rows = np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)
    levels = np.quantile(rows, list(QUANTILES.values()), axis=0)
    return {
        "min": rows.min(axis=0),
        "max": rows.max(axis=0),
        "mean": rows.mean(axis=0),
        "std": rows.std(axis=0),
        "count": np.array([len(rows)], dtype=np.int64),
        **dict(zip(QUANTILES, levels, strict=True)),
    }


class Histogram:
    """How often each value 0..255 occurs in each channel of some pictures. counts: int64[3,256]."""

    def __init__(self, counts: np.ndarray | None = None, frames: int = 0) -> None:
        self.counts = np.zeros((3, 256), dtype=np.int64) if counts is None else np.asarray(counts, dtype=np.int64)
        self.frames = frames

    def add(self, image: np.ndarray) -> None:
        """image: uint8[H,W,3]."""
        height, width = image.shape[:2]
        step = max(height, width) // _TARGET if max(height, width) >= _LARGE else 1
        thin = image[::step, ::step]
        for channel in range(3):
            self.counts[channel] += np.bincount(thin[..., channel].ravel(), minlength=256)
        self.frames += 1

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram(self.counts + other.counts, self.frames + other.frames)

    def stats(self) -> Stats:
        """float64[3,1,1] each, values 0..1; count int64[1]. Needs at least one picture."""
        values = np.arange(256) / 255.0
        total = self.counts.sum(axis=1)
        mean = self.counts @ values / total
        std = np.sqrt((self.counts * (values - mean[:, None]) ** 2).sum(axis=1) / total)
        present = self.counts > 0
        out = {
            "min": values[present.argmax(axis=1)],
            "max": values[255 - present[:, ::-1].argmax(axis=1)],
            "mean": mean,
            "std": std,
        }
        levels = {name: np.array([_quantile(each, level) for each in self.counts]) for name, level in QUANTILES.items()}
        return {
            **{name: value.reshape(3, 1, 1) for name, value in out.items()},
            "count": np.array([self.frames], dtype=np.int64),
            **{name: value.reshape(3, 1, 1) / 255.0 for name, value in levels.items()},
        }

    def to_json(self) -> dict:
        return {"counts": self.counts.tolist(), "frames": self.frames}

    @staticmethod
    def from_json(data: dict) -> Histogram:
        return Histogram(np.array(data["counts"]), data["frames"])


def to_json(stats: dict[str, Stats]) -> dict:
    return {key: {name: value.tolist() for name, value in each.items()} for key, each in stats.items()}


def _quantile(counts: np.ndarray, level: float) -> float:
    """The quantile of the counted values 0..255, between neighbours by a straight line as np.quantile does."""
    ranks = counts.cumsum()
    place = level * (ranks[-1] - 1)
    below, above = np.searchsorted(ranks, [np.floor(place), np.ceil(place)], side="right")
    return below + (above - below) * (place - np.floor(place))
