"""An estimate with its uncertainty, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm, t

__all__ = ["Estimate"]

LEVEL = 0.95
QUANTILE = float(norm.ppf(0.5 + LEVEL / 2))
# Under this, beside the value, a standard error is rounding.
_ROUNDING = 1e-12
_NO_SPREAD = "every participant adds the same, so no interval can be formed"


@dataclass(frozen=True)
class Estimate:
    """A value with a 95 % interval, or neither and a reason.

    Parameters
    ----------
    value, low, high : float or None
        The estimate and its interval.
    reason : str or None
        Why something of it is missing.
    standard_error : float or None
        On `scale`; None where there is no interval.
    scale : str
        Where the standard error holds and the interval is symmetric: ``identity``, ``logit`` for
        a value in (0, 1), or ``log`` for a ratio.
    freedom : float or None
        Degrees of freedom of the t distribution behind the interval; None for the normal one.
    lowest, highest : float or None
        The ends of the measure's range, where an interval is cut; None where it has none, or the
        scale keeps the interval inside.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    standard_error: float | None = None
    scale: Literal["identity", "logit", "log"] = "identity"
    freedom: float | None = None
    lowest: float | None = None
    highest: float | None = None

    def __neg__(self) -> Estimate:
        """Change the sign, as for a loss that is told as a gain.

        Returns
        -------
        Estimate
            On the same scale, which can only be ``identity``; never a nought with a sign.
        """
        if self.scale != "identity":
            raise ValueError(f"an estimate on the {self.scale} scale has no negative")
        return replace(
            self,
            value=_compute_negative(self.value),
            low=_compute_negative(self.high),
            high=_compute_negative(self.low),
            lowest=_compute_negative(self.highest),
            highest=_compute_negative(self.lowest),
        )

    def __sub__(self, other: Estimate) -> Estimate:
        """Subtract an estimate of other participants.

        Parameters
        ----------
        other : Estimate
            Independent of this one.

        Returns
        -------
        Estimate
            With a normal interval on the scale of the values, cut where their ranges end.
        """
        if self.value is None or other.value is None:
            return make_missing_estimate(str(self.reason if self.value is None else other.reason))
        value = self.value - other.value
        errors = self._find_error(), other._find_error()
        if errors[0] is None or errors[1] is None:
            return Estimate(value, reason="one of the two has no interval")
        mine, others = self._find_range(), other._find_range()
        return estimate_mean(
            value,
            math.hypot(errors[0], errors[1]),
            lowest=None if mine[0] is None or others[1] is None else mine[0] - others[1],
            highest=None if mine[1] is None or others[0] is None else mine[1] - others[0],
        )

    def p_value(self, null: float = 0.0) -> float | None:
        """Two-sided p of a value, by the standard error and on the scale of the interval.

        Parameters
        ----------
        null : float
            The value that is tested.

        Returns
        -------
        float or None
            None without a standard error.
        """
        if self.value is None or self.standard_error is None:
            return None
        distance = float(_SCALES[self.scale](self.value) - _SCALES[self.scale](null))
        if self.standard_error == 0.0:
            return 1.0 if distance == 0.0 else 0.0
        z = abs(distance) / self.standard_error
        return float(2.0 * (norm.sf(z) if self.freedom is None else t.sf(z, self.freedom)))

    def is_above(self, bound: float) -> bool:
        """Say whether the whole interval is above a value.

        Parameters
        ----------
        bound : float
            The value.

        Returns
        -------
        bool
            False without an interval.
        """
        return self.low is not None and self.low > bound

    def is_below(self, bound: float) -> bool:
        """Say whether the whole interval is below a value.

        Parameters
        ----------
        bound : float
            The value.

        Returns
        -------
        bool
            False without an interval.
        """
        return self.high is not None and self.high < bound

    def as_json(self) -> dict[str, Any]:
        """Give plain values.

        Returns
        -------
        dict
            ``value``, ``low``, ``high``, ``reason``.
        """
        return {"value": self.value, "low": self.low, "high": self.high, "reason": self.reason}

    def as_columns(self, name: str) -> dict[str, float | None]:
        """Give the value and the interval as columns of a table.

        Parameters
        ----------
        name : str
            Of the value's column.

        Returns
        -------
        dict of float or None
            `name`, and it with ``_low`` and ``_high``.
        """
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}

    @classmethod
    def read_columns(cls, figures: Mapping[str, Any], name: str) -> Estimate:
        """Read an estimate from plain values.

        Parameters
        ----------
        figures : mapping
            As `describe_estimates` writes them.
        name : str
            Of the estimate.

        Returns
        -------
        Estimate
            Value, interval and reason; not estimable if another version wrote them, without it.
        """
        if name not in figures:
            return make_missing_estimate("it was not recorded")
        return cls(
            figures[name],
            figures.get(f"{name}_low"),
            figures.get(f"{name}_high"),
            figures["reasons"].get(name),
        )

    def _find_error(self) -> float | None:
        """The standard error on the scale of the value itself."""
        if self.standard_error is None or self.value is None:
            return None
        steep = {"identity": 1.0, "log": self.value, "logit": self.value * (1.0 - self.value)}
        return self.standard_error * steep[self.scale]

    def _find_range(self) -> tuple[float | None, float | None]:
        ranges = {"logit": (0.0, 1.0), "log": (0.0, None)}
        return ranges.get(self.scale, (self.lowest, self.highest))


_SCALES: dict[str, Any] = {"identity": float, "logit": logit, "log": np.log}


def _compute_negative(value: float | None) -> float | None:
    # Adding nought takes the sign off a nought.
    return None if value is None else -value + 0.0


def make_missing_estimate(reason: str) -> Estimate:
    """Make the estimate of what can't be estimated.

    Parameters
    ----------
    reason : str
        Why not.

    Returns
    -------
    Estimate
        Without a value.
    """
    return Estimate(reason=reason)


def estimate_mean(
    value: float,
    standard_error: float,
    *,
    lowest: float | None = None,
    highest: float | None = None,
) -> Estimate:
    """Put a normal interval around a value.

    Parameters
    ----------
    value : float
        The estimate.
    standard_error : float
        Its standard error.
    lowest, highest : float, optional
        The ends of the measure's range, where the interval is cut.

    Returns
    -------
    Estimate
        With a 95 % interval; without one where every participant adds the same, as then the
        participants say nothing of how much others would differ.

    Examples
    --------
    >>> estimate_mean(0.01, 0.02, lowest=0.0).low
    0.0
    """
    if _is_rounding(standard_error, value):
        return Estimate(value, reason=_NO_SPREAD)
    half = QUANTILE * standard_error
    return Estimate(
        value,
        cut(value - half, lowest, highest),
        cut(value + half, lowest, highest),
        standard_error=standard_error,
        lowest=lowest,
        highest=highest,
    )


def cut(bound: float, lowest: float | None, highest: float | None) -> float:
    """Cut a bound at the ends of a measure's range.

    Parameters
    ----------
    bound : float
        Of an interval.
    lowest, highest : float or None
        The ends; None where there is none.

    Returns
    -------
    float
        The bound, or the end that it is beyond.
    """
    above = bound if lowest is None else max(bound, lowest)
    return above if highest is None else min(above, highest)


def estimate_proportion(value: float, standard_error: float) -> Estimate:
    """Put an interval around a value in (0, 1), symmetric on the logit scale.

    Parameters
    ----------
    value : float
        The estimate, such as a concordance.
    standard_error : float
        Its standard error on its own scale.

    Returns
    -------
    Estimate
        With a 95 % interval inside (0, 1); without one at 0 or 1, where the logit has no end,
        and where every participant adds the same.

    References
    ----------
    .. [1] Pepe MS. The Statistical Evaluation of Medical Tests for Classification and Prediction.
       Oxford, 2003, section 5.2.
    """
    if not 0.0 < value < 1.0:
        return Estimate(value, reason=f"the value is {value:g}, so no interval can be formed")
    if _is_rounding(standard_error, value):
        return Estimate(value, reason=_NO_SPREAD)
    error = standard_error / (value * (1.0 - value))
    half = QUANTILE * error
    center = logit(value)
    low, high = float(expit(center - half)), float(expit(center + half))
    return Estimate(value, low, high, standard_error=error, scale="logit")


def estimate_ratio(value: float, standard_error: float) -> Estimate:
    """Put an interval around a positive ratio, symmetric on the log scale.

    Parameters
    ----------
    value : float
        The estimate, above 0.
    standard_error : float
        The standard error of its logarithm.

    Returns
    -------
    Estimate
        With a 95 % interval above 0; without one where every participant adds the same.

    References
    ----------
    .. [1] Debray TPA et al. A framework for meta-analysis of prediction model studies with binary
       and time-to-event outcomes. Stat Methods Med Res 2019;28:2768-2786.

    Examples
    --------
    >>> ratio = estimate_ratio(1.2, 0.1)
    >>> round(ratio.low, 3), round(ratio.high, 3)
    (0.986, 1.46)
    """
    if _is_rounding(standard_error, 1.0):
        return Estimate(value, reason=_NO_SPREAD)
    half = QUANTILE * standard_error
    low, high = value * float(np.exp(-half)), value * float(np.exp(half))
    return Estimate(value, low, high, standard_error=standard_error, scale="log")


def compute_error_of_sum(parts: np.ndarray) -> float:
    """Compute the standard error of a mean from what each participant adds to it.

    Parameters
    ----------
    parts : array of float, shape (n_participants,)
        Each participant's influence on the estimate, summing to zero.

    Returns
    -------
    float
        The standard error, with participants as independent units.
    """
    n = len(parts)
    return float(np.sqrt(np.sum(parts**2) * n / (n - 1))) if n > 1 else float("nan")


def _is_rounding(standard_error: float, value: float) -> bool:
    return standard_error <= _ROUNDING * max(abs(value), 1.0)


def describe_estimates(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    """Give estimates as plain values.

    Parameters
    ----------
    estimates : mapping of Estimate
        By name.

    Returns
    -------
    dict
        Each with ``_low`` and ``_high``, and ``reasons`` for what is None.
    """
    plain: dict[str, Any] = {}
    for name, estimate in estimates.items():
        plain |= estimate.as_columns(name)
    plain["reasons"] = {
        name: estimate.reason for name, estimate in estimates.items() if estimate.reason is not None
    }
    return plain
