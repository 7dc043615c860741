"""Estimates of several completed sets of outcomes, pooled by Rubin's rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import t

from glabella.validation.measures.estimation.estimate import (
    LEVEL,
    Estimate,
    cut,
    make_missing_estimate,
)

_Transform = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
# To the scale on which an estimate is pooled, and back.
_TRANSFORMS: dict[str, tuple[_Transform, _Transform]] = {
    "identity": (np.asarray, np.asarray),
    "logit": (logit, expit),
    "log": (np.log, np.exp),
}


def pool_estimates(estimates: Sequence[Estimate], *, units: int) -> Estimate:
    """Pool the estimates of completed sets on the scale on which they are close to normal.

    Returns
    -------
    Estimate
        With a 95 % interval from Student's t, whose degrees of freedom are those of Barnard and
        Rubin; the only estimate as it is where there is one. Not estimable where it is not in
        some set; without an interval where some set gives none.

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
        return make_missing_estimate(
            f"in {len(lost)} of {len(estimates)} imputations: {lost[0].reason}"
        )
    values = np.array([item.value for item in estimates], dtype=float)
    errors = np.array([item.standard_error for item in estimates], dtype=float)
    bare = int(np.isnan(errors).sum())
    if bare:
        reasons = [item.reason for item in estimates if item.reason is not None]
        why = f": {reasons[0]}" if reasons else ""
        return Estimate(
            float(values.mean()), reason=f"no interval in {bare} of {len(values)} imputations{why}"
        )
    scale = estimates[0].scale
    there, back = _TRANSFORMS[scale]
    center, half, error, freedom = pool_values(there(values), errors, units=units)
    value, low, high = back(np.array([center, center - half, center + half]))
    if not np.isfinite([low, high]).all():
        return Estimate(float(value), reason="nothing but the imputations differs")
    lowest, highest = estimates[0].lowest, estimates[0].highest
    return Estimate(
        float(value),
        cut(float(low), lowest, highest),
        cut(float(high), lowest, highest),
        standard_error=float(error),
        scale=scale,
        lowest=lowest,
        highest=highest,
        freedom=float(freedom),
    )


def pool_values(
    values: npt.NDArray[np.float64], errors: npt.NDArray[np.float64], *, units: int
) -> tuple[npt.NDArray[np.float64], ...]:
    """Pool values of completed sets, one at a time or many beside each other.

    Returns
    -------
    tuple of array, each of shape (...)
        The mean, half of its 95 % interval, its standard error and degrees of freedom.
    """
    count, complete = len(values), float(max(units - 1, 1))
    within, between = (errors**2).mean(axis=0), values.var(axis=0, ddof=1)
    total = within + (1.0 + 1.0 / count) * between
    # With neither, as for a measure that every set gives alike, nothing is uncertain.
    share = np.divide(total - within, total, out=np.zeros_like(total), where=total > 0)
    observed = (complete + 1.0) / (complete + 3.0) * complete * (1.0 - share)
    # 1 / (1 / observed + 1 / imputed), where a share of nothing has imputed without end.
    freedom = observed / (1.0 + observed * share**2 / (count - 1.0))
    error = np.sqrt(total)
    half = t.ppf(0.5 + LEVEL / 2, freedom) * error
    return values.mean(axis=0), half, error, freedom
