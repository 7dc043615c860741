"""Paired comparison of candidates on the same folds, and the rule by which one is chosen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t

from glabella.validation.folds.fold_result import InnerLosses
from glabella.validation.measures.estimation.attempt import attempt_estimate
from glabella.validation.measures.estimation.estimate import Estimate, make_missing_estimate
from glabella.validation.measures.estimation.rubin import pool_estimates
from glabella.validation.measures.overall import compute_losses

Floats = npt.NDArray[np.float64]

_RULE = (
    "lowest cross-validated log loss; the simplest whose difference from it is within one "
    "standard error"
)


@dataclass(frozen=True)
class Difference:
    """One candidate against another, in log loss on the same folds.

    Parameters
    ----------
    candidate, against : str
        Whose loss, less whose.
    log_loss : Estimate
        Below zero where `candidate` is better.
    """

    candidate: str
    against: str
    log_loss: Estimate

    @property
    def standard_error(self) -> float:
        """Of the difference; NaN where there is none, as with a single fold."""
        error = self.log_loss.standard_error
        return float("nan") if error is None else error

    @property
    def is_better(self) -> bool:
        """Whether the whole interval favours the candidate."""
        return self.log_loss.is_below(0.0)

    @property
    def p_value(self) -> float | None:
        """Two-sided p of no difference, by the same t as the interval; None without one."""
        return self.log_loss.p_value()


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

    Returns
    -------
    Difference
        With a 95 % interval from the corrected resampled t: the folds of repeated
        cross-validation share their training data, so the naive variance is too small.

    References
    ----------
    .. [1] Nadeau C, Bengio Y. Inference for the generalization error. Mach Learn 2003;52:239-281.
    """
    tables = [predictions[name] for name in (candidate, against)]
    rows = [table["row"].to_numpy() for table in tables]
    drawn = [None] if outcomes is None or len(outcomes) == 1 else list(outcomes)
    each = [
        _attempt_comparison(
            [
                _average_by_fold(
                    compute_losses(
                        table["responded"] if outcome is None else outcome[row],
                        table["probability"],
                    ),
                    number_folds(table),
                )
                for table, row in zip(tables, rows, strict=True)
            ],
            float(len(np.unique(rows[0]))),
        )
        for outcome in drawn
    ]
    if len(each) > 1:
        units = len(np.unique(number_folds(tables[0])))
        each = [attempt_estimate(partial(pool_estimates, each, units=units))]
    return Difference(candidate, against, each[0])


@dataclass(frozen=True)
class FoldLosses:
    """Mean losses in the folds that hold somebody.

    Parameters
    ----------
    losses : array of float, shape (n_folds,)
        One a fold.
    sizes : array of float, shape (n_folds,)
        Predictions in it.
    """

    losses: Floats
    sizes: Floats


def number_folds(predictions: pd.DataFrame) -> npt.NDArray[np.int_]:
    """Number the folds of all repetitions.

    Returns
    -------
    array of int, shape (n_predictions,)
        In the order of repetition and fold.
    """
    repeat, fold = (predictions[name].to_numpy(dtype=int) for name in ("repeat", "fold"))
    return np.asarray(repeat * (fold.max(initial=0) + 1) + fold)


def _average_by_fold(losses: Floats, folds: npt.NDArray[np.int_]) -> FoldLosses:
    sizes = np.bincount(folds).astype(float)
    there = sizes > 0
    return FoldLosses(np.bincount(folds, weights=losses)[there] / sizes[there], sizes[there])


def _attempt_comparison(pair: Sequence[FoldLosses], in_all: float) -> Estimate:
    return attempt_estimate(lambda: _compare(pair, in_all))


def _compare(pair: Sequence[FoldLosses], in_all: float) -> Estimate:
    """Give the mean difference of two candidates over folds, by the corrected resampled t."""
    first, second = pair
    differences = first.losses - second.losses
    if len(differences) < 2:
        return make_missing_estimate("there is one fold")
    value = float(np.average(differences, weights=first.sizes))
    error = _correct_error(differences, first.sizes, in_all)
    half = float(t.ppf(0.975, len(differences) - 1)) * error
    return Estimate(
        value, value - half, value + half, standard_error=error, freedom=len(differences) - 1.0
    )


def choose_candidate(
    names: Sequence[str],
    references: Sequence[str],
    predictions: Mapping[str, pd.DataFrame],
    outcomes: npt.NDArray[np.int8] | None = None,
) -> Choice:
    """Choose by log loss, one standard error, simplest first.

    Returns
    -------
    Choice
        The first candidate within one standard error of the best; references are eligible only
        where nothing else is.
    """
    eligible = list_eligible(names, references)
    if not eligible:
        raise ValueError("no candidate was validated")
    losses = {
        name: float(
            compute_losses(predictions[name]["responded"], predictions[name]["probability"]).mean()
        )
        for name in eligible
    }
    return _apply_rule(
        losses, lambda name, best: compare_losses(name, best, predictions, outcomes).standard_error
    )


def choose_by_losses(
    losses: Mapping[str, Floats], folds: npt.NDArray[np.int_], *, in_all: float
) -> Choice:
    """Choose by the rule of `choose_candidate`, where losses are known already."""
    by_fold = {name: _average_by_fold(each, folds) for name, each in losses.items()}

    def find_error(name: str, best: str) -> float:
        differences = by_fold[name].losses - by_fold[best].losses
        if len(differences) < 2:
            return float("nan")
        return _correct_error(differences, by_fold[name].sizes, in_all)

    return _apply_rule({name: float(each.mean()) for name, each in losses.items()}, find_error)


def adjust_by_holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust the p-values of a family of comparisons by Holm's method.

    Returns
    -------
    list of float or None
        In the same order; with any dependence between the comparisons, the chance that one of
        the true null hypotheses has at most 0.05 is at most 0.05.

    References
    ----------
    .. [1] Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat
       1979;6:65-70.

    Examples
    --------
    >>> adjust_by_holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    known = [p for p in p_values if p is not None]
    if not known:
        return list(p_values)
    # Not statsmodels' `multipletests`: it collects garbage each time, a tenth of a second.
    order = np.argsort(known, kind="stable")
    steps = np.array(known)[order] * np.arange(len(known), 0, -1)
    holm = np.empty(len(known))
    holm[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    adjusted = iter(holm.tolist())
    return [None if p is None else next(adjusted) for p in p_values]


def choose_by_inner_losses(inner: Mapping[str, InnerLosses]) -> Choice:
    """Choose within a training part by the rule of `choose_candidate`.

    Returns
    -------
    Choice
        By the same rule; the standard error is the corrected resampled t's over the inner folds.

    Examples
    --------
    >>> sizes = (20, 20, 20, 20)
    >>> choose_by_inner_losses({
    ...     "simple": InnerLosses((0.61, 0.66, 0.60, 0.65), sizes),
    ...     "best": InnerLosses((0.63, 0.62, 0.62, 0.63), sizes)}).name
    'simple'
    """
    losses = {
        name: float(np.average(item.losses, weights=item.sizes)) for name, item in inner.items()
    }

    def find_error(name: str, best: str) -> float:
        sizes = np.array(inner[best].sizes, dtype=float)
        differences = np.subtract(inner[name].losses, inner[best].losses)
        return _correct_error(differences, sizes, float(sizes.sum()))

    return _apply_rule(losses, find_error)


def list_eligible(names: Iterable[str], references: Collection[str]) -> list[str]:
    """List the candidates that may be chosen."""
    listed = list(names)
    return [name for name in listed if name not in references] or listed


def _apply_rule(losses: Mapping[str, float], find_error: Callable[[str, str], float]) -> Choice:
    best = min(losses, key=lambda name: losses[name])
    for name in losses:
        if name == best or losses[name] - losses[best] <= find_error(name, best):
            return Choice(name, _RULE, best)
    return Choice(best, _RULE, best)


def _correct_error(differences: Floats, sizes: Floats, in_all: float) -> float:
    """Give the standard error of a mean difference over folds that share their training data."""
    in_test = float(sizes.mean())
    correction = 1.0 / len(differences) + in_test / max(in_all - in_test, 1.0)
    return float(np.sqrt(correction * differences.var(ddof=1)))
