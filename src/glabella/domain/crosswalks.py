"""Published tables from the total of one rating scale to that of another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from glabella.domain.scales import find_scale
from glabella.errors import DefinitionError

_IDS_QIDS = (
    "IDS/QIDS conversion table, ids-qids.org/interpretation.html (Rush, Trivedi et al., "
    "Biol Psychiatry 2003;54:573-583)"
)
_LEUCHT = (
    "Leucht S et al. Translating the HAM-D into the MADRS and vice versa with equipercentile "
    "linking. J Affect Disord 2018 (n = 4388; anchor points only)"
)
_FURUKAWA = (
    "Furukawa TA et al. Translating the BDI and BDI-II into the HAMD and vice versa with "
    "equipercentile linking. Epidemiol Psychiatr Sci 2019 (n = 369 and 683; anchor points only)"
)


@dataclass(frozen=True)
class Crosswalk:
    """A table between two scales.

    Parameters
    ----------
    source_scale, target_scale : str
        Names of scales.
    citation : str
        Where the table was published.
    rows : tuple of tuple of float
        Total on the source, then the lowest and the highest total on the target that match it.
    interpolate : bool
        Whether the rows are anchors with a straight line between them; nothing beyond the first
        and the last is converted.
    """

    source_scale: str
    target_scale: str
    citation: str
    rows: tuple[tuple[float, float, float], ...]
    interpolate: bool = False

    @property
    def implausible(self) -> tuple[float, ...]:
        """Totals on the source whose entry can't be right, in order.

        An entry must lie within both scales and above the entry before it: a higher total on one
        scale can't match the same total on the other.
        """
        return tuple(row[0] for row in self.rows if row not in self._list_plausible())

    def _list_plausible(self) -> list[tuple[float, float, float]]:
        source, target = find_scale(self.source_scale), find_scale(self.target_scale)
        kept: list[tuple[float, float, float]] = []
        for total, low, high in self.rows:
            inside = (
                source.minimum <= total <= source.maximum
                and target.minimum <= low <= high <= target.maximum
            )
            above = not kept or (total > kept[-1][0] and low > kept[-1][2])
            if inside and above:
                kept.append((total, low, high))
        return kept

    def convert(self, total: float) -> float | None:
        """Convert a total.

        Returns
        -------
        float or None
            On the target scale, the middle of the matching range; None if the table has no
            plausible entry for it.

        Examples
        --------
        >>> walk = find_crosswalk("qids_sr16", "hamd17")
        >>> walk.convert(11), walk.convert(15)
        (14.5, None)
        """
        plausible = self._list_plausible()
        if not self.interpolate:
            found = [(low + high) / 2 for value, low, high in plausible if value == total]
            return found[0] if found else None
        for (x0, low0, high0), (x1, low1, high1) in pairwise(plausible):
            if x0 <= total <= x1:
                y0, y1 = (low0 + high0) / 2, (low1 + high1) / 2
                return y0 + (y1 - y0) * (total - x0) / (x1 - x0)
        return None

    def make_reversed(self) -> Crosswalk:
        """Reverse the table.

        Returns
        -------
        Crosswalk
            From the target scale to the source scale, by the plausible entries alone.
        """
        rows: list[tuple[float, float, float]] = []
        for total, low, high in self._list_plausible():
            if self.interpolate:
                rows.append(((low + high) / 2, total, total))
            else:
                rows += [(float(value), total, total) for value in range(int(low), int(high) + 1)]
        return _Reversed(
            self.target_scale, self.source_scale, self.citation, tuple(rows), self.interpolate
        )


class _Reversed(Crosswalk):
    """A reversed table: several totals may match the same one."""

    def _list_plausible(self) -> list[tuple[float, float, float]]:
        return list(self.rows)


def _make_rows(*ranges: tuple[float, float]) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(total), low, high) for total, (low, high) in enumerate(ranges))


def _list_anchors(*points: tuple[float, float]) -> tuple[tuple[float, float, float], ...]:
    return tuple((source, target, target) for source, target in points)


# As printed; HAM-D17 at 15 repeats the entry at 14, a misprint that `implausible` leaves out.
_QIDS_TO_HAMD17 = _make_rows(
    (0, 0), (1, 2), (3, 3), (4, 4), (5, 6), (7, 7), (8, 8), (9, 10), (11, 11), (12, 12), (13, 13),
    (14, 15), (16, 16), (17, 17), (18, 19), (18, 19), (20, 20), (21, 22), (23, 23), (24, 24),
    (25, 25), (26, 27), (28, 28), (29, 29), (30, 31), (32, 32), (33, 35), (36, 52),
)  # fmt: skip
_QIDS_TO_HAMD21 = _make_rows(
    (0, 1), (2, 2), (3, 3), (4, 4), (5, 6), (7, 8), (9, 9), (10, 10), (11, 12), (13, 13), (14, 15),
    (16, 16), (17, 17), (18, 19), (20, 21), (22, 22), (23, 23), (24, 25), (26, 26), (27, 27),
    (28, 28), (29, 31), (32, 32), (33, 34), (35, 36), (37, 38), (39, 41), (42, 64),
)  # fmt: skip
_QIDS_TO_HAMD24 = _make_rows(
    (0, 1), (2, 2), (3, 4), (5, 5), (6, 7), (8, 9), (10, 11), (12, 12), (13, 14), (15, 16),
    (17, 18), (19, 19), (20, 21), (22, 23), (24, 25), (26, 26), (27, 28), (29, 30), (31, 32),
    (33, 33), (34, 34), (35, 38), (39, 39), (40, 41), (42, 44), (45, 46), (47, 49), (50, 75),
)  # fmt: skip

CROSSWALKS = (
    Crosswalk("qids_sr16", "hamd17", _IDS_QIDS, _QIDS_TO_HAMD17),
    Crosswalk("qids_sr16", "hamd21", _IDS_QIDS, _QIDS_TO_HAMD21),
    Crosswalk("qids_sr16", "hamd24", _IDS_QIDS, _QIDS_TO_HAMD24),
    Crosswalk(
        "hamd17", "madrs", _LEUCHT, _list_anchors((10, 13), (20, 26), (30, 39), (40, 52.5)), True
    ),
    Crosswalk("hamd17", "bdi", _FURUKAWA, _list_anchors((10, 10), (20, 27), (30, 42)), True),
    Crosswalk("hamd17", "bdi_ii", _FURUKAWA, _list_anchors((10, 13), (20, 32), (30, 50)), True),
)


def list_linked(scales: Iterable[str]) -> tuple[str, ...]:
    """List the scales that published tables link to some scales, over others where need be.

    Examples
    --------
    >>> list_linked(["twstrs"])
    ('twstrs',)
    >>> "bdi" in list_linked(["madrs"])
    True
    """
    found: set[str] = set(scales)
    while True:
        pairs = [{walk.source_scale, walk.target_scale} for walk in CROSSWALKS]
        wider = found.union(*(pair for pair in pairs if pair & found))
        if wider == found:
            return tuple(sorted(found))
        found = wider


def find_crosswalk(source: str, target: str) -> Crosswalk:
    """Find a published table between two scales."""
    for walk in CROSSWALKS:
        if (walk.source_scale, walk.target_scale) == (source, target):
            return walk
        if (walk.target_scale, walk.source_scale) == (source, target):
            return walk.make_reversed()
    known = ", ".join(f"{walk.source_scale} and {walk.target_scale}" for walk in CROSSWALKS)
    raise DefinitionError(
        f"no published table links the scales '{source}' and '{target}'",
        remedy=f"There are tables between {known}. Write `as: percent_of_range` or "
        "`as: severity_band` instead.",
    )
