"""Where the files of a v3 dataset lie, and how large they grow."""

from __future__ import annotations

from pathlib import Path

VERSION = "v3.0"
INFO, STATS, TASKS = "meta/info.json", "meta/stats.json", "meta/tasks.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
STAGING, LOCK = ".staging", ".lock"

#: LeRobot's defaults: files a chunk, and MB (of 1024**2 bytes) a file
CHUNKS_SIZE, DATA_MB, VIDEO_MB = 1000, 100, 200
MB = 1024**2

Slot = tuple[int, int]  # chunk_index, file_index


def after(slot: Slot | None, chunks_size: int) -> Slot:
    """The slot that follows; the first one after None."""
    if slot is None:
        return 0, 0
    chunk, file = slot
    return (chunk + 1, 0) if file + 1 >= chunks_size else (chunk, file + 1)


def data_file(slot: Slot) -> Path:
    return Path(DATA.format(chunk_index=slot[0], file_index=slot[1]))


def episodes_file(slot: Slot) -> Path:
    return Path(EPISODES.format(chunk_index=slot[0], file_index=slot[1]))


def video_file(key: str, slot: Slot) -> Path:
    return Path(VIDEO.format(video_key=key, chunk_index=slot[0], file_index=slot[1]))


def part(path: Path) -> Path:
    """The name under which a file is written before it is renamed; readers of the dataset never look at it."""
    return path.with_name(path.name + ".part")
