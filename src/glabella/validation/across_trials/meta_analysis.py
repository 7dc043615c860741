"""Pools a measure over trials by random effects, and predicts what a new trial will show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit, logit, ndtr
from scipy.stats import chi2, lognorm
from scipy.stats import t as student

from glabella.validation.measures.estimation.estimate import Estimate, make_missing_estimate

Floats = npt.NDArray[np.float64]

# From as many trials on, these say enough of the variance between them that a wide prior decides
# little, and a prior that another field taught would be in their way.
ENOUGH_FOR_ONE_PRIOR = 7
# The between-study standard deviation of AUCs, on their own scale, over 469 cardiovascular models
# and their external validations: lognormal with this mean and standard deviation.
_EMPIRICAL_MEAN, _EMPIRICAL_SD = 0.055, 0.015
# A second prior, wide and on the scale of pooling: half t of 3 degrees of freedom.
_WIDE_SCALE, _WIDE_DF = 0.5, 3
_GRID = 400
_TAIL = 0.025


Scale = Literal["identity", "logit", "log"]


@dataclass(frozen=True)
class Prediction:
    """What a new trial will show, with 95 % probability.

    Parameters
    ----------
    low, high : float
        The interval for its true value, without the chance of its own participants.
    method : str
        In words.
    """

    low: float
    high: float
    method: str


@dataclass(frozen=True)
class PooledMeasure:
    """A measure over trials.

    Parameters
    ----------
    estimate : Estimate
        Of the mean over trials, by the same posterior as the first prediction, so that its interval
        is inside that of a new trial; without a value and with the reason where there are under two
        trials.
    trials : tuple of str
        Those that were pooled.
    left_out : dict
        Trial to why it has no estimate.
    tau2 : float or None
        The variance between trials, on `scale`, by restricted maximum likelihood.
    tau2_low, tau2_high : float or None
        Its 95 % interval by the Q-profile.
    i2 : float or None
        The share of the variance that is between trials, in percent.
    q, q_p : float or None
        Cochran's Q and its p-value.
    scale : str
        ``identity``, ``logit`` or ``log``.
    predictions : tuple of Prediction
        The first is to be shown; with few trials one for each prior.
    hartung_knapp : Estimate
        The mean by restricted maximum likelihood with Hartung and Knapp's interval, as a check of
        how far the prior decides.
    """

    estimate: Estimate
    trials: tuple[str, ...]
    left_out: dict[str, str]
    tau2: float | None = None
    tau2_low: float | None = None
    tau2_high: float | None = None
    i2: float | None = None
    q: float | None = None
    q_p: float | None = None
    scale: str = "identity"
    predictions: tuple[Prediction, ...] = ()
    hartung_knapp: Estimate = field(default_factory=Estimate)


def pool_trials(estimates: Sequence[tuple[str, Estimate]]) -> PooledMeasure:
    """Pool a measure over trials.

    Returns
    -------
    PooledMeasure
        Mean, heterogeneity and prediction. Mean and prediction rest on a prior for the variance
        between trials, a wide one. Under seven trials there is for a concordance, after it, one
        by the empirical prior of van Leeuwen 2024, which is of cardiovascular models. The usual
        interval from the trials alone, a t with two degrees of freedom less than trials, takes
        the variance as known, and held a new trial too seldom (docs/decisions, 12).

    References
    ----------
    .. [1] Snell KIE, Ensor J, Debray TPA, Moons KGM, Riley RD. Meta-analysis of prediction model
       performance across multiple studies: which scale helps ensure between-study normality for
       the C-statistic and calibration measures? Stat Methods Med Res 2018;27:3505-3522.
    .. [2] Hartung J, Knapp G. A refined method for the meta-analysis of controlled clinical trials
       with binary outcome. Stat Med 2001;20:3875-3889.
    .. [3] Knapp G, Hartung J. Improved tests for a random effects meta-regression with a single
       covariate. Stat Med 2003;22:2693-2710: the standard error is not below that of known
       variances.
    .. [4] Higgins JPT, Thompson SG, Spiegelhalter DJ. A re-evaluation of random-effects
       meta-analysis. J R Stat Soc A 2009;172:137-159.
    .. [5] Viechtbauer W. Confidence intervals for the amount of heterogeneity in meta-analysis.
       Stat Med 2007;26:37-52.
    .. [6] van Leeuwen FD, Steyerberg EW, van Klaveren D, Wessler B, Kent DM, van Zwet EW.
       Empirical evidence that there is no such thing as a validated prediction model. 2024,
       arXiv 2406.08628.
    .. [7] Friede T, Roever C, Wandel S, Neuenschwander B. Meta-analysis of few small studies in
       orphan diseases. Res Synth Methods 2017;8:79-91: the half t prior.
    .. [8] Partlett C, Riley RD. Random effects meta-analysis: coverage performance of 95%
       confidence and prediction intervals following REML estimation. Stat Med 2017;36:301-317.
    """
    known = [(name, item) for name, item in estimates if _is_known(item)]
    left_out = {
        name: item.reason or "it has no standard error"
        for name, item in estimates
        if not _is_known(item)
    }
    names = tuple(name for name, _ in known)
    scales = {item.scale for _, item in known}
    if len(scales) > 1:
        raise ValueError("estimates on different scales can't be pooled")
    if len(known) < 2:
        count = "no trial has" if not known else "only one trial has"
        return PooledMeasure(make_missing_estimate(f"{count} an estimate"), names, left_out)
    [scale] = scales
    value = np.array([_transform(item.value, scale) for _, item in known])
    variance = np.array([float(item.standard_error or 0.0) ** 2 for _, item in known])
    tau2 = estimate_tau2(value, variance)
    mean, error = _fit_mean(value, variance, tau2)
    degrees = len(value) - 1
    half = float(student.ppf(1 - _TAIL, degrees)) * error
    back = _BACK[scale]
    weight = 1.0 / variance
    q = float(weight @ (value - weight @ value / weight.sum()) ** 2)
    # A difference of the squared sum and the sum of squares loses the small weights by a large one.
    share = weight / weight.sum()
    others = np.array([np.delete(share, at).sum() for at in range(len(share))])
    typical = degrees / (weight.sum() * float(share @ others))
    low, high = _find_profile_q(value, variance)
    posterior = _compute_posterior(value, variance, _weight_wide)
    return PooledMeasure(
        estimate=posterior.estimate_mean(scale),
        hartung_knapp=Estimate(
            back(mean), back(mean - half), back(mean + half), standard_error=error, scale=scale
        ),
        trials=names,
        left_out=left_out,
        tau2=tau2,
        tau2_low=low,
        tau2_high=high,
        i2=min(float(100.0 * tau2 / (tau2 + typical)), 100.0),
        q=q,
        q_p=float(chi2.sf(q, degrees)),
        scale=scale,
        predictions=_predict(posterior, value, variance, scale),
    )


def estimate_tau2(value: Floats, variance: Floats) -> float:
    """Estimate the variance between trials by restricted maximum likelihood.

    Examples
    --------
    >>> estimate_tau2(np.array([0.0, 0.0]), np.array([1.0, 1.0]))
    0.0
    """

    def find_deviances(tau2: Floats) -> Floats:
        total = variance + tau2[:, None]
        weight = 1.0 / total
        in_all = weight.sum(axis=1)
        apart = value - (weight @ value / in_all)[:, None]
        spread = np.log(total).sum(axis=1) + np.log(in_all)
        return np.asarray(spread + (weight * apart**2).sum(axis=1))

    def compute_deviance(tau2: float) -> float:
        return float(find_deviances(np.array([tau2]))[0])

    # The likelihood may have several peaks; a coarse look finds the highest.
    top = 10.0 * float(np.var(value) + variance.max()) + 1e-12
    coarse = np.concatenate([[0.0], np.geomspace(top * 1e-8, top, 200)])
    best = int(np.argmin(find_deviances(coarse)))
    low, high = coarse[max(best - 1, 0)], coarse[min(best + 1, len(coarse) - 1)]
    found = minimize_scalar(
        compute_deviance, bounds=(low, high), method="bounded", options={"xatol": top * 1e-12}
    )
    return 0.0 if compute_deviance(0.0) <= found.fun else float(found.x)


def _is_known(item: Estimate) -> bool:
    error = item.standard_error
    return item.value is not None and error is not None and np.isfinite(error) and error > 0


def _transform(value: float | None, scale: str) -> float:
    if value is None:
        raise ValueError("an estimate without a value can't be pooled")
    return float(_FORTH[scale](value))


def _fit_mean(value: Floats, variance: Floats, tau2: float) -> tuple[float, float]:
    """The weighted mean and Hartung and Knapp's standard error.

    Trials that happen to agree would make it as small as one likes, and two that are alike give
    no width at all; so it is not smaller than the participants of the trials allow.
    """
    weight = 1.0 / (variance + tau2)
    mean = float(weight @ value / weight.sum())
    residual = float(weight @ (value - mean) ** 2) / (len(value) - 1)
    return mean, float(np.sqrt(max(residual, 1.0) / weight.sum()))


def _find_profile_q(value: Floats, variance: Floats) -> tuple[float, float]:
    degrees = len(value) - 1

    def compute_generalised(tau2: float) -> float:
        weight = 1.0 / (variance + tau2)
        return float(weight @ (value - weight @ value / weight.sum()) ** 2)

    def solve(target: float) -> float:
        if compute_generalised(0.0) <= target:
            return 0.0
        top = float(variance.max() + np.var(value)) + 1e-12
        while compute_generalised(top) > target:
            top *= 10.0
        return float(brentq(lambda tau2: compute_generalised(tau2) - target, 0.0, top, xtol=1e-14))

    return solve(float(chi2.ppf(1 - _TAIL, degrees))), solve(float(chi2.ppf(_TAIL, degrees)))


def _predict(
    posterior: _Posterior, value: Floats, variance: Floats, scale: str
) -> tuple[Prediction, ...]:
    back = _BACK[scale]
    low, high = posterior.predict()
    predictions = [
        Prediction(
            back(low),
            back(high),
            f"Bayesian, with a half t prior of scale {_WIDE_SCALE} and {_WIDE_DF} degrees of "
            "freedom on the standard deviation between trials"
            + ("" if scale == "identity" else f", on the {scale} scale"),
        )
    ]
    if scale == "logit" and len(value) < ENOUGH_FOR_ONE_PRIOR:
        natural = expit(value)
        low, high = _compute_posterior(
            natural, variance * (natural * (1 - natural)) ** 2, _weight_empirical
        ).predict()
        empirical = Prediction(
            max(low, 0.0),
            min(high, 1.0),
            "Bayesian, with van Leeuwen's empirical prior on the standard deviation between "
            "trials: mean 0.055, from 469 cardiovascular models, on the scale of the concordance",
        )
        predictions.append(empirical)
    return tuple(predictions)


@cache
def _weight_empirical() -> tuple[Floats, Floats]:
    ratio = 1 + (_EMPIRICAL_SD / _EMPIRICAL_MEAN) ** 2
    shape, scale = np.sqrt(np.log(ratio)), _EMPIRICAL_MEAN / np.sqrt(ratio)
    return _make_grid(lambda p: lognorm.ppf(p, shape, scale=scale))


@cache
def _weight_wide() -> tuple[Floats, Floats]:
    return _make_grid(lambda p: _WIDE_SCALE * student.ppf((1 + p) / 2, _WIDE_DF))


def _make_grid(quantile: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
    """Standard deviations at equal steps of the prior's probability."""
    p = (np.arange(_GRID) + 0.5) / _GRID
    return np.asarray(quantile(p), dtype=float), np.full(_GRID, 1.0 / _GRID)


@dataclass(frozen=True)
class _Posterior:
    """Means given each standard deviation between trials, and the chance of that deviation.

    Given the deviation and a flat prior on the mean, mean and new trial are normal; so what is left
    to integrate has one dimension.
    """

    chance: Floats
    mean: Floats
    error: Floats
    tau: Floats

    def predict(self) -> tuple[float, float]:
        """The interval for the true value in a new trial."""
        spread = np.sqrt(self.error**2 + self.tau**2)
        return self._find_quantile(spread, _TAIL), self._find_quantile(spread, 1 - _TAIL)

    def estimate_mean(self, scale: Scale) -> Estimate:
        """The mean over trials, with its interval."""
        back = _BACK[scale]
        mean = float(self.chance @ self.mean)
        error = np.sqrt(self.chance @ (self.error**2 + (self.mean - mean) ** 2))
        low, high = (self._find_quantile(self.error, at) for at in (_TAIL, 1 - _TAIL))
        return Estimate(back(mean), back(low), back(high), standard_error=float(error), scale=scale)

    def _find_quantile(self, spread: Floats, target: float) -> float:
        low, high = (self.mean - 40 * spread).min(), (self.mean + 40 * spread).max()
        return float(
            brentq(lambda x: self.chance @ ndtr((x - self.mean) / spread) - target, low, high)
        )


def _compute_posterior(
    value: Floats, variance: Floats, prior: Callable[[], tuple[Floats, Floats]]
) -> _Posterior:
    tau, chance = prior()
    total = variance[None, :] + tau[:, None] ** 2
    weight = 1.0 / total
    mean = (weight @ value) / weight.sum(axis=1)
    residual = (weight * (value[None, :] - mean[:, None]) ** 2).sum(axis=1)
    log_likelihood = -0.5 * (np.log(total).sum(axis=1) + np.log(weight.sum(axis=1)) + residual)
    posterior = chance * np.exp(log_likelihood - log_likelihood.max())
    return _Posterior(posterior / posterior.sum(), mean, np.sqrt(1.0 / weight.sum(axis=1)), tau)


def _is_same(value: float) -> float:
    return float(value)


_FORTH: dict[str, Callable[[float], float]] = {"identity": _is_same, "logit": logit, "log": np.log}
_BACK: dict[str, Callable[[float], float]] = {
    "identity": _is_same,
    "logit": lambda value: float(expit(value)),
    "log": lambda value: float(np.exp(value)),
}
