"""Small datasets whose every frame says which one it is: its number as bars in the picture and in the rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from touchstone.data.lerobot import Dataset, Features, Picture, StagedEpisode, Vector

SCENE, WRIST = "observation.images.scene", "observation.images.wrist"
FEATURES: Features = {
    "observation.state": Vector(("number", "wave", "attempt")),
    "action": Vector(("dx",)),
    SCENE: Picture(48, 96),
    WRIST: Picture(32, 64),
}
FPS, ROBOT = 5, "wx250s"
BITS = 16


def begin(root: Path, features: Features = FEATURES, fps: int = FPS) -> Dataset:
    return Dataset.open(root, ROBOT, fps, features)


def number_of(attempt: int, frame: int) -> int:
    """Different for every frame of every attempt below 64, and never 0."""
    return attempt * 1000 + frame + 1


def picture(number: int, height: int, width: int) -> np.ndarray:
    """uint8[H,W,3]: a bar for each bit, the highest on the left, bright for 1; blue grows downwards."""
    bits = np.array([number >> (BITS - 1 - k) & 1 for k in range(BITS)])
    out = np.empty((height, width, 3), dtype=np.uint8)
    out[..., :2] = np.where(bits[np.arange(width) * BITS // width], 215, 40)[None, :, None]
    out[..., 2] = np.linspace(60, 180, height)[:, None]
    return out


def number_in(image: np.ndarray) -> int:
    """What `picture` drew, from a decoded film."""
    width = image.shape[1]
    middles = [(2 * k + 1) * width // (2 * BITS) for k in range(BITS)]
    bits = image[..., :2].mean(axis=(0, 2))[middles] > 127
    return int("".join("1" if bit else "0" for bit in bits), 2)


def values(attempt: int, frame: int, features: Features = FEATURES) -> dict[str, np.ndarray]:
    number = number_of(attempt, frame)
    out: dict[str, np.ndarray] = {}
    for key, kind in features.items():
        if isinstance(kind, Picture):
            out[key] = picture(number, kind.height, kind.width)
        else:
            out[key] = np.array([number, np.sin(number), attempt][: len(kind.names)], dtype=np.float64)
    return out


def extra(attempt: int) -> dict:
    return {"success": attempt % 2 == 0, "seed": attempt + 100, "score": attempt / 4, "spec": f'{{"n": {attempt}}}'}


def task(attempt: int) -> str:
    return f"Touch the “{['😀', 'smile', 'crab'][attempt % 3]}”."


def stage(dataset: Dataset, attempt: int, length: int) -> StagedEpisode:
    episode = dataset.begin(attempt)
    for frame in range(length):
        episode.add(values(attempt, frame, dataset.features))
    return episode.finish(task(attempt), extra(attempt))


def stage_several(root: Path, lengths: dict[int, int]) -> None:
    """For another process."""
    dataset = begin(root)
    for attempt, length in lengths.items():
        stage(dataset, attempt, length)


def tree(root: Path) -> dict[str, bytes]:
    """Every file of the dataset that counts, by its path."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(root)): path.read_bytes() for path in files}
