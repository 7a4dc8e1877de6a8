import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from policy_server.vla.ensembling import TemporalEnsemble


def test_the_first_prediction_stands_alone():
    prediction = np.arange(8.0).reshape(4, 2)
    assert np.array_equal(TemporalEnsemble(4, -0.8).add(prediction), prediction[0])


def test_spatialvlas_weights_by_hand():
    ensemble = TemporalEnsemble(4, -0.8)
    made = [ensemble.add(np.array([[k], [k], [k], [k]], dtype=float))[0] for k in (1, 2, 4)]
    # weights 1, e^0.8 = 2.22554, e^1.6 = 4.95303, oldest first
    assert made[1] == pytest.approx((1 + 2.22554 * 2) / 3.22554, abs=1e-5)
    assert made[2] == pytest.approx((1 + 2.22554 * 2 + 4.95303 * 4) / 8.17857, abs=1e-5)


def test_each_prediction_is_read_where_it_speaks_of_now():
    ensemble = TemporalEnsemble(4, 0.0)
    # predicted at tick t for tick t+k: 10 t + k; what is said about tick 3: 3, 12, 21, 30
    made = [ensemble.add(10.0 * t + np.arange(4.0)[:, None])[0] for t in range(5)]
    assert made == pytest.approx([0, (1 + 10) / 2, (2 + 11 + 20) / 3, (3 + 12 + 21 + 30) / 4, (13 + 22 + 31 + 40) / 4])


@given(arrays(np.float64, (6, 4, 3), elements=st.floats(-1, 1)), st.floats(-2, 2))
def test_a_mean_lies_between_what_it_is_made_of(predictions, temperature):
    ensemble = TemporalEnsemble(4, temperature)
    for t in range(6):
        said = np.stack([predictions[s][t - s] for s in range(max(0, t - 3), t + 1)])
        made = ensemble.add(predictions[t])
        assert (said.min(axis=0) - 1e-12 <= made).all() and (made <= said.max(axis=0) + 1e-12).all()


def test_predictions_that_agree_are_kept():
    ensemble = TemporalEnsemble(4, -0.8)
    for t in range(7):
        assert ensemble.add(np.arange(t, t + 4.0)[:, None])[0] == pytest.approx(t)
