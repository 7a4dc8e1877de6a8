"""What the emoji tasks share: three cards, one of them named, drawn from a protocol's emojis."""

from __future__ import annotations

import zlib

import numpy as np

from touchstone.bench import CardBench
from touchstone.cameras import DEFAULT_PRESET
from touchstone.errors import UsageError
from touchstone.robots.base import Arm
from touchstone.spec import Placement, Spec
from touchstone.tasks.base import DEFAULT_OPTIONS, PlanOptions
from touchstone.tasks.emoji.authors import AUTHORS_PROTOCOLS, authors_digest, authors_split
from touchstone.tasks.emoji.combinations import Combination, read_record, record_digest
from touchstone.tasks.emoji.reach import check_reach
from touchstone.tasks.emoji.splits import PROTOCOLS, split

#: replays combinations of a training record
ID = "id"
CARDS = 3
#: standard deviation of the arm's joints at the start [rad]: `robot_init_qpos_noise` of GrinningFace's code, which the
#: code never applies; the paper says that the arm's start is randomised and not by how much
START_SIGMA = 0.02
START_FARTHEST = 3 * START_SIGMA


class CardTask:
    """Plans episodes. A subclass gives name, sentences, rules, rate, step limit and bench."""

    name: str
    sentences: dict[str, str]
    rules: tuple[str, ...]
    rate_hz: float
    step_limit: int
    scene = "cards"
    camera = DEFAULT_PRESET
    protocols = (ID, *PROTOCOLS, *AUTHORS_PROTOCOLS)

    @property
    def wordings(self) -> tuple[str, ...]:
        return tuple(self.sentences)

    def bench(self, arm: Arm) -> CardBench:
        raise NotImplementedError

    def others(self, bench: CardBench, draw: np.random.Generator) -> tuple[Placement, ...]:
        """What stands on the table beside the cards."""
        return ()

    def material(self, protocol: str, options: PlanOptions) -> dict[str, str]:
        self._sentence(options)
        if protocol not in self.protocols:
            raise UsageError(f"Unknown protocol '{protocol}'; {self.name} has: {', '.join(self.protocols)}.")
        if protocol == ID:
            return {"record": record_digest(_record_of(options))}
        if options.record is not None:
            raise UsageError(f"Protocol '{protocol}' replays no record; leave --record out, or use --protocol {ID}.")
        if protocol in AUTHORS_PROTOCOLS:
            authors_split(protocol)
            return {"lists": authors_digest() or ""}
        return {}

    def plan(
        self,
        protocol: str,
        seed: int,
        index: int,
        arm: Arm,
        camera: str = DEFAULT_PRESET,
        options: PlanOptions = DEFAULT_OPTIONS,
    ) -> Spec:
        """Episode `index`: three distinct emojis, a target slot, jittered positions, and where the arm starts."""
        self.material(protocol, options)
        bench = self.bench(arm)
        stream = np.random.SeedSequence([seed, zlib.crc32(f"{self.name}/{protocol}".encode()), index])
        # one stream per purpose, so that the policy's seed tells nothing about the layout
        for_layout, for_policy, for_start = stream.spawn(3)
        draw = np.random.default_rng(for_layout)
        shown = self._combination(protocol, seed, index, draw, options)
        layout = tuple(
            Placement(
                name=f"card_{slot}",
                emoji=emoji.char,
                label=emoji.name,
                xy=tuple(
                    float(c + d) for c, d in zip(centre, draw.uniform(-bench.jitter, bench.jitter, 2), strict=True)
                ),
            )
            for slot, (emoji, centre) in enumerate(zip(shown.cards, bench.card_centres, strict=True))
        ) + self.others(bench, draw)
        episode = f"{protocol}-s{seed}-{index:04d}"
        check_reach(layout, arm, episode)
        target = layout[shown.target]
        return Spec(
            episode=episode,
            task=self.name,
            protocol=protocol,
            robot=arm.name,
            bench=bench.name,
            camera=camera,
            seed=seed,
            index=index,
            instruction=self._sentence(options).replace("{label}", target.label),
            target=target.name,
            layout=layout,
            rate_hz=self.rate_hz,
            step_limit=self.step_limit,
            start=_start(arm, options, np.random.default_rng(for_start)),
            policy_seed=int(for_policy.generate_state(1)[0]),
        )

    def _sentence(self, options: PlanOptions) -> str:
        wording = options.wording
        if options.instruction is not None:
            if "{label}" not in options.instruction:
                raise UsageError(
                    f"'{options.instruction}' names no card; write {{label}} where the card's name shall stand."
                )
            return options.instruction
        if wording is None:
            return next(iter(self.sentences.values()))
        if wording not in self.sentences:
            raise UsageError(f"Unknown wording '{wording}'; {self.name} has: {', '.join(self.sentences)}.")
        return self.sentences[wording]

    def _combination(
        self, protocol: str, seed: int, index: int, draw: np.random.Generator, options: PlanOptions
    ) -> Combination:
        if protocol == ID:
            record = read_record(_record_of(options))
            order = np.random.default_rng([seed, zlib.crc32(f"{self.name}/{ID}".encode())]).permutation(len(record))
            return record[order[index % len(record)]]
        emojis = authors_split(protocol) if protocol in AUTHORS_PROTOCOLS else split(protocol)
        chosen = draw.choice(len(emojis), size=CARDS, replace=False)
        return Combination(tuple(emojis[which] for which in chosen), int(draw.integers(CARDS)))


def _record_of(options: PlanOptions) -> str:
    if options.record is None:
        raise UsageError(
            f"Protocol '{ID}' replays the combinations of a training record and there is none; name one with --record "
            "(the folder that `touchstone collect` wrote, a session folder, or a JSON list of combinations)."
        )
    return options.record


def _start(arm: Arm, options: PlanOptions, draw: np.random.Generator) -> tuple[float, ...]:
    joints = np.array(arm.ready)
    if options.arm_start == "random":
        noise = np.clip(draw.normal(0.0, START_SIGMA, size=len(joints)), -START_FARTHEST, START_FARTHEST)
        joints = np.clip(joints + noise, arm.limits.lower, arm.limits.upper)
    return tuple(float(v) for v in joints)
