"""`touchstone plan`: blind studies on a bench, and how many trials a comparison takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Union

import tyro


@dataclass(frozen=True)
class Plan:
    """Run a blind study: make a sealed, balanced schedule of policies under aliases; see the next trial; label it, for
    good; and unblind when every trial has its label. Before that, size says how many trials tell two policies apart."""

    action: Annotated[Literal["size", "make", "next", "key", "label", "unblind"], tyro.conf.Positional]
    """size (of a comparison; needs no DIR); make; next (the next trial); key (which alias is which, for whoever starts
    the policies); label; unblind"""
    folder: Annotated[Union[Path, None], tyro.conf.Positional, tyro.conf.arg(metavar="[DIR]")] = None  # noqa: UP007
    """folder of the study"""
    rate: float | None = None
    """size: one policy's success rate, from 0 to 1"""
    difference: float | None = None
    """size: what the other's rate is more, or less (negative); the difference that must not be missed"""
    power: float = 0.8
    """size: the chance to find that difference"""
    paired_discordance: float | None = None
    """size: the share of episodes in which just one of the two succeeds; as for unrelated outcomes unless said"""
    alpha: float = 0.05
    """size: the chance to find a difference where there is none"""
    policies: tuple[str, ...] = ()
    """make: the policies to compare"""
    task: str = "touch-emoji"
    """make: what is asked"""
    robot: str = "wx250s"
    """make: the arm"""
    protocol: str = "val"
    """make: which emojis"""
    seed: int = 0
    """make: of the layouts; size: of the simulated studies"""
    trials: int = 10
    """make: episodes of each policy"""
    trial: int = 0
    """label: the number of the trial that is meant"""
    chosen: str | None = None
    """label: the card that was acted on, such as card_1, or none"""
    operator: str = ""
    """label: who labels"""
    temperature: float | None = None
    """label: of the hottest motor, in degrees Celsius"""
    note: str = ""
    """label: anything else"""

    def run(self) -> int:
        if self.action == "size":
            return self._size()
        if self.folder is None:
            from touchstone.errors import UsageError

            raise UsageError(f"Say which study: touchstone plan {self.action} DIR.")
        steps = {
            "make": self._make,
            "next": self._next,
            "key": self._key,
            "label": self._label,
            "unblind": self._unblind,
        }
        return steps[self.action]()

    def _size(self) -> int:
        from touchstone.errors import UsageError
        from touchstone.scoring.comparison_size import sizes, told

        if self.folder is not None:
            raise UsageError(f"`touchstone plan size` is about no study; leave {self.folder} out.")
        if self.rate is None or self.difference is None:
            raise UsageError("Say what is to be found: --rate 0.5 --difference 0.2.")
        found = sizes(
            rate=self.rate,
            difference=self.difference,
            power=self.power,
            discordance=self.paired_discordance,
            alpha=self.alpha,
            seed=self.seed,
        )
        for line in told(found):
            print(line)
        return 0

    def _make(self) -> int:
        from touchstone.scoring.blinding import Asked, make_plan
        from touchstone.scoring.blinding_results import what_trials_show

        asked = Asked(task=self.task, robot=self.robot, protocol=self.protocol, seed=self.seed, trials=self.trials)
        plan = make_plan(self.folder, asked, self.policies)
        print(
            f"{len(plan.turns)} trials of {', '.join(plan.aliases)} in {self.folder}; sealed {plan.sealed_sha256[:12]}."
        )
        print(what_trials_show(self.trials, len(plan.aliases)))
        return 0

    def _next(self) -> int:
        from touchstone.scoring.blinding import read_study

        study = read_study(self.folder)
        turn = study.next_turn
        if turn is None:
            print("Every trial has its label; `touchstone plan unblind` opens the seal.")
            return 0
        spec = study.spec(turn)
        print(f"Trial {turn.number} of {len(study.plan.turns)}: policy {turn.alias}, episode {spec.episode}")
        print(f"  {spec.instruction}")
        for placement in spec.layout:
            x, y = placement.xy
            print(
                f"  {placement.name}: {placement.emoji or placement.kind} {placement.label}, x {x:.3f} m, y {y:+.3f} m"
            )
        return 0

    def _key(self) -> int:
        from touchstone.scoring.blinding import show_key

        for alias, policy in show_key(self.folder).items():
            print(f"{alias} = {policy}")
        print("That the key was shown is noted; whoever saw it must not label.")
        return 0

    def _label(self) -> int:
        from touchstone.errors import UsageError
        from touchstone.scoring.blinding import give_label

        if self.chosen is None:
            raise UsageError("Say what was chosen: --chosen card_1, or --chosen none if no card was acted on.")
        chosen = None if self.chosen == "none" else self.chosen
        give_label(
            self.folder, self.trial, chosen, operator=self.operator, temperature=self.temperature, note=self.note
        )
        print(f"Trial {self.trial} is labelled.")
        return 0

    def _unblind(self) -> int:
        from rich.console import Console

        from touchstone.scoring.blinding_results import blind_results

        found, console = blind_results(self.folder), Console()
        for one in found.policies:
            console.print(f"{one.alias} = {one.policy}: {one.overall.text()}", highlight=False, markup=False)
            console.print(
                f"    execution {one.execution.text()}, recognition {one.recognition.text()}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
        for one in found.comparisons:
            gap, interval = one.difference.difference, one.difference.interval
            console.print(
                f"{one.first} minus {one.second}: {100 * gap:+.1f} points ({100 * interval.low:+.1f} to "
                f"{100 * interval.high:+.1f}), p = {one.p_holm:.3f} (McNemar, Holm)",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
        for name, one in found.drifts.items():
            told = one.reason if one.p_value is None else f"p = {one.p_value:.3f}"
            groups = ", ".join(f"{g.success.successes}/{g.success.trials} {g.group}" for g in found.circumstances[name])
            console.print(f"success and {name}: {groups}; {told}", highlight=False, markup=False, soft_wrap=True)
        if found.key_shown:
            console.print(
                f"The key was shown {len(found.key_shown)} times, first at {found.key_shown[0]}.", soft_wrap=True
            )
        return 0
