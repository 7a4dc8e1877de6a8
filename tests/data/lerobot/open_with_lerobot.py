"""Opens a dataset with LeRobot itself and compares every frame: python open_with_lerobot.py ROOT EXPECTED.npz

EXPECTED.npz holds, for all frames in order, an array for every feature, and `about`, a JSON with fps, robot, tasks (one
a frame), episodes (columns of meta/episodes) and stats. Needs LeRobot, and nothing of Touchstone. Prints what it did.
"""

import json
import sys

import numpy as np

#: mean absolute difference of a picture from what was written, of 255: H.264 with colour at half resolution
TOLERANCE = 6.0


def main(root: str, expected_path: str) -> None:
    import lerobot
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    expected = dict(np.load(expected_path))
    about = json.loads(str(expected.pop("about")))
    frames = len(next(iter(expected.values())))
    for backend in backends():
        dataset = LeRobotDataset("touchstone/test", root=root, video_backend=backend)
        meta = dataset.meta
        assert len(dataset) == dataset.num_frames == meta.total_frames == frames
        assert meta.fps == about["fps"] and meta.robot_type == about["robot"]
        assert list(meta.tasks.index) == list(dict.fromkeys(about["tasks"]))
        assert len(meta.episodes) == meta.total_episodes == dataset.num_episodes == len(about["episodes"])
        for number, columns in enumerate(about["episodes"]):
            row = meta.episodes[number]
            assert {name: row[name] for name in columns} == columns, (row, columns)
        for key, stats in about["stats"].items():
            assert set(stats) == set(meta.stats[key])
            for name, value in stats.items():
                np.testing.assert_allclose(meta.stats[key][name], value, rtol=1e-6, atol=1e-6, err_msg=f"{key} {name}")
        worst = 0.0
        for index in range(frames):
            item = dataset[index]
            assert item["task"] == about["tasks"][index], index
            assert int(item["index"]) == index
            for key, values in expected.items():
                found = item[key].numpy()
                if values.ndim == 4:
                    difference = np.abs(found.transpose(1, 2, 0) * 255.0 - values[index]).mean()
                    worst = max(worst, float(difference))
                    assert difference < TOLERANCE, (key, index, difference)
                else:
                    assert np.array_equal(np.atleast_1d(found), values[index].astype(np.float32)), (key, index)
        window = LeRobotDataset(
            "touchstone/test", root=root, video_backend=backend, delta_timestamps={"action": [0.0, 1 / about["fps"]]}
        )
        assert len(window[0]["action"]) == 2
        one = LeRobotDataset("touchstone/test", root=root, video_backend=backend, episodes=[1])
        assert len(one) == about["episodes"][1]["length"]
        assert int(one[0]["index"]) == about["episodes"][1]["dataset_from_index"]
        print(f"LeRobot {lerobot.__version__}, {backend}: {frames} frames as written, pictures within {worst:.2f}/255")


def backends() -> list[str]:
    """PyAV, and torchcodec where it can be loaded (it needs FFmpeg's libraries)."""
    try:
        import torchcodec.decoders  # noqa: F401
    except (ImportError, RuntimeError, OSError):
        return ["pyav"]
    return ["pyav", "torchcodec"]


if __name__ == "__main__":
    main(*sys.argv[1:])
