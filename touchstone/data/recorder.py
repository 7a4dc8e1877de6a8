"""Writes one episode's files, and its line when they are whole."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from touchstone.data import disk
from touchstone.data.mcap_log import EpisodeWriter
from touchstone.data.reading import EPISODES
from touchstone.data.records import EpisodeLine, FileEntry, now, stage_stats
from touchstone.data.video import VideoWriter
from touchstone.facts import Event, Facts
from touchstone.policy import Chunk
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict
from touchstone.world import Observation


class EpisodeRecorder:
    """Writes one episode: `tick` for every tick, then `finish` or `abandon`. Full disk: TouchstoneError."""

    #: whether pictures also go into an MP4
    film = True

    def __init__(self, session: Path, world: str, spec: Spec, append: Callable[[EpisodeLine], None]) -> None:
        self._session, self._world, self._spec, self._append = session, world, spec, append
        self._folder = session / EPISODES
        self._started, self._clock = now(), time.monotonic()
        self._steps = 0
        self._events: Counter[str] = Counter()
        self._stages: dict[str, list[float]] = {}
        with disk.told_in_one_sentence(session):
            self._mcap = EpisodeWriter(self._part("mcap"), spec)
        self._video: VideoWriter | None = None

    def tick(
        self,
        observation: Observation,
        facts: Facts,
        events: list[Event],
        chunk: Chunk | None,
        stages_ms: dict[str, float],
    ) -> None:
        """One tick, after inference. events: those since the last tick. chunk: None when none was asked for.

        stages_ms: stage name -> milliseconds.
        """
        with disk.told_in_one_sentence(self._session):
            self._mcap.tick(observation, facts, events, chunk, stages_ms)
            if observation.cameras and self.film:
                if self._video is None:
                    self._video = VideoWriter(self._part("mp4"), self._spec)
                self._video.add(next(iter(observation.cameras.values())).image, facts)
        self._steps += 1
        self._events.update(event.kind for event in events)
        for stage, milliseconds in stages_ms.items():
            self._stages.setdefault(stage, []).append(milliseconds)

    def finish(self, verdict: Verdict) -> EpisodeLine:
        """Closes the episode's files, then appends its line; after that it is never run again."""
        with disk.told_in_one_sentence(self._session):
            self._mcap.verdict(verdict)
            self._mcap.close()
            kinds = ["mcap"]
            if self._video is not None:
                self._video.finish(verdict, self._part("jpg"))
                kinds += ["mp4", "jpg"]
            files = {kind: self._settle(kind) for kind in kinds}
            disk.sync(self._folder)
            line = EpisodeLine(
                episode=self._spec.episode,
                index=self._spec.index,
                world=self._world,
                spec=self._spec,
                verdict=verdict,
                steps=self._steps,
                events=dict(sorted(self._events.items())),
                latency_ms={stage: stage_stats(values) for stage, values in sorted(self._stages.items())},
                files=files,
                started_at=self._started,
                duration_s=round(time.monotonic() - self._clock, 3),
            )
            self._append(line)
        return line

    def abandon(self) -> None:
        """Drops the episode and removes what was written of it."""
        self._mcap.abandon()
        if self._video is not None:
            self._video.abandon()
        for kind in ("mcap", "mp4", "jpg"):
            self._part(kind).unlink(missing_ok=True)

    def _part(self, kind: str) -> Path:
        return self._folder / f"{self._spec.episode}.{kind}.part"

    def _settle(self, kind: str) -> FileEntry:
        part, path = self._part(kind), self._folder / f"{self._spec.episode}.{kind}"
        disk.sync(part)
        entry = FileEntry(path=f"{EPISODES}/{path.name}", sha256=disk.sha256(part), bytes=part.stat().st_size)
        part.replace(path)
        return entry
