"""The whole stack as a user starts it: processes, ZMQ and ROS topics."""

from __future__ import annotations

import json

from tests.ros.runs import Run, complete, logs


def test_pixels_through_ros_lead_to_the_same_facts_as_in_one_process(tmp_path):
    complete(tmp_path / "ros", "twin-ros", "card-matcher", 2)
    complete(tmp_path / "inproc", "twin", "card-matcher", 2)
    through_ros = logs(tmp_path / "ros")
    assert len(through_ros) == 2
    assert through_ros == logs(tmp_path / "inproc")
    summary = json.loads((tmp_path / "ros" / "summary.json").read_text())
    assert (summary["world"], summary["plant"], summary["path"]) == ("twin-ros", "twin", "ros")


def test_a_server_that_is_not_there_ends_the_run_with_one_sentence_and_code_2(tmp_path):
    with Run(tmp_path / "out", "twin-ros", "tcp://127.0.0.1:1", 1) as run:
        code, _, stderr = run.end()
    assert code == 2
    (line,) = stderr.strip().splitlines()
    assert "tcp://127.0.0.1:1" in line and "policy_node.log" in line
