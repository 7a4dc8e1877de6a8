"""`touchstone doctor`: which parts this machine has, which it lacks, and what to do about it."""

from __future__ import annotations

import json as json_format
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from touchstone.doctor import bench, machine, ros, vulkan
from touchstone.doctor.check import Check

#: what `touchstone doctor` exits with when `make touch-emoji` cannot run
BLOCKED = 2

CHECKS: tuple[Callable[[], Check | list[Check]], ...] = (
    machine.check_python,
    machine.check_packages,
    machine.check_disk,
    vulkan.check_vulkan,
    machine.check_gpu,
    machine.check_font,
    ros.check_ros,
    ros.check_nodes,
    ros.check_dds_profile,
    ros.check_underlay,
    bench.check_usb,
    bench.check_sdks,
    bench.check_serial,
    bench.check_cameras,
)


def run(json: bool) -> int:
    """Prints every check, as a table or as JSON. Returns 0, or 2 when the main job cannot run on this machine.

    The JSON is `{"schema": 1, "main_job": bool, "checks": [Check, ...]}`.
    """
    checks = examine()
    blocked = any(check.blocks for check in checks)
    if json:
        record = {"schema": 1, "main_job": not blocked, "checks": [check.model_dump() for check in checks]}
        print(json_format.dumps(record, indent=2))
    else:
        from touchstone.doctor.table import print_table

        print_table(checks)
    return BLOCKED if blocked else 0


def examine() -> list[Check]:
    """Every check, in the order of CHECKS; the slow ones run side by side."""
    with ThreadPoolExecutor(max_workers=len(CHECKS)) as pool:
        answers = list(pool.map(lambda check: check(), CHECKS))
    return [check for answer in answers for check in (answer if isinstance(answer, list) else [answer])]
