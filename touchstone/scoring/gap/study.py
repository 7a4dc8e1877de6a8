"""A gap study: how far the sim sessions are from the real ones, cell by cell and altogether."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from touchstone.data.records import stage_stats
from touchstone.scoring.gap.advice import advise, finding
from touchstone.scoring.gap.pairing import PairedCell, pair
from touchstone.scoring.gap.records import (
    Cell,
    Happened,
    Proportion,
    SessionInfo,
    SlotGap,
    Study,
    TaskGap,
    WorldInfo,
    WorldRates,
)
from touchstone.scoring.gap.sides import Side, Trial, cell_of, read_side, version_of
from touchstone.scoring.gap.stages import stages_of
from touchstone.scoring.score import failure
from touchstone.scoring.statistics.agreement import agreement
from touchstone.scoring.statistics.checks import check_fraction
from touchstone.scoring.statistics.gap import GapByStage, gap_by_group, gap_by_stage
from touchstone.scoring.statistics.intervals import clopper_pearson, wilson
from touchstone.scoring.statistics.paired import compare_paired, count_pairs, paired_mean_difference
from touchstone.scoring.statistics.ppi import ppi, ppi_finite
from touchstone.scoring.statistics.ranking import holm
from touchstone.scoring.statistics.results import CONFIDENCE
from touchstone.tasks.labels import PLACED

MARGIN = 0.1
SEED = 0
#: events of every good episode, attended or not
_EXPECTED = ("close_commanded", PLACED)


def gap_study(
    *,
    sim: Iterable[Path],
    real: Iterable[Path],
    margin: float = MARGIN,
    seed: int = SEED,
    each: Callable[[list[Path]], Iterable[Path]] = lambda sessions: sessions,
) -> tuple[Study, tuple[PairedCell, ...]]:
    """The study of some session folders, and the paired episodes that it rests on.

    sim, real: session folders, or folders that hold some. margin: a difference whose interval lies within it counts as
    agreement. seed: of the bootstraps. each: as for `read_side`.
    Raises UsageError and TouchstoneError, in one sentence, as `read_side` and `pair` do.
    """
    check_fraction(margin, "margin")
    sides = read_side("sim", sim, each), read_side("real", real, each)
    paired, flags = pair(*sides)
    rng = np.random.default_rng(seed)
    corrected = holm([_difference(cell).p_value for cell in paired])
    names = _names(paired)
    cells = tuple(
        _cell(cell, name, p_holm, len(paired), margin, rng)
        for cell, name, p_holm in zip(paired, names, corrected, strict=True)
    )
    study = Study(
        schema=1,
        sim=_world(sides[0], paired),
        real=_world(sides[1], paired),
        stands_in=sides[1].plant != "atoms",
        margin=margin,
        confidence=CONFIDENCE,
        seed=seed,
        cells=cells,
        difference=_pooled(paired, rng),
        agreement=_agreement(cells),
        tasks=tuple(_task(task, paired, cells, rng) for task in sorted({cell.key.task for cell in paired})),
        sessions=tuple(_session(side, one) for side in sides for one in side.sessions),
        flags=flags,
    )
    return study, paired


def _names(paired: Sequence[PairedCell]) -> list[str]:
    """Short names that tell the cells apart: what they all share is left out."""
    parts = [(_label(cell), cell.key.task, cell.key.protocol, cell.key.robot) for cell in paired]
    differing = [0, *(k for k in range(1, 4) if len({part[k] for part in parts}) > 1)]
    short = [" · ".join(part[k] for k in differing) for part in parts]
    return [
        name if short.count(name) == 1 else f"{name} ({cell.key.policy})"
        for name, cell in zip(short, paired, strict=True)
    ]


def _label(cell: PairedCell) -> str:
    """What the policy calls itself; a registered name or an address otherwise."""
    contract = cell.pairs[0][1].session.record.last_run.get("contract") or {}
    return contract.get("name") or cell.key.policy


def _cell(cell: PairedCell, name: str, p_holm: float, cells: int, margin: float, rng: np.random.Generator) -> Cell:
    real_trials = [real for _, real in cell.pairs] + list(cell.lone_real)
    sim_trials = [sim for sim, _ in cell.pairs] + list(cell.extra_sim)
    one = cell.pairs[0][1].session.summary
    difference = _difference(cell)
    first, second = ([float(pair[side].success) for pair in cell.pairs] for side in (1, 0))
    extra = [float(trial.success) for trial in cell.extra_sim]
    real = _rates(real_trials)
    found = finding(difference.interval, p_holm, margin)
    counts = (real.overall.successes, real.overall.trials)
    return Cell(
        name=name,
        label=_label(cell),
        policy=cell.key.policy,
        task=cell.key.task,
        protocol=cell.key.protocol,
        robot=cell.key.robot,
        rule=one.rule,
        privileged=one.privileged,
        sim=_rates(sim_trials),
        real=real,
        pairs=len(cell.pairs),
        extra_sim=len(cell.extra_sim),
        lone_real=len(cell.lone_real),
        sim_paired=float(np.mean(second)),
        real_paired=float(np.mean(first)),
        difference=difference,
        p_holm=p_holm,
        finding=found,
        advice=advise(difference, found, real=counts, margin=margin, cells=cells),
        ppi=ppi(real=first, sim=second, extra_sim=extra),
        ppi_finite=ppi_finite(real=first, sim=second, extra_sim=extra),
        stages=_stages([cell], rng),
    )


def _rates(trials: Sequence[Trial]) -> WorldRates:
    executed = sum(trial.line.verdict.execution for trial in trials)
    succeeded = sum(trial.success for trial in trials)
    return WorldRates(
        execution=_proportion(executed, len(trials)),
        recognition=_proportion(succeeded, executed),
        overall=_proportion(succeeded, len(trials)),
    )


def _proportion(successes: int, trials: int) -> Proportion:
    return Proportion(
        successes=successes,
        trials=trials,
        rate=successes / trials if trials else None,
        wilson=wilson(successes, trials),
        clopper_pearson=clopper_pearson(successes, trials),
    )


def _difference(cell: PairedCell):
    return compare_paired(count_pairs(*([float(pair[side].success) for pair in cell.pairs] for side in (1, 0))))


def _pooled(paired: Sequence[PairedCell], rng: np.random.Generator):
    pairs = [pair for cell in paired for pair in cell.pairs]
    return paired_mean_difference(
        [float(real.success) for _, real in pairs],
        [float(sim.success) for sim, _ in pairs],
        clusters=[sim.key for sim, _ in pairs],
        rng=rng,
    )


def _agreement(cells: Sequence[Cell]):
    """Over cells, by the rates of the pairs."""
    return agreement(
        sim={cell.name: cell.sim_paired for cell in cells}, real={cell.name: cell.real_paired for cell in cells}
    )


def _stages(cells: Sequence[PairedCell], rng: np.random.Generator) -> GapByStage:
    pairs = [pair for cell in cells for pair in cell.pairs]
    return gap_by_stage(
        sim=[sim.passed for sim, _ in pairs],
        real=[real.passed for _, real in pairs],
        stages=stages_of(cells[0].key.task).names,
        paired=True,
        rng=rng,
    )


def _task(task: str, paired: Sequence[PairedCell], cells: Sequence[Cell], rng: np.random.Generator) -> TaskGap:
    mine = [cell for cell in paired if cell.key.task == task]
    return TaskGap(
        task=task,
        policies=len(mine),
        pairs=sum(len(cell.pairs) for cell in mine),
        difference=_pooled(mine, rng),
        stages=_stages(mine, rng),
        slots=_slots(mine),
        agreement=_agreement([cell for cell in cells if cell.task == task]),
    )


def _slots(cells: Sequence[PairedCell]) -> tuple[SlotGap, ...]:
    """Real minus sim by where the card asked for lay, from the robot's left to its right."""
    pairs = [pair for cell in cells for pair in cell.pairs]
    across: dict[str, list[float]] = defaultdict(list)
    for sim, _ in pairs:
        across[sim.spec.target].append(sim.spec.placement(sim.spec.target).xy[1])
    groups = gap_by_group(
        sim=[(sim.spec.target, sim.success) for sim, _ in pairs],
        real=[(real.spec.target, real.success) for _, real in pairs],
    )
    corrected = holm([group.comparison.p_value for group in groups])
    # +y is the robot's left
    order = sorted(range(len(groups)), key=lambda k: -float(np.mean(across[groups[k].group])))
    words = ("left", "middle", "right") if len(groups) == 3 else tuple(groups[k].group for k in order)
    return tuple(SlotGap(slot=word, gap=groups[k], p_holm=corrected[k]) for word, k in zip(words, order, strict=True))


def _world(side: Side, paired: Sequence[PairedCell]) -> WorldInfo:
    keys = {cell.key for cell in paired}
    sessions = [session for session in side.sessions if cell_of(session) in keys]
    lines = [line for session in sessions for line in session.record.lines]
    times: Counter[str] = Counter()
    episodes: Counter[str] = Counter()
    stages: dict[str, list[float]] = defaultdict(list)
    for line in lines:
        odd = {kind: count for kind, count in line.events.items() if kind not in _EXPECTED}
        times.update(odd)
        episodes.update(odd.keys())
    for session in sessions:
        for stage, values in session.stages_ms.items():
            stages[stage] += values
    kinds = Counter(why for why in (failure(line.verdict) for line in lines) if why is not None)
    return WorldInfo(
        world=side.world,
        plant=side.plant,
        label=side.label,
        words=side.words,
        episodes=len(lines),
        failures=dict(kinds.most_common()),
        events={kind: Happened(times=times[kind], episodes=episodes[kind]) for kind in sorted(times)},
        latency_ms={stage: stage_stats(values) for stage, values in sorted(stages.items())},
    )


def _session(side: Side, session) -> SessionInfo:
    one, run = session.summary, session.record.last_run
    libraries = (run.get("offer") or {}).get("versions", {})
    software = {"python": run.get("python"), "machine": run.get("machine"), **libraries}
    return SessionInfo(
        side=side.which,
        path=str(session.record.path),
        policy=one.policy,
        task=one.task,
        protocol=one.protocol,
        seed=one.seed,
        episodes=one.trials,
        planned=one.planned,
        config_hash=one.config_hash,
        started_at=run.get("started_at", ""),
        touchstone=version_of(session),
        sealed=run.get("sealed_sha256"),
        config=session.record.config,
        software={name: str(value) for name, value in sorted(software.items()) if value is not None},
        policy_version=(run.get("contract") or {}).get("version"),
    )
