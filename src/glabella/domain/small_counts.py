"""Counts small enough to disclose information about a participant, and their suppression."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FEWEST_TOLD = 10
UNDER_TEN = "under 10"
SUPPRESSED = "a count under 10, or one that would give such a count away, is suppressed"
_COUNTED = re.compile(
    r"(?<![\w.,:-])[1-9] (?=(?:of \d+ )?(?:more )?"
    r"(?:participants?|patients?|people|persons?|responders?|others|rows?|values?|assessments?|"
    r"records?|observed scores?)\b)"
)


@dataclass(frozen=True)
class Told:
    """The counts of a group of participants that may be shown.

    Parameters
    ----------
    n : int or None
        Number of participants; None if suppressed.
    events : float or None
        Number of responders; None if it, or the number of non-responders, is suppressed.
    """

    n: int | None
    events: float | None


def suppress_count(count: float) -> float | None:
    """Return a count unless it is small.

    Examples
    --------
    >>> suppress_count(12), suppress_count(3), suppress_count(0)
    (12, None, 0)
    """
    return None if 0 < count < FEWEST_TOLD else count


def suppress_group(n: int, events: float) -> Told:
    """Suppress the small counts of a single group.

    Returns
    -------
    Told
        The number of responders is shown if there are at least ten of them and ten
        non-responders: that no participant or every participant responded discloses the response
        of each.

    Examples
    --------
    >>> suppress_group(40, 12), suppress_group(40, 31), suppress_group(7, 0)
    (Told(n=40, events=12), Told(n=40, events=None), Told(n=None, events=None))
    """
    if n < FEWEST_TOLD:
        return Told(None, None)
    return Told(n, None if min(events, n - events) < FEWEST_TOLD else events)


def suppress_groups(counts: Sequence[tuple[int, float]]) -> list[Told]:
    """Suppress the small counts of groups whose total is shown too.

    Returns
    -------
    list of Told
        As `suppress_group`; if only one were suppressed, it would follow from the total, so the
        smallest of the other counts is suppressed too.

    Examples
    --------
    >>> [told.events for told in suppress_groups([(50, 20), (50, 15), (50, 3)])]
    [20, None, None]
    """
    return suppress_cells(counts, [tuple(range(len(counts)))])


def suppress_cells(
    counts: Sequence[tuple[int, float]],
    lines: Sequence[Sequence[int]],
    event_lines: Sequence[Sequence[int]] | None = None,
) -> list[Told]:
    """Suppress the small counts of cells of which some sums are shown too.

    Returns
    -------
    list of Told
        No line has exactly one suppressed cell, unless it consists of that cell.
    """
    alone = [suppress_group(n, events) for n, events in counts]
    sizes = [float(n) for n, _ in counts]
    rarer = [min(events, n - events) for n, events in counts]
    n_hidden = _suppress_smallest([told.n is None for told in alone], lines, sizes)
    hidden = [one or told.events is None for one, told in zip(n_hidden, alone, strict=True)]
    events_hidden = _suppress_smallest(hidden, lines if event_lines is None else event_lines, rarer)
    return [
        Told(None if no_n else n, None if no_events else events)
        for (n, events), no_n, no_events in zip(counts, n_hidden, events_hidden, strict=True)
    ]


def list_lines(*margins: Iterable[object]) -> list[tuple[int, ...]]:
    """List the cells that add up to each sum of a table: of all, and of each of its margins.

    Examples
    --------
    >>> list_lines(["a", "a", "b"], ["x", "y", "x"])
    [(0, 1, 2), (0, 1), (2,), (0, 2), (1,)]
    """
    listed = [list(margin) for margin in margins]
    lines = [tuple(range(len(listed[0])))] if listed else []
    for margin in listed:
        lines += [
            tuple(at for at, mine in enumerate(margin) if mine == each)
            for each in dict.fromkeys(margin)
        ]
    return lines


def suppress_each(counts: Sequence[float], lines: Sequence[Sequence[int]]) -> list[float | None]:
    """Suppress small counts of which some sums are shown too."""
    sizes = [float(count) for count in counts]
    hidden = _suppress_smallest([suppress_count(count) is None for count in counts], lines, sizes)
    return [None if is_hidden else count for count, is_hidden in zip(counts, hidden, strict=True)]


def _suppress_smallest(
    hidden: Sequence[bool], lines: Sequence[Sequence[int]], sizes: Sequence[float]
) -> list[bool]:
    """Hide the smallest other cell of each line in which one alone is hidden, until none is."""
    found = list(hidden)
    while True:
        alone = [line for line in lines if len(line) > 1 and sum(found[cell] for cell in line) == 1]
        if not alone:
            return found
        others = [cell for cell in alone[0] if not found[cell]]
        found[min(others, key=lambda cell: sizes[cell])] = True


def suppress_words(text: str) -> str:
    """Suppress small counts of participants and their values in a sentence.

    Examples
    --------
    >>> suppress_words("3 participants of 40 have no arm; 12 rows were read")
    'under 10 participants of 40 have no arm; 12 rows were read'
    """
    return _COUNTED.sub(f"{UNDER_TEN} ", text)
