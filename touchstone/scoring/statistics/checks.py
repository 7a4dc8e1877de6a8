"""Refuses numbers that no statistic is defined for, in one sentence."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from touchstone.errors import UsageError


def check_counts(successes: int, trials: int, what: str = "a rate") -> None:
    """UsageError unless 0 <= successes <= trials, both whole numbers."""
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in (successes, trials))
    if not whole or not 0 <= successes <= trials:
        raise UsageError(
            f"{successes} successes of {trials} trials cannot be {what}; give whole 0 <= successes <= trials."
        )


def check_fraction(value: float, name: str) -> None:
    """UsageError unless 0 < value < 1."""
    if not 0 < value < 1:
        raise UsageError(f"{name} is {value}; it must lie between 0 and 1, both excluded.")


def check_rate(value: float, name: str) -> None:
    """UsageError unless 0 <= value <= 1."""
    if not 0 <= value <= 1:
        raise UsageError(f"{name} is {value}; it must lie between 0 and 1.")


def check_choice(value: str, allowed: Collection[str], name: str) -> None:
    if value not in allowed:
        raise UsageError(f"{name} is {value!r}; it must be one of {', '.join(map(repr, allowed))}.")


def check_whole(value: int, name: str, *, least: int) -> None:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise UsageError(f"{name} is {value}; it must be a whole number, at least {least}.")


def outcomes(values: Sequence[float], name: str, *, binary: bool = True) -> np.ndarray:
    """The values as float64[n]. UsageError unless all are 0 or 1 (or, if not binary, between 0 and 1)."""
    array = np.asarray(values, dtype=float)
    if array.ndim != 1:
        raise UsageError(f"{name} has {array.ndim} dimensions; give one value an episode.")
    allowed = np.isin(array, (0.0, 1.0)) if binary else (array >= 0) & (array <= 1)
    if not allowed.all():
        index = int(np.argmin(allowed))
        wanted = "0 or 1" if binary else "between 0 and 1"
        raise UsageError(f"{name} has {array[index]} at place {index}; every value must be {wanted}.")
    return array


def same_length(first: Sequence, second: Sequence, names: str) -> None:
    if len(first) != len(second):
        raise UsageError(f"{names} have {len(first)} and {len(second)} values; they must belong to the same episodes.")
