"""Paired comparison of candidates on the same folds, and the rule by which one is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t

from glabella.validation.intervals import Estimate, not_estimable
from glabella.validation.metrics import compute_losses
from glabella.validation.rubin import pool_estimates


@dataclass(frozen=True)
class Difference:
    """One candidate against another, in log loss on the same folds.

    Parameters
    ----------
    candidate, against : str
        Whose loss, less whose.
    log_loss : Estimate
        Below zero where `candidate` is better.
    standard_error : float
        Of the difference; NaN with a single fold.
    """

    candidate: str
    against: str
    log_loss: Estimate
    standard_error: float

    @property
    def is_better(self) -> bool:
        """Whether the whole interval favours the candidate."""
        return self.log_loss.high is not None and self.log_loss.high < 0


@dataclass(frozen=True)
class Choice:
    """The candidate that was chosen, and why.

    Parameters
    ----------
    name : str
        The candidate.
    rule : str
        The rule in words.
    best : str
        The candidate of the lowest loss, which the rule may set aside for a simpler one.
    """

    name: str
    rule: str
    best: str


def compare_losses(
    candidate: str,
    against: str,
    predictions: Mapping[str, pd.DataFrame],
    outcomes: npt.NDArray[np.int8] | None = None,
) -> Difference:
    """Compare two candidates' log loss, fold by fold.

    Parameters
    ----------
    candidate, against : str
        Their names.
    predictions : mapping of DataFrame
        Rows of `collect_predictions` of one design, by candidate, on the same folds.
    outcomes : array of int, shape (n_imputations, n_participants), optional
        Where outcomes are imputed, each completed set: the comparison is made in each and pooled
        by Rubin's rules.

    Returns
    -------
    Difference
        With a 95 % interval from the corrected resampled t: the folds of repeated
        cross-validation share their training data, so the naive variance is too small.

    References
    ----------
    .. [1] Nadeau C, Bengio Y. Inference for the generalization error. Mach Learn 2003;52:239-281.
    """
    if outcomes is not None and len(outcomes) > 1:
        each = [
            compare_losses(
                candidate,
                against,
                {name: _with_outcome(predictions[name], drawn) for name in (candidate, against)},
            ).log_loss
            for drawn in outcomes
        ]
        folds = predictions[candidate].groupby(["repeat", "fold"]).ngroups
        pooled = pool_estimates(each, units=folds)
        error = float("nan") if pooled.standard_error is None else pooled.standard_error
        return Difference(candidate, against, pooled, error)
    first, second = (_losses_by_fold(predictions[name]) for name in (candidate, against))
    differences = (first["loss"] - second["loss"]).to_numpy()
    weights = first["n"].to_numpy(dtype=float)
    value = float(np.average(differences, weights=weights))
    folds = len(differences)
    if folds < 2:
        return Difference(candidate, against, not_estimable("there is one fold"), float("nan"))
    in_test = float(weights.mean())
    in_all = float(predictions[candidate]["row"].nunique())
    correction = 1.0 / folds + in_test / max(in_all - in_test, 1.0)
    error = float(np.sqrt(correction * differences.var(ddof=1)))
    half = float(t.ppf(0.975, folds - 1)) * error
    estimate = Estimate(value, value - half, value + half, standard_error=error)
    return Difference(candidate, against, estimate, error)


def _with_outcome(predictions: pd.DataFrame, outcome: npt.NDArray[np.int8]) -> pd.DataFrame:
    return predictions.assign(responded=outcome[predictions["row"].to_numpy()])


def choose_candidate(
    names: Sequence[str],
    references: Sequence[str],
    predictions: Mapping[str, pd.DataFrame],
    outcomes: npt.NDArray[np.int8] | None = None,
) -> Choice:
    """Choose by log loss, one standard error, simplest first.

    Parameters
    ----------
    names : sequence of str
        The candidates that were validated, simplest first.
    references : sequence of str
        Those among them that are there to be beaten.
    predictions : mapping of DataFrame
        Rows of `collect_predictions` of the pooled design, by candidate.
    outcomes : array of int, shape (n_imputations, n_participants), optional
        As in `compare_losses`.

    Returns
    -------
    Choice
        The first candidate within one standard error of the best; references are eligible only
        where nothing else is.

    Raises
    ------
    ValueError
        If no candidate was validated.
    """
    eligible = [name for name in names if name not in references] or list(names)
    if not eligible:
        raise ValueError("no candidate was validated")
    losses = {name: _mean_loss(predictions[name]) for name in eligible}
    best = min(eligible, key=lambda name: losses[name])
    rule = (
        "lowest cross-validated log loss; the simplest whose difference from it is within one "
        "standard error"
    )
    for name in eligible:
        if name == best:
            break
        difference = compare_losses(name, best, predictions, outcomes)
        if losses[name] - losses[best] <= difference.standard_error:
            return Choice(name, rule, best)
    return Choice(best, rule, best)


def _mean_loss(predictions: pd.DataFrame) -> float:
    return float(compute_losses(predictions["responded"], predictions["probability"]).mean())


def _losses_by_fold(predictions: pd.DataFrame) -> pd.DataFrame:
    losses = predictions.assign(
        loss=compute_losses(predictions["responded"], predictions["probability"])
    )
    return losses.groupby(["repeat", "fold"]).agg(loss=("loss", "mean"), n=("loss", "size"))
