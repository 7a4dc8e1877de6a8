"""`touchstone doctor` names every part, and fails exactly when the main job cannot run."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from touchstone import doctor
from touchstone.doctor import bench, machine, ros, vulkan
from touchstone.doctor.check import Check
from touchstone.doctor.table import print_table


def check(name: str, status: str, needed: bool) -> Check:
    return Check(name=name, status=status, detail="[found]", fix="do this", needed_for_main_job=needed)


def test_the_json_has_every_part_once_with_its_schema(capsys):
    code = doctor.run(json=True)
    record = json.loads(capsys.readouterr().out)
    assert record["schema"] == 1
    names = [entry["name"] for entry in record["checks"]]
    assert len(names) == len(set(names))
    assert {
        "Vulkan device",
        "ROS 2",
        "DDS profile",
        "other ROS",
        "emoji font",
        "serial ports",
        "cameras",
        "GPU",
    } <= set(names)
    for entry in record["checks"]:
        Check.model_validate(entry)
    assert record["main_job"] is (code == 0)


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ([check("a", "ok", True), check("b", "missing", False)], 0),
        ([check("a", "warning", True)], 0),
        ([check("a", "ok", True), check("b", "missing", True)], doctor.BLOCKED),
    ],
)
def test_only_a_missing_part_that_the_main_job_needs_fails(monkeypatch, capsys, checks, code):
    monkeypatch.setattr(doctor, "examine", lambda: checks)
    assert doctor.run(json=False) == code
    assert ("cannot run" in capsys.readouterr().out) is (code != 0)


def test_no_vulkan_driver_is_missing_and_says_what_to_do(monkeypatch):
    for variable in ("VK_DRIVER_FILES", "VK_ICD_FILENAMES"):
        monkeypatch.setenv(variable, "/nonexistent.json")
    found = vulkan.check_vulkan()
    assert found.status == "missing"
    assert found.blocks
    assert "Mesa >= 24.3" in found.fix


def test_no_font_is_missing_and_says_what_to_do(monkeypatch, tmp_path):
    from touchstone.tasks.emoji import cards

    monkeypatch.setattr(cards, "FONT_FOLDERS", (str(tmp_path),))
    cards.emoji_font.cache_clear()
    found = machine.check_font()
    cards.emoji_font.cache_clear()
    assert found.blocks
    assert "fonts-noto-color-emoji" in found.fix


def test_a_dds_profile_is_read_and_not_only_looked_for(tmp_path):
    profile = tmp_path / ros.PROFILE
    assert ros.check_dds_profile(tmp_path).blocks
    profile.parent.mkdir(parents=True)
    profile.write_text("<dds")
    assert ros.check_dds_profile(tmp_path).blocks
    profile.write_text("<dds></dds>")
    assert not ros.check_dds_profile(tmp_path).blocks


def test_little_shared_memory_is_a_warning(tmp_path, monkeypatch):
    profile = tmp_path / ros.PROFILE
    profile.parent.mkdir(parents=True)
    profile.write_text("<dds></dds>")
    monkeypatch.setattr(ros, "SHARED_MEMORY_MB", 1e12)
    assert ros.check_dds_profile(tmp_path).status == "warning"


def test_a_sourced_underlay_is_reported(monkeypatch):
    monkeypatch.setenv("AMENT_PREFIX_PATH", "/opt/ros/humble")
    found = ros.check_underlay()
    assert found.status == "warning"
    assert "/opt/ros/humble" in found.detail


def test_devices_are_found_by_name_and_their_absence_is_no_fault(tmp_path):
    assert bench.check_serial(tmp_path).status == "not needed here"
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "video0").touch()
    assert bench.check_serial(tmp_path).detail.endswith("ttyUSB0")
    assert bench.check_cameras(tmp_path).detail.endswith("video0")


def test_the_table_shows_details_with_brackets_as_they_are():
    console = Console(record=True, width=200)
    print_table([check("part", "missing", True)], console)
    text = console.export_text()
    assert "[found]" in text
    assert "part: do this" in text
