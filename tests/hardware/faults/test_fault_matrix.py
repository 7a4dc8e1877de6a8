"""Each fault makes a moving arm hold within two control ticks of when it can be seen, on the wire of each arm."""

from __future__ import annotations

import pytest

pytest.importorskip("dynamixel_sdk")
pytest.importorskip("Robotic_Arm")
pytest.importorskip("pyrealsense2")

from tests.hardware.faults import table
from tests.hardware.faults.carrying_out import TICK_S, carry_out, finish_two
from tests.hardware.faults.cases import CASES, FOLLOWS, Case
from tests.hardware.faults.rigs import rig

SCALE = 0.25  # so that two busy cores do not become a fault of their own
TICKS = 2


@pytest.fixture(scope="module")
def rigs(tmp_path_factory):
    """By arm, started when it is first asked for: a rig and the folder of two finished episodes."""
    open_rigs, made = [], {}

    def of(arm: str):
        if arm not in made:
            opened = rig(arm, SCALE)
            there = opened.__enter__()
            open_rigs.append(opened)
            folder = tmp_path_factory.mktemp(arm) / "finished"
            finish_two(there, folder)
            made[arm] = there, folder
        return made[arm]

    yield of
    for opened in open_rigs:
        opened.__exit__(None, None, None)


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_makes_the_arm_hold(case: Case, rigs, tmp_path):
    there, finished = rigs(case.arm)
    outcome = carry_out(case, there, finished, tmp_path / "session")
    if case.ends != FOLLOWS:
        assert outcome.held_ms <= TICKS * TICK_S * 1e3
    assert table.committed()[case.name][: -table.MEASURED] == table.expected(case)


def test_the_page_has_a_row_for_every_case_and_no_other():
    rows = table.committed()
    assert list(rows) == [case.name for case in CASES]
    for case in CASES:
        assert rows[case.name][: -table.MEASURED] == table.expected(case)
        held = rows[case.name][-table.MEASURED]
        if held.endswith(" ms"):
            assert float(held.removesuffix(" ms")) <= TICKS * TICK_S * 1e3
        else:
            assert held == "-" and case.ends == FOLLOWS
