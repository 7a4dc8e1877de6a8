"""Strategies by name, as a user writes them: `ensemble:m=0.1`, `async:g=0.5,patience=1000`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from touchstone.control.strategies.base import Strategy
from touchstone.control.strategies.blocking import Receding, Sync
from touchstone.control.strategies.ensemble import Ensemble
from touchstone.control.strategies.patience import Patient
from touchstone.control.strategies.prefetch import Prefetch
from touchstone.control.strategies.realtime import RealTimeChunking
from touchstone.errors import UsageError

#: today's lockstep
DEFAULT = "receding"


@dataclass(frozen=True)
class _Number:
    """What a parameter may be. default: None where the policy's contract gives it."""

    low: float
    high: float
    default: float | None
    whole: bool = False


_KINDS: dict[str, tuple[Callable[..., Strategy], dict[str, _Number]]] = {
    "sync": (Sync, {}),
    "receding": (Receding, {"execute": _Number(1, 1000, None, whole=True)}),
    "ensemble": (Ensemble, {"m": _Number(-10, 10, 0.01)}),
    "async": (Prefetch, {"g": _Number(0, 1, 0.5), "new": _Number(0, 1, 0.7)}),
    "rtc": (
        RealTimeChunking,
        {"s": _Number(1, 1000, None, whole=True), "d": _Number(0, 1000, 1, whole=True)},
    ),
}
#: of every strategy [ms]; see Patient
_PATIENCE = {"patience": _Number(0, 60_000, 0)}

NAMES = tuple(_KINDS)


def make(text: str) -> Strategy:
    """A new strategy for one episode. Raises UsageError for a text that names none."""
    name, values = _parsed(text)
    patience_ms = values.pop("patience")
    strategy = _KINDS[name][0](**values)
    return Patient(strategy, round(patience_ms * 1e6)) if patience_ms else strategy


def canonical(text: str) -> str:
    """The same strategy with every parameter written out, so that equal ones compare equal. Raises UsageError."""
    name, values = _parsed(text)
    words = [f"{key}={value:g}" for key, value in sorted(values.items()) if value is not None]
    # no patience is no parameter: it is a wrapper that is not there
    words = [word for word in words if word != "patience=0"]
    return f"{name}:{','.join(words)}" if words else name


def _parsed(text: str) -> tuple[str, dict[str, float | int | None]]:
    name, colon, rest = text.partition(":")
    if name not in _KINDS:
        raise UsageError(f"Unknown strategy '{text}'; choose one of: {', '.join(NAMES)}.")
    known = _KINDS[name][1] | _PATIENCE
    values: dict[str, float | int | None] = {key: number.default for key, number in known.items()}
    given: set[str] = set()
    for part in rest.split(",") if colon else []:
        key, _, value = part.partition("=")
        if key not in known or key in given:
            what = f"'{key}' twice" if key in given else f"'{key}', which it does not have"
            raise UsageError(
                f"--strategy {text} sets {what}; its parameters are {', '.join(known)}, written like "
                f"{name}:{next(iter(known))}={_example(next(iter(known.values())))}."
            )
        given.add(key)
        values[key] = _number(text, key, value, known[key])
    return name, values


def _number(text: str, key: str, value: str, wanted: _Number) -> float | int:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not wanted.low <= number <= wanted.high or (wanted.whole and not number.is_integer()):
        kind = "a whole number" if wanted.whole else "a number"
        raise UsageError(f"--strategy {text}: {key} is '{value}', give {kind} from {wanted.low:g} to {wanted.high:g}.")
    return int(number) if wanted.whole else number


def _example(number: _Number) -> str:
    return f"{number.low if number.default is None else number.default:g}"
