"""python -m tests.hardware.faults [WORD ...]: runs the fault matrix and writes its rows into docs/fault-matrix.md.

With words, only the cases whose name holds one of them; the other rows stay.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import traceback
from pathlib import Path

from tests.hardware.faults import table
from tests.hardware.faults.carrying_out import carry_out, finish_two
from tests.hardware.faults.cases import CASES
from tests.hardware.faults.rigs import ARMS, rig
from tests.hardware.faults.test_fault_matrix import SCALE
from touchstone.errors import TouchstoneError


def main() -> int:
    words, outcomes, failed = sys.argv[1:], [], 0
    chosen = [case for case in CASES if not words or any(word in case.name for word in words)]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fault-matrix-")))
        rigs = {}
        for arm in ARMS:
            if any(case.arm == arm for case in chosen):
                rigs[arm] = stack.enter_context(rig(arm, SCALE))
                finish_two(rigs[arm], folder / arm)
        for number, case in enumerate(chosen):
            try:
                outcome = carry_out(case, rigs[case.arm], folder / case.arm, folder / str(number))
            except (AssertionError, TouchstoneError):
                failed += 1
                traceback.print_exc()
                gap = rigs[case.arm].emulator.ask("state")["longest_gap_s"]
                print(f"FAILED {case.name}; the machine left the emulator no time for {gap:.2f} s", flush=True)
            else:
                outcomes.append(outcome)
                print(table.row(outcome), flush=True)
    table.write(outcomes)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
