"""Whether a feature's association with response differs by arm, given all other features."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from scipy.stats import norm, rankdata

from glabella.models.penalised import fit_logistic
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.estimation.estimate import (
    Estimate,
    estimate_mean,
    make_missing_estimate,
)
from glabella.validation.measures.estimation.rubin import pool_estimates
from glabella.validation.measures.evaluation import explain_few

Floats = npt.NDArray[np.float64]

# Standard deviations of the priors of the other terms, in log odds for one standard deviation of
# the feature: wider than the effects of patients' features, and narrow enough that many of them in
# few participants do not separate the classes.
_OF_OTHERS = 1.0
_OF_STRATA = 5.0
# The coefficient that is estimated is not shrunk.
_FREE = 1e3


def measure_interaction(sample: Sample, score: Floats, others: Floats) -> Estimate:
    """Estimate how much a feature's log odds ratio differs between active and control arms.

    A feature's concordance also differs between arms if another feature predicts in only one of
    them, or if noise differs; its log odds ratio given the others does not. ``score`` is higher
    for likelier response, and participants with a missing score are excluded. ``others`` are
    standardised, without missing values, and may differ in effect between the arms.

    Returns
    -------
    Estimate
        Active less control, per standard deviation of the score's normal quantiles: like a
        concordance it depends on the order alone, so that a long tail is not taken for another
        effect if fewer respond. It comes from a logistic regression with an intercept for each
        trial, cohort and arm, in which the other features are weakly shrunk, and its standard
        error is over participants. Not estimable if there is no control arm, or too few
        responders or non-responders in either arm.

    References
    ----------
    .. [1] Gail MH, Wieand S, Piantadosi S. Biased estimates of treatment effect in randomized
       experiments with nonlinear regressions and omitted covariates. Biometrika 1984;71:431-444.
    .. [2] Kent DM, Paulus JK, van Klaveren D et al. The Predictive Approaches to Treatment effect
       Heterogeneity (PATH) statement. Ann Intern Med 2020;172:35-45.
    """
    if not sample.has_arms:
        return make_missing_estimate("there is no control arm")
    rows = np.flatnonzero(~np.isnan(score))
    active = sample.active[rows]
    mine = score[rows]
    if any(len(np.unique(mine[arm])) < 2 for arm in (active, ~active)):
        return make_missing_estimate("it is constant in an arm")
    who = pd.factorize(sample.people[rows])[0]
    cells = pd.factorize(sample.strata[rows])[0]
    strata = (cells[:, None] == np.arange(1, cells.max() + 1)).astype(float)
    side = np.where(active, 0.5, -0.5)[:, None]
    own = _convert_to_normal(mine)[:, None]
    given = others[rows]
    design = np.hstack([own * side, own, given, given * side, strata])
    deviations = np.concatenate(
        [
            np.full(2, _FREE),
            np.full(2 * given.shape[1], _OF_OTHERS),
            np.full(strata.shape[1], _OF_STRATA),
        ]
    )
    each = []
    for outcome in sample.outcomes:
        responded = outcome[rows].astype(bool)
        few = next(
            filter(None, (explain_few(responded[arm], who[arm]) for arm in (active, ~active))), None
        )
        if few:
            return make_missing_estimate(few)
        each.append(_fit(design, responded, deviations, who))
    return pool_estimates(each, units=int(who.max()) + 1)


def _convert_to_normal(score: Floats) -> Floats:
    """Convert each value to the normal quantile of its rank, with a standard deviation of 1."""
    quantiles = norm.ppf((rankdata(score) - 0.5) / len(score))
    return np.asarray((quantiles - quantiles.mean()) / quantiles.std())


def _fit(
    design: Floats, responded: npt.NDArray[np.bool_], deviations: Floats, who: npt.NDArray[np.int_]
) -> Estimate:
    fit = fit_logistic(design, responded.astype(int), deviations)
    whole = np.column_stack([design, np.ones(len(design))])
    probability = expit(design @ fit.coefficients + fit.intercept)
    hessian = (whole.T * (probability * (1.0 - probability))) @ whole
    diagonal = np.arange(len(deviations))
    hessian[diagonal, diagonal] += deviations**-2.0
    scores = whole * (responded - probability)[:, None]
    units = int(who.max()) + 1
    if units < len(who):
        scores = np.column_stack([np.bincount(who, weights=column) for column in scores.T])
    # Only the influence on the first coefficient is needed.
    influence = scores @ np.linalg.solve(hessian, np.eye(len(hessian))[0])
    correction = units / max(units - whole.shape[1], 1)
    return estimate_mean(
        float(fit.coefficients[0]), float(np.sqrt(correction * (influence**2).sum()))
    )
