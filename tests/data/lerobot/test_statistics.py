from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.data.lerobot.made import FEATURES, SCENE, begin, stage, values
from touchstone.data.lerobot import Dataset, Vector, read_dataset
from touchstone.data.lerobot.statistics import QUANTILES, Histogram, of_rows

numbers = st.floats(-1e6, 1e6, width=32)


def direct(rows: np.ndarray, axis) -> dict[str, np.ndarray]:
    """By NumPy, from everything at once."""
    rows = rows.astype(np.float64)
    out = {name: getattr(np, name)(rows, axis=axis) for name in ("min", "max", "mean", "std")}
    return {**out, **{name: np.quantile(rows, level, axis=axis) for name, level in QUANTILES.items()}}


def assert_same(found, expected, count, tolerance=1e-9):
    assert found["count"].tolist() == [count]
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=tolerance, err_msg=name)


@given(arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 4)), elements=numbers))
def test_rows(rows):
    assert_same(of_rows(rows), direct(rows, 0), len(rows), 1e-6)


@settings(deadline=None)
@given(st.lists(arrays(np.uint8, (4, 6, 3)), min_size=1, max_size=6), st.integers(0, 6))
def test_histograms_of_small_pictures_are_exact_and_add_up(images, cut):
    one, other = Histogram(), Histogram()
    for image in images[:cut]:
        one.add(image)
    for image in images[cut:]:
        other.add(image)
    stacked = np.stack(images) / 255.0
    expected = {name: value.reshape(3, 1, 1) for name, value in direct(stacked, (0, 1, 2)).items()}
    assert_same((one + other).stats(), expected, len(images))
    assert_same(Histogram.from_json((one + other).to_json()).stats(), expected, len(images))


def test_large_pictures_are_thinned_out_as_lerobot_does():
    rng = np.random.default_rng(0)
    for height, width, step in ((224, 224, 1), (299, 200, 1), (240, 320, 2), (480, 640, 4), (640, 480, 4)):
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        histogram = Histogram()
        histogram.add(image)
        expected = image[::step, ::step].mean(axis=(0, 1)) / 255.0
        assert histogram.stats()["mean"].ravel() == pytest.approx(expected, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.lists(
            arrays(np.float32, st.tuples(st.integers(1, 12), st.just(2)), elements=numbers), min_size=1, max_size=3
        ),
        min_size=1,
        max_size=3,
    )
)
def test_stats_of_the_dataset_are_those_of_all_its_rows(batches):
    with tempfile.TemporaryDirectory() as folder:
        dataset = Dataset.open(Path(folder), "robot", 5, {"action": Vector(("a", "b"))})
        attempt = 0
        for batch in batches:
            wanted = []
            for rows in batch:
                episode = dataset.begin(attempt)
                for row in rows:
                    episode.add({"action": row})
                episode.finish("do", {})
                wanted.append(attempt)
                attempt += 1
            dataset.absorb(wanted)
        reader = read_dataset(folder)
    written = [rows for batch in batches for rows in batch]
    everything = np.concatenate(written)
    assert_same(reader.stats["action"], direct(everything, 0), len(everything), 1e-6)
    assert_same(reader.stats["index"], direct(np.arange(len(everything))[:, None], 0), len(everything))
    times = np.concatenate([(np.arange(len(rows)) / 5).astype(np.float32) for rows in written])
    assert_same(reader.stats["timestamp"], direct(times[:, None], 0), len(everything))
    ends = np.cumsum([len(rows) for rows in written]).tolist()
    assert [row["dataset_to_index"] for row in reader.episodes] == ends
    assert [row["dataset_from_index"] for row in reader.episodes] == [0, *ends[:-1]]


def test_picture_stats_of_the_dataset_are_those_of_all_its_pictures(tmp_path):
    dataset = begin(tmp_path)
    lengths = {0: 3, 1: 8, 2: 1}
    for attempt, length in lengths.items():
        stage(dataset, attempt, length)
    dataset.absorb([0, 1])
    dataset.absorb([2])
    written = [values(attempt, k, FEATURES)[SCENE] for attempt, length in lengths.items() for k in range(length)]
    expected = {name: value.reshape(3, 1, 1) for name, value in direct(np.stack(written) / 255.0, (0, 1, 2)).items()}
    assert_same(read_dataset(tmp_path).stats[SCENE], expected, 12)


def test_stats_of_an_episode_are_in_its_row(tmp_path):
    import pyarrow.parquet as pq

    dataset = begin(tmp_path)
    for attempt in (0, 1):
        stage(dataset, attempt, 6 + attempt)
    dataset.absorb([0, 1])
    row = pq.read_table(tmp_path / "meta/episodes/chunk-000/file-000.parquet").to_pylist()[1]
    states = np.stack([values(1, k)["observation.state"] for k in range(7)]).astype(np.float32)
    for name, value in direct(states, 0).items():
        assert row[f"stats/observation.state/{name}"] == pytest.approx(value.tolist())
    pixels = np.stack([values(1, k)[SCENE] for k in range(7)]) / 255.0
    for name, value in direct(pixels, (0, 1, 2)).items():
        assert np.ravel(row[f"stats/{SCENE}/{name}"]) == pytest.approx(value)
