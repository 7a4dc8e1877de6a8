import numpy as np
import pytest

from touchstone.errors import UsageError
from touchstone.scoring.statistics.betting import betting_mean
from touchstone.scoring.statistics.intervals import clopper_pearson
from touchstone.scoring.statistics.ppi import ppi, ppi_finite

REAL = [1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1]
SIM = [1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0]
EXTRA = [1, 1, 0, 1, 0, 1, 1, 1] * 25


# ppi_mean_pointestimate and ppi_mean_ci of ppi-python 0.2.3 with alpha 0.05
@pytest.mark.parametrize(
    ("weight", "real", "low", "high"),
    [(None, 0.76280323, 0.56313490, 0.96247157), (1.0, 0.81666667, 0.58497159, 1.0)],
)
def test_ppi_agrees_with_ppi_python(weight, real, low, high):
    found = ppi(real=REAL, sim=SIM, extra_sim=EXTRA, weight=weight)
    assert found.real == pytest.approx(real, abs=1e-8)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), abs=1e-8)


def test_without_trust_in_simulation_ppi_is_the_mean_of_the_real_trials():
    found = ppi(real=REAL, sim=SIM, extra_sim=EXTRA, weight=0.0)
    assert found.real == pytest.approx(np.mean(REAL))
    assert found.interval.low == pytest.approx(found.real_alone.low) and found.saved == 0


def test_a_simulation_that_tells_nothing_gets_no_weight():
    found = ppi(real=[1, 0] * 20, sim=[1, 1, 0, 0] * 10, extra_sim=EXTRA)
    assert found.weight == 0.0 and found.saved == 0


def test_a_perfect_simulation_saves_almost_all_trials_that_its_number_allows():
    rng = np.random.default_rng(0)
    real = (rng.random(50) < 0.6).astype(float)
    extra = (rng.random(5000) < 0.6).astype(float)
    found = ppi(real=real, sim=real, extra_sim=extra)
    assert found.weight > 0.95 and found.saved > 1000
    assert found.real == pytest.approx(extra.mean(), abs=0.01)


def test_ppi_says_when_it_is_undefined():
    assert "alike" in ppi(real=[1, 1, 1], sim=[1, 0, 1], extra_sim=EXTRA, weight=0.0).reason
    assert ppi(real=[1], sim=[1], extra_sim=EXTRA).real is None
    assert ppi(real=[1, 0], sim=[1, 0], extra_sim=[]).interval is None


def test_finite_ppi_without_trust_is_betting_on_the_real_trials():
    found = ppi_finite(real=REAL, sim=SIM, extra_sim=EXTRA, weight=0.0)
    alone = betting_mean(REAL, bounds=(0, 1), anytime=False).interval
    assert (found.interval.low, found.interval.high) == pytest.approx((alone.low, alone.high))
    exact = clopper_pearson(10, 15)
    assert (found.real_alone.low, found.real_alone.high) == (exact.low, exact.high)
    assert found.saved < 0


def test_finite_ppi_estimates_the_corrected_mean_and_uses_whole_blocks():
    found = ppi_finite(real=REAL, sim=SIM, extra_sim=EXTRA, weight=1.0)
    used = EXTRA[: 15 * (200 // 15)]
    assert found.extra == 195
    assert found.real == pytest.approx(np.mean(REAL) + np.mean(used) - np.mean(SIM))
    assert found.interval.holds(found.real)


def test_a_faithful_simulation_narrows_the_finite_interval_and_saved_is_its_width():
    rng = np.random.default_rng(1)
    real = (rng.random(100) < 0.6).astype(float)
    found = ppi_finite(real=real, sim=real, extra_sim=(rng.random(5000) < 0.6).astype(float), weight=1.0)
    assert found.interval.width < 0.8 * found.real_alone.width and found.saved > 50
    n = 100 + found.saved
    assert clopper_pearson(round(n * real.mean()), n).width == pytest.approx(found.interval.width, abs=2e-3)


def test_fewer_extra_trials_than_pairs_correct_the_first_pairs():
    found = ppi_finite(real=REAL, sim=SIM, extra_sim=[0, 1], weight=1.0)
    assert (found.paired, found.extra) == (15, 2)
    assert found.real == pytest.approx((sum(REAL) + (0 - 1) + (1 - 0)) / 15)
    assert found.interval.holds(found.real)


def test_fewer_extra_trials_than_pairs_still_cover():
    rng = np.random.default_rng(3)
    studies, n, extra = 300, 20, 10
    real = (rng.random((studies, n)) < 0.8).astype(float)
    agree = rng.random((studies, n)) < 0.9
    sim, more = np.where(agree, real, 1 - real), (rng.random((studies, extra)) < 0.8 * 0.9 + 0.2 * 0.1).astype(float)
    held = [ppi_finite(real=y, sim=f, extra_sim=g).interval.holds(0.8) for y, f, g in zip(real, sim, more, strict=True)]
    assert np.mean(held) >= 0.95


def test_finite_ppi_needs_an_extra_trial_and_binary_outcomes():
    assert "an extra simulated trial" in ppi_finite(real=REAL, sim=SIM, extra_sim=[]).reason
    assert ppi_finite(real=[], sim=[], extra_sim=[]).real is None
    with pytest.raises(UsageError, match="0 or 1"):
        ppi_finite(real=[0.5], sim=[1], extra_sim=[1])


@pytest.mark.parametrize("method", [ppi, ppi_finite])
def test_bad_input_is_refused(method):
    with pytest.raises(UsageError, match="same episodes"):
        method(real=[1, 0, 1], sim=[1, 0], extra_sim=EXTRA)
    with pytest.raises(UsageError, match="between 0 and 1"):
        method(real=[1, 0], sim=[1, 3], extra_sim=EXTRA)
    with pytest.raises(UsageError, match="weight"):
        method(real=[1, 0], sim=[1, 0], extra_sim=EXTRA, weight=2.0)
