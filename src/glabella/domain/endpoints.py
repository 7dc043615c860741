"""Responder rules: from a baseline and a later score to true or false."""

from __future__ import annotations

from dataclasses import dataclass

# A fraction such as 0.3 has no exact binary form; the tolerance keeps a fall of exactly the
# stated fraction a response, whatever the rounding, and is far below one point of any scale.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class ResponseRule:
    """Response: a fall from baseline of at least a fraction of the baseline.

    Parameters
    ----------
    fraction : float
        The fraction of the baseline by which the score must have fallen, inside (0, 1].

    Raises
    ------
    ValueError
        If the fraction is not inside (0, 1].
    """

    fraction: float

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise ValueError("the fraction of a fall must be above 0 and at most 1")

    def is_response(self, baseline: float, score: float) -> bool:
        """Say whether a participant responded.

        Parameters
        ----------
        baseline : float
            The score before treatment; above zero, else a fraction of it means nothing.
        score : float
            The score at the endpoint.

        Returns
        -------
        bool
            True for a responder.

        Raises
        ------
        ValueError
            If the baseline is not above zero.

        Examples
        --------
        >>> ResponseRule(0.5).is_response(22, 11), ResponseRule(0.5).is_response(23, 12)
        (True, False)
        """
        if baseline <= 0:
            raise ValueError("a fraction of a baseline of zero or below means nothing")
        return baseline - score >= self.fraction * baseline - _TOLERANCE

    def describe(self) -> str:
        """Say the rule in words.

        Returns
        -------
        str
            For the report and the manifest.
        """
        return f"a fall of at least {100 * self.fraction:g} % from baseline"
