"""When a value is known, relative to the moment of prediction."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from glabella.errors import DefinitionError


@dataclass(frozen=True, order=True)
class Moment:
    """A moment on the trial's clock.

    Parameters
    ----------
    week : float
        Weeks since treatment began; baseline is 0 and comes before the treatment, the end of
        follow-up is infinite and comes after every visit.
    """

    week: float

    def __str__(self) -> str:
        if math.isinf(self.week):
            return "the end of follow-up"
        return "baseline" if self.week <= 0 else f"week {self.week:g}"


BASELINE = Moment(0.0)
END = Moment(math.inf)


def parse_moment(text: str) -> Moment:
    """Read ``baseline`` or ``week N``: a moment from which something can be predicted.

    Examples
    --------
    >>> parse_moment("week 2")
    Moment(week=2.0)
    """
    if text == "baseline":
        return BASELINE
    match = re.fullmatch(r"week (\d+(?:\.\d+)?)", text)
    if match is None:
        raise DefinitionError(
            f"'{text}' is no moment of a trial", remedy="Write `baseline` or `week N`."
        )
    return Moment(float(match[1]))


def parse_timing(text: str) -> Moment:
    """Read ``baseline``, ``week N`` or ``end``: a moment at which a value is known.

    Examples
    --------
    >>> str(parse_timing("end"))
    'the end of follow-up'
    """
    return END if text == "end" else parse_moment(text)
