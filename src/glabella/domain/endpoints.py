"""Responder rules: from a baseline and a later score to true or false."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# A fraction such as 0.3 has no exact binary form, and a converted unit twelve digits; the tolerance
# keeps a fall of exactly the stated fraction a response, whatever the rounding. It goes by the size
# of the scores, which may be cells a litre or moles; differences of decimals may be nearly 0.
_TOLERANCE = 1e-10
_NEARLY_ZERO = 1e-13

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def _find_tolerance(*scores: Floats) -> Floats:
    size = np.maximum.reduce([np.abs(score) for score in scores])
    return np.asarray(np.maximum(_TOLERANCE * size, _NEARLY_ZERO))


@dataclass(frozen=True)
class ResponseRule:
    """Response: a fall from baseline of at least a fraction of it, or a number of points.

    Parameters
    ----------
    fraction : float, optional
        The fraction of the baseline by which the score must have fallen, inside (0, 1].
    points : float, optional
        The points by which it must have fallen, above 0. Exactly one of the two is given.

    Raises
    ------
    ValueError
        If both or neither are given, or one is out of its range.
    """

    fraction: float | None = None
    points: float | None = None

    def __post_init__(self) -> None:
        if (self.fraction is None) == (self.points is None):
            raise ValueError("a fall is either a `fraction` of the baseline or so many `points`")
        if self.fraction is not None and not 0 < self.fraction <= 1:
            raise ValueError("the fraction of a fall must be above 0 and at most 1")
        if self.points is not None and not self.points > 0:
            raise ValueError("the points of a fall must be above 0")

    @property
    def needs_baseline(self) -> bool:
        """Whether the rule needs a baseline: always, since a fall is measured from it."""
        return True

    @property
    def is_relative(self) -> bool:
        """Whether it is a fraction of the baseline, which is undefined for a baseline of zero."""
        return self.fraction is not None

    def is_response(self, baseline: float, score: float) -> bool:
        """Say whether a participant responded.

        Examples
        --------
        >>> ResponseRule(0.5).is_response(22, 11), ResponseRule(0.5).is_response(23, 12)
        (True, False)
        >>> ResponseRule(points=4).is_response(22, 18)
        True
        """
        return bool(self.judge(np.float64(baseline), np.float64(score)))

    def judge(self, baseline: npt.ArrayLike, score: npt.ArrayLike) -> Bools:
        """Say for each participant whether they responded.

        Returns
        -------
        array of bool, of the same shape
            True for responders.
        """
        before, after = np.asarray(baseline, dtype=float), np.asarray(score, dtype=float)
        spare = _find_tolerance(before, after)
        if self.points is not None:
            return np.asarray(before - after >= self.points - spare)
        if np.any(before <= 0):
            raise ValueError("a fraction of a baseline of zero or below means nothing")
        return np.asarray(before - after >= (self.fraction or 0.0) * before - spare)

    def find_margin(self, baseline: npt.ArrayLike, score: npt.ArrayLike) -> Floats:
        """Find how far beyond the threshold of response each score lies.

        Returns
        -------
        array of float, of the same shape
            Points; at least zero for responders, apart from rounding.

        Examples
        --------
        >>> ResponseRule(0.5).find_margin([22.0, 30.0], [8.0, 20.0]).tolist()
        [3.0, -5.0]
        """
        before, after = np.asarray(baseline, dtype=float), np.asarray(score, dtype=float)
        wanted = self.points if self.points is not None else (self.fraction or 0.0) * before
        return np.asarray(before - after - wanted)

    def describe(self) -> str:
        """Say the rule in words."""
        if self.points is not None:
            noun = "point" if self.points == 1 else "points"
            return f"a fall of at least {self.points:g} {noun} from baseline"
        return f"a fall of at least {100 * (self.fraction or 0.0):g} % from baseline"


@dataclass(frozen=True)
class ThresholdRule:
    """A score at or beyond a threshold, whatever the baseline.

    Parameters
    ----------
    at_most : float, optional
        The highest score that counts.
    at_least : float, optional
        The lowest score that counts. Exactly one of the two is given.

    Raises
    ------
    ValueError
        If both or neither are given.
    """

    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("a threshold is either `at_most` or `at_least` a score")

    @property
    def needs_baseline(self) -> bool:
        """Whether the rule needs a baseline: never, since it uses the later score alone."""
        return False

    @property
    def is_relative(self) -> bool:
        """Whether it is a fraction of the baseline."""
        return False

    def is_response(self, baseline: float, score: float) -> bool:
        """Say whether a score is beyond the threshold.

        Examples
        --------
        >>> ThresholdRule(at_most=7).is_response(22, 7), ThresholdRule(at_most=7).is_response(8, 8)
        (True, False)
        """
        return bool(self.judge(np.float64(baseline), np.float64(score)))

    def judge(self, baseline: npt.ArrayLike, score: npt.ArrayLike) -> Bools:
        """Say for each participant whether the score is beyond the threshold.

        Returns
        -------
        array of bool, of the same shape
            True for responders.
        """
        after = np.asarray(score, dtype=float)
        if self.at_most is not None:
            return np.asarray(after <= self.at_most + _find_tolerance(after))
        return np.asarray(after >= (self.at_least or 0.0) - _find_tolerance(after))

    def find_margin(self, baseline: npt.ArrayLike, score: npt.ArrayLike) -> Floats:
        """Find how far beyond the threshold each score lies.

        Returns
        -------
        array of float, of the same shape
            Points; at least zero for responders, apart from rounding.

        Examples
        --------
        >>> ThresholdRule(at_most=7).find_margin([22.0], [5.0]).tolist()
        [2.0]
        """
        after = np.asarray(score, dtype=float)
        return self.at_most - after if self.at_most is not None else after - (self.at_least or 0.0)

    def describe(self) -> str:
        """Say the rule in words."""
        if self.at_most is not None:
            return f"a score of at most {self.at_most:g}"
        return f"a score of at least {self.at_least:g}"


Rule = ResponseRule | ThresholdRule
