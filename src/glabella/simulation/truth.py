"""What is true of a simulated participant."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

Floats = npt.NDArray[np.float64]


def compute_prognosis(covariates: pd.DataFrame, weights: Mapping[str, float]) -> Floats:
    """Weigh a trial's covariates into a prognosis of mean 0 and variance 1.

    Parameters
    ----------
    covariates : DataFrame, shape (n_participants, n_covariates)
        Numbers, all participants of one trial.
    weights : mapping of float
        Covariate to weight; positive towards response.

    Returns
    -------
    array of float, shape (n_participants,)
        0 for all where nothing varies or nothing is weighed.
    """
    total = np.zeros(len(covariates))
    for name, weight in weights.items():
        total += weight * _standardise(covariates[name].to_numpy(dtype=float))
    return _standardise(total)


def compute_probability(prognosis: Floats, *, response: float, signal: float) -> Floats:
    """Compute each participant's true probability of response.

    A participant responds if ``signal * prognosis + sqrt(1 - signal**2) * e`` exceeds the
    ``1 - response`` quantile of the standard normal, with standard normal ``e``; so the arm's
    rate is `response` where the prognosis is standard normal.

    Parameters
    ----------
    prognosis : array of float, shape (n_participants,)
        From `compute_prognosis`.
    response : float
        The arm's rate of response.
    signal : float
        Correlation of prognosis and latent response, in [0, 1).

    Returns
    -------
    array of float, shape (n_participants,)
        Inside (0, 1).

    Examples
    --------
    >>> compute_probability(np.array([0.0]), response=0.5, signal=0.6)
    array([0.5])
    """
    distance = signal * prognosis + ndtri(response)
    return np.asarray(ndtr(distance / np.sqrt(1.0 - signal**2)), dtype=float)


def _standardise(values: Floats) -> Floats:
    spread = values.std()
    if spread < 1e-12:
        return np.zeros(len(values))
    return np.asarray((values - values.mean()) / spread, dtype=float)
