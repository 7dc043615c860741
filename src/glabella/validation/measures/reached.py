"""What a fitted model reaches on a large fresh sample: values alone, without intervals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from glabella.models.penalised import fit_logistic
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.discrimination import compute_losses, count_concordance
from glabella.validation.measures.performance import DEFAULT_THRESHOLD

# Wide enough to leave the slope of thousands of participants where it is.
_NO_PENALTY = 1e4
_MOST_STEPS = 50

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int_]


def compute_reached(
    probability: Floats, sample: Sample, rows: Rows, *, threshold: float = DEFAULT_THRESHOLD
) -> dict[str, float]:
    """Compute the measures of one model on participants whom it never saw.

    Parameters
    ----------
    probability : array of float, shape (n_rows,)
        Predicted, in (0, 1).
    sample : Sample
        Participants.
    rows : array of int, shape (n_rows,)
        Those who were predicted; many, so that what they reach is what is to be expected.
    threshold : float
        Of sensitivity, specificity and predictive values.

    Returns
    -------
    dict of float
        By measure, as `measure_performance` values it; without average precision and the
        calibration index, and without what has no value, such as a concordance without pairs.

    Examples
    --------
    >>> from glabella.features.spec import FeatureTable
    >>> blank = np.array([""] * 4)
    >>> sample = Sample(FeatureTable(pd.DataFrame(index=range(4)), ()), np.array([[1, 0, 1, 0]]),
    ...     blank, blank, blank, blank, np.ones(4, dtype=bool))
    >>> compute_reached(np.array([0.6, 0.4, 0.7, 0.65]), sample, np.arange(4))["auc"]
    0.75
    """
    responded, active = sample.outcomes[0, rows].astype(bool), sample.active[rows]
    outcome, n = responded.astype(float), len(rows)
    parts = [each[rows] for each in (sample.trial, sample.cohort, sample.arm)]
    cells = pd.factorize(pd.MultiIndex.from_arrays(parts))[0]
    rate = float(outcome.mean())
    squared = float(((probability - outcome) ** 2).mean())
    says = probability >= threshold
    found = {
        "auc": _compute_concordance(responded, probability, cells, active),
        "auc_control": _compute_concordance(responded, probability, cells, ~active),
        "auc_all": _compute_concordance(
            responded, probability, np.zeros(n, dtype=int), np.ones(n, dtype=bool)
        ),
        "brier": squared,
        "log_loss": float(compute_losses(responded, probability).mean()),
        "scaled_brier": 1.0 - squared / (rate * (1.0 - rate)) if 0.0 < rate < 1.0 else np.nan,
        "observed_expected": float(outcome.sum() / probability.sum()),
        "sensitivity": _share(says, responded),
        "specificity": _share(~says, ~responded),
        "ppv": _share(responded, says),
        "npv": _share(~responded, ~says),
    }
    if 0.0 < rate < 1.0 and ((probability > 0) & (probability < 1)).all():
        log_odds = logit(probability)
        found["calibration_intercept"] = _find_intercept(outcome, log_odds)
        if np.ptp(log_odds) > 1e-9:
            fit = fit_logistic(
                (log_odds - log_odds.mean())[:, None],
                responded.astype(int),
                np.array([_NO_PENALTY]),
            )
            found["calibration_slope"] = float(fit.coefficients[0])
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def _compute_concordance(
    responded: npt.NDArray[np.bool_],
    probability: Floats,
    cells: npt.NDArray[np.int_],
    mine: npt.NDArray[np.bool_],
) -> float:
    agreeing, pairs = count_concordance(responded[mine], probability[mine], cells[mine])
    return float(agreeing.sum() / pairs.sum()) if pairs.sum() else float("nan")


def _share(held: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> float:
    return float(held[among].mean()) if among.any() else float("nan")


def _find_intercept(outcome: Floats, log_odds: Floats) -> float:
    """Find what must be added to all log odds for as many responders as there were."""
    intercept = 0.0
    for _ in range(_MOST_STEPS):
        expected = expit(log_odds + intercept)
        step = (outcome - expected).sum() / max(float((expected * (1 - expected)).sum()), 1e-10)
        intercept += float(np.clip(step, -5.0, 5.0))
        if abs(step) < 1e-10:
            break
    return intercept
