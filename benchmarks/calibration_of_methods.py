"""How often the intervals hold the truth and the tests err, by simulated studies over a grid of n and p.

    python benchmarks/calibration_of_methods.py [--studies 4000] [--seed 0] [--out runs/calibration_of_methods.json]

Everything is at 95 % (tests at 5 %). A simulated share of 4000 studies has a standard error of 0.3 % at 95 %.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from scipy.special import ndtr
from scipy.stats import binom

from touchstone.scoring.statistics.betting import betting_bounds
from touchstone.scoring.statistics.confidence_sequences import rate_sequence_bounds
from touchstone.scoring.statistics.intervals import clopper_pearson_bounds, wilson_bounds
from touchstone.scoring.statistics.macro import macro_average
from touchstone.scoring.statistics.paired import Pairs, compare_paired
from touchstone.scoring.statistics.planning import power_paired, power_two_rates
from touchstone.scoring.statistics.ppi import corrected_bounds, ppi
from touchstone.scoring.statistics.sequential_tests import paired_log_e, two_rate_log_e
from touchstone.scoring.statistics.stages import product_of_rates
from touchstone.scoring.statistics.two_rates import newcombe

TRIALS = (10, 20, 30, 50, 100, 200)
RATES = tuple(round(0.05 * k, 2) for k in range(1, 20))
HORIZON = 500
PAIRS_OF_RATES = ((0.1, 0.1), (0.5, 0.5), (0.9, 0.9), (0.9, 0.6), (0.95, 0.5))


@dataclass(frozen=True)
class Options:
    studies: int = 4_000
    """simulated studies a cell"""
    seed: int = 0
    out: Path = Path("runs/calibration_of_methods.json")


def main(options: Options) -> None:
    started = time.perf_counter()
    rng = np.random.default_rng(options.seed)
    parts = (
        one_rate,
        at_all_times,
        two_rates,
        paired_rates,
        peeking,
        deciding,
        products_and_averages,
        powered,
    )
    result = {"studies": options.studies, "seed": options.seed}
    for part in parts:
        title, columns, shares = part(rng, options.studies)
        rows = [
            tuple(100 * x if "%" in c and isinstance(x, float) else x for c, x in zip(columns, row, strict=True))
            for row in shares
        ]
        table = Table(*columns, title=title)
        for row in rows:
            cells = zip(columns, row, strict=True)
            table.add_row(*(f"{x:.{1 if '%' in c else 3}f}" if isinstance(x, float) else str(x) for c, x in cells))
        Console().print(table)
        result[part.__name__] = {"title": title, "rows": [dict(zip(columns, row, strict=True)) for row in rows]}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{time.perf_counter() - started:.0f} s; {options.out}")


def one_rate(rng: np.random.Generator, studies: int):
    """Coverage at each n, mean and least over the rates, in 25 times as many studies; also exactly, by enumeration."""
    methods = {
        "Wilson": wilson_bounds,
        "Clopper-Pearson": clopper_pearson_bounds,
        "Robbins": lambda k, n: rate_sequence_bounds(k, np.full(k.shape, n)),
    }
    rows = []
    for name, n in product(methods, TRIALS):
        k = np.arange(n + 1)
        low, high = methods[name](k, n)
        holds = np.array([(low <= p) & (p <= high) for p in RATES])
        simulated = np.array([h[rng.binomial(n, p, 25 * studies)].mean() for h, p in zip(holds, RATES, strict=True)])
        exact = np.array([binom.pmf(k, n, p) @ h for h, p in zip(holds, RATES, strict=True)])
        width = float(binom.pmf(k, n, 0.8) @ (high - low))
        rows.append((name, n, float(simulated.mean()), float(simulated.min()), float(exact.mean()), float(exact.min())))
        rows[-1] += (width,)
    columns = ("method", "n", "mean %", "least %", "mean % (exact)", "least % (exact)", "width at 0.8")
    return "one rate, p = 0.05, 0.10, ... 0.95", columns, rows


def at_all_times(rng: np.random.Generator, studies: int):
    """How often an interval that is looked at after every trial holds the rate every time."""
    n = np.repeat(np.arange(1, HORIZON + 1), HORIZON + 1)
    k = np.minimum(np.tile(np.arange(HORIZON + 1), HORIZON), n)
    tables = {
        "Robbins": [bound.reshape(HORIZON, -1) for bound in rate_sequence_bounds(k, n)],
        "Wilson": [bound.reshape(HORIZON, -1) for bound in wilson_bounds(k, n)],
    }
    rows = []
    for p in RATES[::3]:
        paths = (rng.random((studies, HORIZON)) < p).astype(float)
        counts, times = np.cumsum(paths, axis=1).astype(int), np.arange(HORIZON)
        held = [
            float(((low[times, counts] <= p) & (p <= high[times, counts])).all(axis=1).mean())
            for low, high in tables.values()
        ]
        low, high = betting_bounds(paths[: max(1, studies // 2), :100], anytime=True)
        rows.append((p, held[0], float(((low <= p) & (p <= high)).mean()), held[1]))
    columns = ("p %", "Robbins %", "betting, 100 trials %", "Wilson, for contrast %")
    return f"held at all of {HORIZON} looks", columns, rows


def two_rates(rng: np.random.Generator, studies: int):
    """Newcombe's coverage, and the exact chance that Boschloo's test rejects: its size where the rates are equal."""
    rows = []
    for n, (a, b) in product((10, 30, 100), PAIRS_OF_RATES):
        interval = lru_cache(None)(lambda i, j, n=n: newcombe(a=(i, n), b=(j, n)))
        counts = zip(rng.binomial(n, a, studies).tolist(), rng.binomial(n, b, studies).tolist(), strict=True)
        held = share(interval(i, j).holds(a - b) for i, j in counts)
        rows.append((n, a, b, held, power_two_rates(trials_a=n, trials_b=n, rate_a=a, rate_b=b)))
    return "two independent rates", ("n each", "a %", "b %", "Newcombe %", "Boschloo rejects % (exact)"), rows


def paired_rates(rng: np.random.Generator, studies: int):
    """Coverage of paired differences, and the exact chance that McNemar's test rejects."""
    rows = []
    for n, (both, first, second) in product(
        (10, 30, 100), ((0.45, 0.05, 0.05), (0.7, 0.1, 0.1), (0.25, 0.25, 0.25), (0.6, 0.3, 0.05))
    ):
        cells = rng.multinomial(n, (both, first, second, 1 - both - first - second), studies)
        tables = [Pairs(both=a, only_first=b, only_second=c, neither=d) for a, b, c, d in cells.tolist()]
        held = []
        for method in ("tango", "newcombe"):
            interval = lru_cache(None)(lambda pairs, method=method: compare_paired(pairs, method=method).interval)
            held.append(share(interval(pairs).holds(first - second) for pairs in tables))
        rows.append((n, both, first, second, *held, power_paired(pairs=n, only_first=first, only_second=second)))
    columns = ("pairs", "both %", "first %", "second %", "Tango %", "Newcombe %", "McNemar rejects % (exact)")
    return "paired rates", columns, rows


def peeking(rng: np.random.Generator, studies: int):
    """False positives when one looks after every block and stops at the first that is significant."""
    rows = []
    for p in (0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95):
        a, b = ((rng.random((studies, HORIZON)) < p).astype(float) for _ in range(2))
        rows.append((p, *(reached(log_e(a, b)) for log_e in (two_rate_log_e, paired_log_e)), naive(a, b)))
    columns = ("p %", "two rates %", "paired %", "z test at each look, for contrast %")
    return f"false positives within {HORIZON} looks", columns, rows


def deciding(rng: np.random.Generator, studies: int):
    """How many blocks a decision takes where the rates differ."""
    rows = []
    for a, b in ((0.95, 0.3), (0.87, 0.37), (0.9, 0.6), (0.8, 0.6), (0.6, 0.5)):
        x, y = ((rng.random((studies, HORIZON)) < rate).astype(float) for rate in (a, b))
        row = [a, b]
        for log_e in (two_rate_log_e, paired_log_e):
            crossed = log_e(x, y) >= np.log(20)
            looks = np.where(crossed.any(axis=1), crossed.argmax(axis=1) + 1, HORIZON)
            row += [float(crossed.any(axis=1).mean()), int(np.median(looks)), int(np.quantile(looks, 0.8))]
        rows.append(tuple(row))
    names = ("decided %", "median looks", "80 % by")
    columns = ("a %", "b %", *(f"{test}: {name}" for test in ("two rates", "paired") for name in names))
    return f"decisions within {HORIZON} looks", columns, rows


def products_and_averages(rng: np.random.Generator, studies: int):
    """Coverage of execution x recognition of independent trials, and of a macro average's bootstraps."""
    rows = []
    for n, (p, q) in product((10, 30, 100), ((0.95, 0.5), (0.8, 0.8), (0.3, 0.9))):
        interval = lru_cache(None)(lambda i, j, n=n: product_of_rates(execution=(i, n), recognition=(j, n)).interval)
        counts = zip(rng.binomial(n, p, studies).tolist(), rng.binomial(n, q, studies).tolist(), strict=True)
        rows.append((f"product {p} x {q}", n, share(interval(i, j).holds(p * q) for i, j in counts)))
    for tasks, n, resample in product((5, 20), (10, 50), ("episodes", "tasks")):
        held, draws = [], max(1, studies // 2)
        for _ in range(draws):
            # tasks as in a benchmark: from nearly never to nearly always, Beta(2, 2), mean 1/2
            rates = rng.beta(2, 2, tasks)
            results = {str(i): (rng.random(n) < rate).astype(float) for i, rate in enumerate(rates)}
            found = macro_average(results, resample=resample, rng=rng, draws=600)
            held.append(found.interval.holds(float(rates.mean()) if resample == "episodes" else 0.5))
        rows.append((f"macro of {tasks} tasks, {resample}", n, share(held)))
    return "products and macro averages", ("estimate", "n each", "coverage %"), rows


def powered(rng: np.random.Generator, studies: int):
    """Real success from n real trials and 10 n simulated ones that agree with them in 90 % or 98 % of episodes."""
    rows, studies = [], max(1, studies // 2)
    for agree, p, n in product((0.9, 0.98), (0.5, 0.8, 0.95), (10, 30, 100)):
        real = (rng.random((studies, n)) < p).astype(float)
        sim = np.where(rng.random((studies, n)) < agree, real, 1 - real)
        extra = (rng.random((studies, n, 10)) < agree * p + (1 - agree) * (1 - p)).astype(float)
        asymptotic = [ppi(real=y, sim=f, extra_sim=g.ravel()) for y, f, g in zip(real, sim, extra, strict=True)]
        # where it is undefined it makes no claim; that is counted as not covering
        held = share(one.interval is not None and one.interval.holds(p) for one in asymptotic)
        widths = [one.interval.width for one in asymptotic if one.interval is not None]
        low, high = corrected_bounds(real + 0.5 * (extra.mean(axis=2) - sim), weight=0.5)
        exact = clopper_pearson_bounds(real.sum(axis=1).astype(int), n)
        saved = [one.saved for one in asymptotic if one.saved is not None]
        rows.append((agree, p, n, held, float(((low <= p) & (p <= high)).mean())))
        rows[-1] += (*(float(np.mean(w)) for w in (widths, high - low, exact[1] - exact[0])), int(np.median(saved)))
    columns = ("agree %", "p %", "n", "PPI++ %", "finite %", "width PPI++", "width finite", "width real alone, exact")
    return "prediction-powered real success", (*columns, "PPI++ saved, median"), rows


def naive(a: np.ndarray, b: np.ndarray) -> float:
    """The share of studies in which a two-sided z test of equal rates is ever significant from the fifth look on."""
    n = np.arange(1, a.shape[1] + 1)
    x, y = np.cumsum(a, axis=1) / n, np.cumsum(b, axis=1) / n
    pooled = (x + y) / 2
    error = np.sqrt(2 * pooled * (1 - pooled) / n)
    z = np.divide(np.abs(x - y), error, out=np.zeros(x.shape), where=error > 0)
    return float((2 * ndtr(-z) <= 0.05)[:, 4:].any(axis=1).mean())


def reached(log_e: np.ndarray) -> float:
    return float((log_e.max(axis=1) >= np.log(20)).mean())


def share(flags: Iterable[bool]) -> float:
    return float(np.mean(list(flags)))


if __name__ == "__main__":
    main(tyro.cli(Options))
