"""Responder rules: from a baseline and a later score to true or false."""

from __future__ import annotations

from dataclasses import dataclass

# A fraction such as 0.3 has no exact binary form; the tolerance keeps a fall of exactly the
# stated fraction a response, whatever the rounding, and is far below one point of any scale.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class ResponseRule:
    """Response: a fall from baseline of at least a fraction of it, or of so many points.

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

    def is_response(self, baseline: float, score: float) -> bool:
        """Say whether a participant responded.

        Parameters
        ----------
        baseline : float
            The score before treatment; above zero where a fraction of it is asked for, else that
            means nothing.
        score : float
            The score at the endpoint.

        Returns
        -------
        bool
            True for a responder.

        Raises
        ------
        ValueError
            If a fraction is asked for and the baseline is not above zero.

        Examples
        --------
        >>> ResponseRule(0.5).is_response(22, 11), ResponseRule(0.5).is_response(23, 12)
        (True, False)
        >>> ResponseRule(points=4).is_response(22, 18)
        True
        """
        if self.points is not None:
            return baseline - score >= self.points - _TOLERANCE
        if baseline <= 0:
            raise ValueError("a fraction of a baseline of zero or below means nothing")
        return baseline - score >= (self.fraction or 0.0) * baseline - _TOLERANCE

    def describe(self) -> str:
        """Say the rule in words.

        Returns
        -------
        str
            For the report and the manifest.
        """
        if self.points is not None:
            noun = "point" if self.points == 1 else "points"
            return f"a fall of at least {self.points:g} {noun} from baseline"
        return f"a fall of at least {100 * (self.fraction or 0.0):g} % from baseline"
