"""Pictures and rows stay together, to the frame, through encoding, joining and decoding by time."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from tests.data.lerobot.made import FEATURES, SCENE, WRIST, begin, number_in, number_of, stage
from touchstone.data.lerobot import Picture, Vector, absorbing, read_dataset
from touchstone.data.lerobot.film import MAX_SECONDS

FIRST, SECOND = {3: 11, 0: 1, 7: 23}, {1: 6, 12: 2}


def at_times(path, times):
    """The frame nearest to each time [s] as a reader with random access finds it, and how far off it is [s]."""
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for time in times:
            container.seek(round(time / stream.time_base) - 1, stream=stream, backward=True)
            nearest = None
            for frame in container.decode(stream):
                distance = abs(float(frame.pts * stream.time_base) - time)
                if nearest is None or distance < nearest[0]:
                    nearest = (distance, frame.to_ndarray(format="rgb24"))
                if float(frame.pts * stream.time_base) >= time:
                    break
            found.append(nearest)
    return found


@pytest.mark.parametrize("fps", [5, 7, 30])
def test_the_number_in_every_picture_is_that_of_its_row(tmp_path, fps):
    dataset = begin(tmp_path / "d", fps=fps)
    for batch in (FIRST, SECOND):
        for attempt, length in sorted(batch.items()):
            stage(dataset, attempt, length)
        dataset.absorb(list(batch))
    reader = read_dataset(tmp_path / "d")
    order = {**FIRST, **SECOND}
    assert [row["attempt"] for row in reader.episodes] == list(order)
    for index, (attempt, length) in enumerate(order.items()):
        rows = reader.frames(index)
        numbers = rows["observation.state"][:, 0].astype(int).tolist()
        assert numbers == [number_of(attempt, frame) for frame in range(length)]
        assert rows["action"].shape == (length, 1) and rows["action"][:, 0].astype(int).tolist() == numbers
        for key in (SCENE, WRIST):
            assert [number_in(image) for image in reader.pictures(index, key)] == numbers
            row = reader.episodes[index]
            path = tmp_path / "d" / f"videos/{key}/chunk-000/file-{row[f'videos/{key}/file_index']:03d}.mp4"
            # backwards, so that no frame is found by chance because it comes next
            times = [row[f"videos/{key}/from_timestamp"] + float(t) for t in rows["timestamp"]][::-1]
            found = at_times(path, times)
            assert [number_in(image) for _, image in found] == numbers[::-1]
            assert max(distance for distance, _ in found) < 1e-4  # LeRobot's tolerance


def test_a_joined_film_has_a_constant_rate_from_zero(tmp_path):
    dataset = begin(tmp_path / "d", fps=30)
    for attempt, length in FIRST.items():
        stage(dataset, attempt, length)
    dataset.absorb(list(FIRST))
    with av.open(str(tmp_path / f"d/videos/{SCENE}/chunk-000/file-000.mp4")) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert [packet.pts * stream.time_base for packet in packets] == [Fraction(k, 30) for k in range(35)]
        assert all(packet.pts == packet.dts for packet in packets)
        assert stream.average_rate == stream.base_rate == 30 and stream.frames == 35
        assert stream.duration * stream.time_base == Fraction(35, 30)
        assert packets[0].is_keyframe and packets[11].is_keyframe and packets[12].is_keyframe


def test_films_are_joined_and_not_encoded_again(tmp_path):
    dataset = begin(tmp_path / "d")
    for attempt, length in FIRST.items():
        stage(dataset, attempt, length)
    decoded = []
    for attempt in FIRST:
        with av.open(str(tmp_path / f"d/.staging/attempt-{attempt:06d}.{SCENE}.mp4")) as container:
            decoded += [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    dataset.absorb(list(FIRST))
    reader = read_dataset(tmp_path / "d")
    joined = [image for index in range(3) for image in reader.pictures(index, SCENE)]
    assert np.array_equal(decoded, joined)


def test_a_second_absorption_writes_new_files(tmp_path):
    dataset = begin(tmp_path / "d")
    for attempt, length in {**FIRST, **SECOND}.items():
        stage(dataset, attempt, length)
    dataset.absorb(list(FIRST))
    kept = [path for path in (tmp_path / "d").rglob("file-000.*")]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in kept}
    assert len(before) == 4
    dataset.absorb(list(SECOND))
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in kept} == before
    assert len(list((tmp_path / "d").rglob("file-001.*"))) == 4


def test_films_and_rows_go_to_the_next_file_when_one_is_full(tmp_path, monkeypatch):
    from touchstone.data.lerobot import layout

    # 1 "MB" of 2000 bytes, two files a chunk
    monkeypatch.setattr(layout, "MB", 2000)
    monkeypatch.setattr(layout, "DATA_MB", 1)
    monkeypatch.setattr(layout, "VIDEO_MB", 2)
    monkeypatch.setattr(layout, "CHUNKS_SIZE", 2)
    dataset = begin(tmp_path / "d")
    lengths = {0: 20, 1: 5, 2: 30, 3: 30, 4: 30, 5: 3}
    for attempt, length in lengths.items():
        stage(dataset, attempt, length)
    dataset.absorb([0, 1, 2, 3])
    dataset.absorb([4, 5])
    reader = read_dataset(tmp_path / "d")
    slots = {
        name: [(row[f"{name}/chunk_index"], row[f"{name}/file_index"]) for row in reader.episodes]
        for name in ("data", f"videos/{SCENE}", "meta/episodes")
    }
    for used in slots.values():
        assert used == sorted(used) and len(set(used)) > 3 and {slot[1] for slot in used} == {0, 1}
    assert slots["data"][0] == slots["data"][1]  # two small ones share a file
    for index, (attempt, length) in enumerate(lengths.items()):
        numbers = [number_of(attempt, frame) for frame in range(length)]
        assert reader.frames(index)["observation.state"][:, 0].tolist() == numbers
        assert [number_in(image) for image in reader.pictures(index, SCENE)] == numbers
    assert dataset.absorbed() == {attempt: attempt for attempt in lengths}


def test_a_film_ends_before_float32_times_grow_too_coarse(tmp_path, monkeypatch):
    monkeypatch.setattr(absorbing, "MAX_SECONDS", 2.0)
    dataset = begin(tmp_path / "d")
    for attempt in range(3):
        stage(dataset, attempt, 5)
    dataset.absorb([0, 1, 2])
    rows = read_dataset(tmp_path / "d").episodes
    assert [row[f"videos/{SCENE}/file_index"] for row in rows] == [0, 0, 1]
    assert [row[f"videos/{SCENE}/to_timestamp"] for row in rows] == [1.0, 2.0, 1.0]
    assert [row["data/file_index"] for row in rows] == [0, 0, 0]


def float32_error(fps: int, length: int, seconds: float) -> float:
    """LeRobot adds from_timestamp (float64) and timestamp (float32), then compares with the film's as float32 [s]."""
    frames = np.arange(int(seconds * fps))
    starts = frames // length * length
    asked = starts / fps + ((frames - starts) / fps).astype(np.float32).astype(np.float64)
    return float(np.abs(asked.astype(np.float32) - (frames / fps).astype(np.float32)).max())


@pytest.mark.parametrize("fps", [3, 5, 7, 15, 25, 30, 60])
def test_lerobot_finds_every_frame_of_a_full_film(fps):
    assert max(float32_error(fps, length, MAX_SECONDS) for length in (7, 60, 173, 599, 1799)) < 1e-4


def test_why_a_film_has_an_end():
    assert float32_error(25, 1799, 16 * MAX_SECONDS) > 1e-4


def test_a_film_with_other_parameters_goes_to_a_file_of_its_own(tmp_path, monkeypatch):
    from touchstone.data.lerobot import film

    dataset = begin(tmp_path / "d", {"action": Vector(("a",)), SCENE: Picture(48, 96)})
    stage(dataset, 0, 4)
    monkeypatch.setitem(film._OPTIONS, "preset", "slow")  # more reference frames: another parameter set
    stage(dataset, 1, 4)
    dataset.absorb([0, 1])
    reader = read_dataset(tmp_path / "d")
    assert [row[f"videos/{SCENE}/file_index"] for row in reader.episodes] == [0, 1]
    for index in (0, 1):
        assert [number_in(image) for image in reader.pictures(index, SCENE)] == [number_of(index, k) for k in range(4)]


def test_pictures_survive_the_film(tmp_path):
    dataset = begin(tmp_path / "d")
    stage(dataset, 0, 9)
    dataset.absorb([0])
    from tests.data.lerobot.made import picture

    kind = FEATURES[SCENE]
    for frame, image in enumerate(read_dataset(tmp_path / "d").pictures(0, SCENE)):
        written = picture(number_of(0, frame), kind.height, kind.width)
        assert np.abs(image.astype(int) - written).mean() < 6
