"""Estimates of several completed sets of outcomes, pooled by Rubin's rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t

from glabella.validation.intervals import LEVEL, Estimate, not_estimable


def pool_estimates(estimates: Sequence[Estimate], *, units: int) -> Estimate:
    """Pool the estimates of completed sets on the scale on which they are close to normal.

    Parameters
    ----------
    estimates : sequence of Estimate
        One a completed set, all of one measure.
    units : int
        The independent units behind each, such as participants.

    Returns
    -------
    Estimate
        With a 95 % interval from Student's t, whose degrees of freedom are those of Barnard and
        Rubin; the only estimate as it is where there is one. Not estimable where it is not in
        some set; without an interval where some set gives none.

    Raises
    ------
    ValueError
        If there are none.

    References
    ----------
    .. [1] Rubin DB. Multiple Imputation for Nonresponse in Surveys. Wiley, 1987, section 3.3.
    .. [2] Barnard J, Rubin DB. Small-sample degrees of freedom with multiple imputation.
       Biometrika 1999;86:948-955.

    Examples
    --------
    >>> pooled = pool_estimates(
    ...     [Estimate(value, standard_error=1.0) for value in (4.0, 5.0, 6.0)], units=100)
    >>> pooled.value, round(pooled.standard_error ** 2, 3)
    (5.0, 2.333)
    """
    if not estimates:
        raise ValueError("there are no estimates to pool")
    if len(estimates) == 1:
        return estimates[0]
    lost = [item for item in estimates if item.value is None]
    if lost:
        return not_estimable(f"in {len(lost)} of {len(estimates)} imputations: {lost[0].reason}")
    values = np.array([item.value for item in estimates], dtype=float)
    errors = np.array([item.standard_error for item in estimates], dtype=float)
    bare = int(np.isnan(errors).sum())
    if bare:
        reasons = [item.reason for item in estimates if item.reason is not None]
        why = f": {reasons[0]}" if reasons else ""
        return Estimate(
            float(values.mean()), reason=f"no interval in {bare} of {len(values)} imputations{why}"
        )
    on_logit = estimates[0].scale == "logit"
    center, error, freedom = _pool(logit(values) if on_logit else values, errors, units)
    half = float(t.ppf(0.5 + LEVEL / 2, freedom)) * error
    ends = np.array([center, center - half, center + half])
    value, low, high = expit(ends) if on_logit else ends
    return Estimate(
        float(value), float(low), float(high), standard_error=error, scale=estimates[0].scale
    )


def _pool(values: np.ndarray, errors: np.ndarray, units: int) -> tuple[float, float, float]:
    """Give the mean, its standard error and its degrees of freedom."""
    count, complete = len(values), float(max(units - 1, 1))
    within, between = float((errors**2).mean()), float(values.var(ddof=1))
    total = within + (1.0 + 1.0 / count) * between
    # With neither, as for a measure that every set gives alike, nothing is uncertain.
    share = (total - within) / total if total > 0 else 0.0
    observed = (complete + 1.0) / (complete + 3.0) * complete * (1.0 - share)
    if share > 0:
        imputed = (count - 1.0) / share**2
        freedom = observed * imputed / (observed + imputed)
    else:
        freedom = observed
    return float(values.mean()), float(np.sqrt(total)), freedom
