"""How many participants a model needs, by Riley's criteria, to be developed and to be validated."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, xlogy
from scipy.stats import norm

__all__ = ["compute_development_size", "compute_validation_size"]

# Targets of Riley 2020.
SHRINKAGE = 0.9
R2_DIFFERENCE = 0.05
RISK_MARGIN = 0.05
_Z = float(norm.ppf(0.975))
_NODES = 200


@dataclass(frozen=True)
class DevelopmentSize:
    """Participants needed to develop a model.

    Parameters
    ----------
    parameters : int
        Of the model, after encoding, the intercept not counted.
    prevalence : float
        Anticipated share of responders.
    r2 : float
        Anticipated Cox-Snell R squared.
    for_shrinkage, for_r2, for_risk : int
        For an expected shrinkage of 0.9, for an apparent Nagelkerke R squared at most 0.05 above
        the adjusted one, and for the overall risk to within 0.05.
    """

    parameters: int
    prevalence: float
    r2: float
    for_shrinkage: int
    for_r2: int
    for_risk: int

    @property
    def n(self) -> int:
        """The largest of the three."""
        return max(self.for_shrinkage, self.for_r2, self.for_risk)


@dataclass(frozen=True)
class ValidationSize:
    """Participants needed to validate a model in others.

    Parameters
    ----------
    for_observed_expected, for_slope, for_concordance : int
        For 95 % intervals of the stated widths of the ratio of observed to expected response, of
        the calibration slope and of the concordance.
    """

    for_observed_expected: int
    for_slope: int
    for_concordance: int

    @property
    def n(self) -> int:
        """The largest of the three."""
        return max(self.for_observed_expected, self.for_slope, self.for_concordance)


def compute_r2_from_concordance(concordance: float, prevalence: float) -> float:
    """Compute the Cox-Snell R squared that goes with a concordance.

    The linear predictor is taken as normal with one variance in responders and others; its
    likelihood ratio against the prevalence is integrated, where Riley simulates it.

    Parameters
    ----------
    concordance : float
        In [0.5, 1).
    prevalence : float
        Share of responders, inside (0, 1).

    Returns
    -------
    float
        In [0, 1); 0 at a concordance of one half.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    .. [1] Riley RD, Van Calster B, Collins GS. A note on estimating the Cox-Snell R2 from a
       reported C statistic. Stat Med 2021;40:859-864.

    Examples
    --------
    >>> round(compute_r2_from_concordance(0.89, 0.174), 3)
    0.291
    """
    if not 0.5 <= concordance < 1:
        raise ValueError("the concordance must be in [0.5, 1)")
    _check_prevalence(prevalence)
    distance = math.sqrt(2.0) * float(norm.ppf(concordance))
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    null = xlogy(prevalence, prevalence) + xlogy(1 - prevalence, 1 - prevalence)
    log_likelihood = 0.0
    for responds, share in ((1, prevalence), (0, 1 - prevalence)):
        x = nodes + distance * responds
        log_odds = math.log(prevalence / (1 - prevalence)) + distance * x - distance**2 / 2
        # log p and log (1 - p), stable at both ends.
        log_share = -np.logaddexp(0.0, -log_odds if responds else log_odds)
        log_likelihood += share * float(weights @ log_share)
    return float(-np.expm1(-2.0 * (log_likelihood - null)))


def compute_largest_r2(prevalence: float) -> float:
    """Compute the largest Cox-Snell R squared that a binary outcome allows.

    Parameters
    ----------
    prevalence : float
        Share of responders, inside (0, 1).

    Returns
    -------
    float
        In (0, 0.75].

    Examples
    --------
    >>> compute_largest_r2(0.5)
    0.75
    """
    _check_prevalence(prevalence)
    entropy = xlogy(prevalence, prevalence) + xlogy(1 - prevalence, 1 - prevalence)
    return float(-np.expm1(2.0 * entropy))


def compute_development_size(parameters: int, prevalence: float, *, r2: float) -> DevelopmentSize:
    """Compute the participants that developing a model of a binary outcome needs.

    Parameters
    ----------
    parameters : int
        Of the model, after encoding, the intercept not counted; at least 1.
    prevalence : float
        Anticipated share of responders, inside (0, 1).
    r2 : float
        Anticipated Cox-Snell R squared, above 0 and below the largest possible.

    Returns
    -------
    DevelopmentSize
        By criterion.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    .. [1] Riley RD, Ensor J, Snell KIE, et al. Calculating the sample size required for developing
       a clinical prediction model. BMJ 2020;368:m441.

    Examples
    --------
    >>> compute_development_size(24, 0.174, r2=0.288).n
    662
    """
    largest = compute_largest_r2(prevalence)
    if parameters < 1:
        raise ValueError("a model has at least one parameter")
    if not 0 < r2 < largest:
        raise ValueError(f"the R squared must be above 0 and below {largest:.3f}")
    second = r2 / (r2 + R2_DIFFERENCE * largest)
    risk = (_Z / RISK_MARGIN) ** 2 * prevalence * (1 - prevalence)
    return DevelopmentSize(
        parameters=parameters,
        prevalence=prevalence,
        r2=r2,
        for_shrinkage=_round_up(_compute_size_for_shrinkage(parameters, r2, SHRINKAGE)),
        for_r2=_round_up(_compute_size_for_shrinkage(parameters, r2, second)),
        for_risk=_round_up(risk),
    )


def compute_expected_shrinkage(parameters: int, n: int, *, r2: float) -> float:
    """Compute the shrinkage that a model fitted to so many participants can expect.

    Parameters
    ----------
    parameters : int
        Of the model, the intercept not counted; at least 1.
    n : int
        Participants.
    r2 : float
        Anticipated Cox-Snell R squared, inside (0, 1): the adjusted one, which new participants
        would show.

    Returns
    -------
    float
        Inside (r2, 1): 0.9 means that predictions are too extreme by a tenth. Where even the
        least shrinkage, r2 itself, needs more participants, that is what is returned.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    .. [1] Riley RD, Snell KIE, Ensor J, et al. Minimum sample size for developing a multivariable
       prediction model: Part II. Stat Med 2019;38:1276-1296, equation 11.

    Examples
    --------
    >>> round(compute_expected_shrinkage(24, 623, r2=0.288), 3)
    0.9
    """
    if parameters < 1 or n < 1 or not 0 < r2 < 1:
        raise ValueError("parameters and participants are at least 1, R squared inside (0, 1)")
    edge = 1e-12
    low, high = r2 * (1 + edge) + edge, 1 - edge

    def compute_excess(shrinkage: float) -> float:
        return _compute_size_for_shrinkage(parameters, r2, shrinkage) - n

    if compute_excess(low) > 0:
        return r2
    return float(brentq(compute_excess, low, high)) if compute_excess(high) > 0 else 1.0


def compute_validation_size(
    prevalence: float,
    *,
    concordance: float,
    observed_expected_width: float = 0.2,
    slope_width: float = 0.2,
    concordance_width: float = 0.1,
) -> ValidationSize:
    """Compute the participants that validating a model in others needs.

    Parameters
    ----------
    prevalence : float
        Anticipated share of responders, inside (0, 1).
    concordance : float
        Anticipated, in (0.5, 1); the linear predictor is taken as normal with one variance in
        responders and others, and as calibrated.
    observed_expected_width, slope_width, concordance_width : float
        Target widths of the 95 % intervals; the first of a ratio near 1.

    Returns
    -------
    ValidationSize
        By criterion.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    .. [1] Riley RD, Debray TPA, Collins GS, et al. Minimum sample size for external validation of
       a clinical prediction model with a binary outcome. Stat Med 2021;40:4230-4251.
    """
    if not 0.5 < concordance < 1:
        raise ValueError("the concordance must be inside (0.5, 1)")
    _check_prevalence(prevalence)
    if min(observed_expected_width, slope_width, concordance_width) <= 0:
        raise ValueError("a width must be above 0")
    error = _compute_error_for_ratio(observed_expected_width)
    ratio = (1 - prevalence) / (prevalence * error**2)
    slope = _compute_variance_of_slope(prevalence, concordance) / (slope_width / (2 * _Z)) ** 2
    return ValidationSize(
        for_observed_expected=_round_up(ratio),
        for_slope=_round_up(slope),
        for_concordance=_compute_size_for_concordance(prevalence, concordance, concordance_width),
    )


def _check_prevalence(prevalence: float) -> None:
    if not 0 < prevalence < 1:
        raise ValueError("the prevalence must be inside (0, 1)")


def _round_up(size: float) -> int:
    # A size that is whole but for the last digits is that whole number.
    return math.ceil(size - 1e-9)


def _compute_size_for_shrinkage(parameters: int, r2: float, shrinkage: float) -> float:
    return parameters / ((shrinkage - 1) * math.log1p(-r2 / shrinkage))


def _compute_error_for_ratio(width: float) -> float:
    """Standard error of the log ratio whose interval around 1 has a width."""
    # exp(z e) - exp(-z e) = width
    return math.asinh(width / 2) / _Z


def _compute_variance_of_slope(prevalence: float, concordance: float) -> float:
    """Variance of the calibration slope, times the number of participants."""
    distance = math.sqrt(2.0) * float(norm.ppf(concordance))
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    information = np.zeros((2, 2))
    for responds, share in ((1, prevalence), (0, 1 - prevalence)):
        x = nodes + distance * responds
        log_odds = math.log(prevalence / (1 - prevalence)) + distance * x - distance**2 / 2
        spread = expit(log_odds) * expit(-log_odds) * weights * share
        information += np.array(
            [
                [spread.sum(), spread @ log_odds],
                [spread @ log_odds, spread @ log_odds**2],
            ]
        )
    return float(np.linalg.inv(information)[1, 1])


def _compute_size_for_concordance(prevalence: float, concordance: float, width: float) -> int:
    """By Newcombe's standard error, as Riley does."""

    def compute_excess(n: float) -> float:
        c, half = concordance, n / 2 - 1
        variance = (
            c * (1 - c) * (1 + half * (1 - c) / (2 - c) + half * c / (1 + c))
            / (n**2 * prevalence * (1 - prevalence))
        )  # fmt: skip
        return 2 * _Z * math.sqrt(variance) - width

    if compute_excess(4.0) <= 0:
        return 4
    return _round_up(float(brentq(compute_excess, 4.0, 1e12)))
