"""Temporal ensembling: every query predicts a few ticks ahead; what is done now is a mean of what was predicted."""

from __future__ import annotations

from collections import deque

import numpy as np


class TemporalEnsemble:
    """Holds the last `horizon` predictions of one episode.

    The action at tick t is sum_i w_i p_i / sum_i w_i over the predictions p_i made for t, i = 0 the oldest of them,
    with w_i = exp(-temperature i). A temperature of -0.8 (SpatialVLA) weighs the newest most, each exp(0.8) = 2.2 times
    the one before; 0 (Octo) is the plain mean. Source: simpler_env/utils/action/action_ensemble.py, as used for
    SpatialVLA in github.com/DelinQu/SimplerEnv-OpenVLA, and `ActionEnsembler` of INT-ACT.
    """

    def __init__(self, horizon: int, temperature: float) -> None:
        self._temperature = temperature
        self._predictions: deque[np.ndarray] = deque(maxlen=horizon)

    def add(self, prediction: np.ndarray) -> np.ndarray:
        """The action [D] for now. prediction: [horizon,D], for this tick and those after it; call it once a tick."""
        self._predictions.append(np.asarray(prediction, dtype=np.float64))
        count = len(self._predictions)
        about_now = np.stack([made[count - 1 - i] for i, made in enumerate(self._predictions)])
        weights = np.exp(-self._temperature * np.arange(count))
        return weights @ about_now / weights.sum()
