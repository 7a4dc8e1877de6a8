"""A dataset that is being written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from touchstone.data import disk
from touchstone.data.lerobot import absorbing, books, layout, staging
from touchstone.data.lerobot.features import Features, check_names, same, to_info
from touchstone.data.lerobot.staging import EpisodeStage, StagedEpisode
from touchstone.errors import UsageError


class Dataset:
    """A LeRobot v3.0 dataset in `root`. It can be pickled and opened in several processes.

    `begin`, `staged` and `absorbed` may be used by all of them at once; `absorb` and `clean` by one at a time, and
    `clean` only while no episode is on its way.
    """

    def __init__(self, root: Path, fps: int, features: Features) -> None:
        self.root, self.fps, self.features = root, fps, features

    @staticmethod
    def open(root: Path, robot_type: str, fps: int, features: Features) -> Dataset:
        """Creates the dataset, or resumes it. fps: frames a second, a whole number.

        Raises UsageError if `root` holds another dataset or something else, or cannot be written.
        """
        root, features = Path(root), dict(features)
        check_names(features)
        if isinstance(fps, bool) or not isinstance(fps, int) or fps < 1:
            raise UsageError(f"A dataset has a whole number of frames a second, not {fps}; choose another rate.")
        disk.writable_folder(root)
        described = to_info(features, fps)
        if (root / layout.INFO).exists():
            _check_same(root, robot_type, fps, described)
            books.read_books(root, features)
        elif _holds_files(root):
            raise UsageError(f"{root} holds files but no dataset (no {layout.INFO}); choose an empty folder.")
        with disk.told_in_one_sentence(root):
            if not (root / layout.INFO).exists():
                (root / layout.INFO).parent.mkdir(exist_ok=True)
                disk.replace_whole(root / layout.INFO, books.encode_info(_new_info(robot_type, fps, described)))
            (root / layout.STAGING).mkdir(exist_ok=True)
            disk.sync(root)
        return Dataset(root, fps, features)

    def begin(self, attempt: int) -> EpisodeStage:
        """Begins an episode. attempt: a number >= 0 that names it. ValueError if it is whole already."""
        if isinstance(attempt, bool) or not isinstance(attempt, int) or attempt < 0:
            raise ValueError(f"an attempt is numbered 0 or more, not {attempt}")
        if staging.staged_episode(self._staging, attempt) or attempt in self.absorbed():
            raise ValueError(f"attempt {attempt} is in the dataset already")
        return EpisodeStage(self._staging, attempt, self.fps, self.features)

    def staged(self) -> dict[int, StagedEpisode]:
        """The whole episodes that wait to be absorbed, by attempt, ascending."""
        done = self.absorbed()
        whole = staging.staged_episodes(self._staging)
        return {attempt: episode for attempt, episode in whole.items() if attempt not in done}

    def absorbed(self) -> dict[int, int]:
        """attempt -> episode_index of what is in the dataset's own files."""
        return dict(books.read_books(self.root, self.features).attempts)

    def absorb(self, attempts: Sequence[int], progress: Callable[[int, int], None] | None = None) -> None:
        """Appends these staged episodes to the dataset in this order, then removes their staged files.

        What is absorbed already is skipped, so a call that was killed can be repeated as it was.
        progress(done, total) is called after every episode. Raises UsageError if an attempt is not staged, if extra
        columns differ, or if another process is at it; TouchstoneError if the disk is full.
        """
        with disk.told_in_one_sentence(self.root), disk.lock(self.root / layout.LOCK):
            old = books.read_books(self.root, self.features)
            books.drop_unaccounted(self.root, old)
            whole = staging.staged_episodes(self._staging)
            wanted = [attempt for attempt in dict.fromkeys(attempts) if attempt not in old.attempts]
            for attempt in wanted:
                if attempt not in whole:
                    raise UsageError(f"Attempt {attempt} is not staged in {self.root}; record it first.")
            if wanted:
                episodes = [whole[attempt] for attempt in wanted]
                absorbing.absorb(self.root, old, self.features, episodes, progress or (lambda done, total: None))
            staging.remove(self._staging, {*wanted, *old.attempts})

    def clean(self) -> None:
        """Removes what killed processes left. Raises UsageError if another process is absorbing."""
        with disk.told_in_one_sentence(self.root), disk.lock(self.root / layout.LOCK):
            old = books.read_books(self.root, self.features)
            books.drop_unaccounted(self.root, old)
            books.settle_summaries(self.root, old, self.features)
            staging.remove(self._staging, old.attempts)
            staging.remove_unfinished(self._staging)

    def discard(self, attempts: set[int]) -> None:
        """Removes these staged episodes. Raises UsageError if another process is absorbing."""
        with disk.told_in_one_sentence(self.root), disk.lock(self.root / layout.LOCK):
            staging.remove(self._staging, attempts)

    @property
    def _staging(self) -> Path:
        return self.root / layout.STAGING


def _new_info(robot_type: str, fps: int, described: dict) -> dict:
    return {
        "codebase_version": layout.VERSION,
        "fps": fps,
        "features": described,
        "total_episodes": 0,
        "total_frames": 0,
        "total_tasks": 0,
        "chunks_size": layout.CHUNKS_SIZE,
        "data_files_size_in_mb": layout.DATA_MB,
        "video_files_size_in_mb": layout.VIDEO_MB,
        "data_path": layout.DATA,
        "video_path": layout.VIDEO,
        "robot_type": robot_type,
        "splits": {},
    }


def _check_same(root: Path, robot_type: str, fps: int, described: dict) -> None:
    info = books.read_info(root)
    for what, found, wanted in (("robot", info.get("robot_type"), robot_type), ("rate", info["fps"], fps)):
        if found != wanted:
            raise UsageError(f"The dataset in {root} has the {what} {found}, not {wanted}; choose another folder.")
    if not same(info["features"], described):
        raise UsageError(
            f"The dataset in {root} has other features ({', '.join(info['features'])}; or other sizes or names) than "
            f"{', '.join(described)}; choose another folder."
        )


def _holds_files(root: Path) -> bool:
    """Whether there is more than what a creation that was killed leaves."""
    return any(path.is_file() and path.suffix != ".part" and path.name != layout.LOCK for path in root.rglob("*"))
