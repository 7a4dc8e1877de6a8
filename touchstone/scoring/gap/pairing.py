"""Puts the episodes of two worlds together: the same policy and the same spec make a pair."""

from __future__ import annotations

from dataclasses import dataclass

from touchstone.errors import UsageError
from touchstone.scoring.gap.sides import CellKey, Side, Trial, check_same_settings, version_of

#: settings in which the sessions of one cell and one world may differ
_OF_SESSION = ("seed", "record", "material", "pictures")
#: and those in which the two worlds of a cell may: they say where it ran and how a twin is drawn
_OF_WORLD = (*_OF_SESSION, "world", "shader", "meshes")


@dataclass(frozen=True)
class PairedCell:
    """One policy on one task. pairs: (sim, real) of the same spec, by index. extra_sim, lone_real: those without a
    partner."""

    key: CellKey
    pairs: tuple[tuple[Trial, Trial], ...]
    extra_sim: tuple[Trial, ...]
    lone_real: tuple[Trial, ...]


def pair(sim: Side, real: Side) -> tuple[tuple[PairedCell, ...], tuple[str, ...]]:
    """The cells that both worlds have, by name, and what is odd, a sentence each.

    Raises UsageError if a cell of the real side is not simulated, if a cell has no pair, or if settings differ.
    """
    flags = [*_unfinished(sim), *_unfinished(real)]
    cells = []
    for key in sorted(real.trials, key=_name):
        if key not in sim.trials:
            raise UsageError(
                f"--real has {_name(key)} and --sim has not; add the simulated session, or leave "
                f"{real.by_cell[key][0].record.path} out."
            )
        _check_settings(sim, real, key)
        cell = _paired(key, sim.trials[key], real.trials[key])
        if not cell.pairs:
            seeds = [sorted({trial.spec.seed for trial in side.trials[key].values()}) for side in (sim, real)]
            raise UsageError(
                f"No episode of {_name(key)} is in both worlds (seeds {_listed(seeds[0])} in --sim and "
                f"{_listed(seeds[1])} in --real); run the same protocol and seed in both."
            )
        if cell.lone_real:
            flags.append(
                f"{_name(key)}: {len(cell.lone_real)} of {len(real.trials[key])} episodes of the {real.label} side "
                f"were not simulated ({_some(cell.lone_real)}); they are in its rate, and in no difference."
            )
        cells.append(cell)
    for key in sorted(sim.trials.keys() - real.trials.keys(), key=_name):
        flags.append(f"{_name(key)} was simulated only, and is left out.")
    versions = {version_of(session) for side in (sim, real) for session in side.sessions}
    if len(versions) > 1:
        flags.append(f"The sessions were recorded by versions {', '.join(sorted(versions))} of Touchstone.")
    return tuple(cells), tuple(flags)


def _paired(key: CellKey, sim: dict[str, Trial], real: dict[str, Trial]) -> PairedCell:
    def in_order(trials):
        return tuple(sorted(trials, key=lambda trial: (trial.spec.seed, trial.spec.index)))

    both = in_order(sim[name] for name in sim.keys() & real.keys())
    return PairedCell(
        key=key,
        pairs=tuple((one, real[one.key]) for one in both),
        extra_sim=in_order(sim[name] for name in sim.keys() - real.keys()),
        lone_real=in_order(real[name] for name in real.keys() - sim.keys()),
    )


def _check_settings(sim: Side, real: Side, key: CellKey) -> None:
    for side in (sim, real):
        first, *others = side.by_cell[key]
        for other in others:
            check_same_settings(first, other, _OF_SESSION)
    check_same_settings(sim.by_cell[key][0], real.by_cell[key][0], _OF_WORLD)


def _unfinished(side: Side) -> list[str]:
    """Sessions that hold fewer episodes than were asked for, or whose numbering has holes."""
    out = []
    for session in side.sessions:
        have = {line.index for line in session.record.lines}
        planned = max(session.summary.planned or 0, max(have) + 1)
        missing = sorted(set(range(planned)) - have)
        if missing:
            out.append(
                f"{session.record.path} lacks {len(missing)} of {planned} episodes (the first is number "
                f"{missing[0]}); the same command again resumes it."
            )
    return out


def _name(key: CellKey) -> str:
    return f"{key.policy} on {key.task} ({key.protocol}, {key.robot})"


def _some(trials: tuple[Trial, ...]) -> str:
    names = [trial.line.episode for trial in trials]
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _listed(seeds: list[int]) -> str:
    return ", ".join(map(str, seeds))
