"""The visit used for a target week: the window around the week and the rule for ties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Weeks counted by days or written as decimals have no exact binary form: 3.9 and 4.1 lie equally
# far from 4 only to about this many decimals, which are far below a minute.
TIE_DECIMALS = 9


@dataclass(frozen=True)
class Window:
    """The weeks in which a visit may be used for a target week.

    Parameters
    ----------
    target : float
        The target week.
    low, high : float
        The first and the last week allowed, both included.

    Raises
    ------
    ValueError
        If the target lies outside the window.
    """

    target: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.target <= self.high:
            raise ValueError("the target week lies outside its window")

    def choose(self, weeks: Sequence[float]) -> int | None:
        """Choose the visit nearest to the target; the earlier if two are equally near.

        Examples
        --------
        >>> Window(6, 4, 8).choose([0, 4, 8])
        1
        >>> Window(6, 5, 7).choose([0, 4, 8]) is None
        True
        """
        inside = [
            (round(abs(week - self.target), TIE_DECIMALS), week, position)
            for position, week in enumerate(weeks)
            if self.low <= week <= self.high
        ]
        return min(inside)[2] if inside else None
