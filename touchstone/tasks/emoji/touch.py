"""`Touch [desc.]`: close the gripper over the named one of three emoji cards (GrinningFace, section 6)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from touchstone.bench import TOUCH_BENCH
from touchstone.cameras import DEFAULT_PRESET
from touchstone.facts import Event, Facts
from touchstone.robots.base import Arm
from touchstone.spec import Placement, Spec
from touchstone.tasks.base import Verdict
from touchstone.tasks.emoji.instructions import touch_instruction
from touchstone.tasks.emoji.splits import PROTOCOLS, split
from touchstone.tasks.emoji.touch_rule import TouchMonitor, judge_touch


class TouchEmoji:
    """The registered task `touch-emoji`: 5 Hz, at most 60 steps, ends at the touch event."""

    name = "touch-emoji"
    protocols = PROTOCOLS
    rate_hz = 5.0
    step_limit = 60

    def plan(self, protocol: str, seed: int, index: int, arm: Arm, camera: str = DEFAULT_PRESET) -> Spec:
        """Episode `index`: three distinct emojis of the split, a target slot, and jittered card centres."""
        emojis = split(protocol)
        # one stream per purpose, so that the policy's seed tells nothing about the layout
        layout_stream, policy_stream = np.random.SeedSequence(
            [seed, zlib.crc32(f"{self.name}/{protocol}".encode()), index]
        ).spawn(2)
        draw = np.random.default_rng(layout_stream)
        chosen = draw.choice(len(emojis), size=len(TOUCH_BENCH.card_centres), replace=False)
        target = int(draw.integers(len(chosen)))
        layout = []
        for slot, (which, centre) in enumerate(zip(chosen, TOUCH_BENCH.card_centres, strict=True)):
            dx, dy = draw.uniform(-TOUCH_BENCH.jitter, TOUCH_BENCH.jitter, size=2)
            emoji = emojis[which]
            layout.append(
                Placement(
                    name=f"card_{slot}",
                    emoji=emoji.char,
                    label=emoji.name,
                    xy=(float(centre[0] + dx), float(centre[1] + dy)),
                )
            )
        return Spec(
            episode=f"{protocol}-s{seed}-{index:04d}",
            task=self.name,
            protocol=protocol,
            robot=arm.name,
            bench=TOUCH_BENCH.name,
            camera=camera,
            seed=seed,
            index=index,
            instruction=touch_instruction(layout[target].label),
            target=layout[target].name,
            layout=tuple(layout),
            rate_hz=self.rate_hz,
            step_limit=self.step_limit,
            start=tuple(float(v) for v in arm.ready),
            policy_seed=int(policy_stream.generate_state(1)[0]),
        )

    def monitor(self, spec: Spec) -> TouchMonitor:
        return TouchMonitor()

    def judge(self, spec: Spec, facts: Sequence[Facts], events: Sequence[Event]) -> Verdict:
        return judge_touch(spec, facts)
