"""LeRobot dataset v3.0, written and read without LeRobot.

Episodes are staged one by one, in any number of processes, and then absorbed into the v3 files by one process:

    ROOT/.staging/attempt-000012.{parquet,KEY.mp4,json}     the json comes last and makes the episode whole
    ROOT/data/chunk-000/file-000.parquet                    rows of many episodes
    ROOT/videos/KEY/chunk-000/file-000.mp4                  films of many episodes, joined without encoding again
    ROOT/meta/{episodes/chunk-000/file-000.parquet, tasks.parquet, stats.json, info.json}

`meta/info.json` is replaced last and says how many episodes count. The format is that of LeRobot 0.4 and later
(github.com/huggingface/lerobot, `src/lerobot/datasets`); LeRobot 0.6.1 opens what is written here.
"""

from touchstone.data.lerobot.dataset import Dataset
from touchstone.data.lerobot.features import Features, Picture, Vector
from touchstone.data.lerobot.reader import DatasetReader, read_dataset
from touchstone.data.lerobot.staging import EpisodeStage, StagedEpisode

__all__ = [
    "Dataset",
    "DatasetReader",
    "EpisodeStage",
    "Features",
    "Picture",
    "StagedEpisode",
    "Vector",
    "read_dataset",
]
