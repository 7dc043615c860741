"""Groups of similar training participants, as means and counts alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.bundle.applicability.applicability_domain import select_patient
from glabella.domain.small_counts import FEWEST_TOLD, list_lines, suppress_cells
from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.encoding import Encoding, check_finite, fit_encoding

NEIGHBOURS_FILE = "neighbours.json"
# A group is halved unless a half would have fewer than this.
FEWEST = 60

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GroupCount:
    """How many of a group were in an arm, and how many of them responded.

    Parameters
    ----------
    n, responders : int or None
        None if a count (of participants, responders or non-responders in the arm) is under ten,
        or such a count could be derived from it.
    """

    n: int | None
    responders: int | None

    def describe(self) -> str:
        """Describe the counts in words."""
        if self.n is None:
            return "the number in this arm is suppressed, as a count is under ten"
        if self.responders is None:
            return f"{self.n} were in this arm; the number of responders is suppressed"
        return f"{self.responders} of {self.n} in this arm responded"


@dataclass(frozen=True)
class SimilarGroup:
    """The group of training participants who are most similar to a row.

    Parameters
    ----------
    size : int or None
        The number of participants; None if that would reveal a count under ten.
    counts : mapping of GroupCount
        By arm; under a blank name if there are no arms.
    is_all : bool
        Whether it has all training participants, who were too few to be divided.
    """

    size: int | None
    counts: Mapping[str, GroupCount]
    is_all: bool


@dataclass(frozen=True)
class SimilarGroups:
    """Groups of training participants who are similar at baseline.

    Parameters
    ----------
    encoding : Encoding
        How features become numbers.
    centers : array of float, shape (n_groups, n_encoded)
        The mean of each group.
    counts : tuple of dict of GroupCount
        For each group, by arm; under a blank name if there are no arms.
    sizes : tuple of int or None
        The size of each group; None if a count under ten could be derived from it and the counts
        of the arms.
    """

    encoding: Encoding
    centers: Floats
    counts: tuple[Mapping[str, GroupCount], ...]
    sizes: tuple[int | None, ...]

    def find(self, frame: pd.DataFrame) -> tuple[SimilarGroup, ...]:
        """Find the group whose mean is nearest to each row."""
        matrix = self.encoding.transform(frame)
        distances = ((matrix[:, None, :] - self.centers[None]) ** 2).sum(axis=2)
        is_all = len(self.sizes) == 1
        return tuple(
            SimilarGroup(self.sizes[at], self.counts[at], is_all)
            for at in distances.argmin(axis=1).tolist()
        )

    def export(self) -> bytes:
        """Write the groups as JSON."""
        content = {
            "encoding": self.encoding.export(),
            "centers": self.centers.tolist(),
            "sizes": list(self.sizes),
            "counts": [
                {arm: [item.n, item.responders] for arm, item in group.items()}
                for group in self.counts
            ],
        }
        return (json.dumps(content) + "\n").encode()

    @classmethod
    def restore(cls, content: bytes, specs: tuple[FeatureSpec, ...]) -> SimilarGroups:
        """Read the groups that `export` wrote."""
        plain: Any = json.loads(content)
        encoding = Encoding.restore(plain["encoding"], select_patient(specs))
        centers = np.array([[check_finite(value) for value in row] for row in plain["centers"]])
        if not len(centers) == len(plain["counts"]) == len(plain["sizes"]) > 0:
            raise ValueError("there is not one count for each group")
        return cls(
            encoding,
            centers.reshape(len(centers), len(encoding.columns)),
            tuple(
                {arm: _restore_group_count(*pair) for arm, pair in group.items()}
                for group in plain["counts"]
            ),
            tuple(_check_count(size) for size in plain["sizes"]),
        )


def learn_similar_groups(
    features: FeatureTable, responded: Floats, arm: npt.NDArray[np.str_]
) -> SimilarGroups:
    """Divide training participants into groups of similar ones.

    Groups are halved at the median of their first principal component, over standardised
    features, as long as both halves have at least sixty participants.
    """
    encoding = fit_encoding(features.frame, select_patient(features.specs), fill_and_scale=True)
    matrix = encoding.transform(features.frame)
    waiting, groups = [np.arange(len(matrix))], []
    while waiting:
        rows = waiting.pop()
        halves = _split(matrix, rows)
        if halves is None:
            groups.append(rows)
        else:
            waiting.extend(halves)
    counts = _count_groups(groups, responded, arm)
    return SimilarGroups(
        encoding,
        np.array([matrix[rows].mean(axis=0) for rows in groups]).reshape(len(groups), -1),
        counts,
        tuple(
            None if any(item.n is None for item in group.values()) else len(rows)
            for group, rows in zip(counts, groups, strict=True)
        ),
    )


def _split(matrix: Floats, rows: npt.NDArray[np.int_]) -> list[npt.NDArray[np.int_]] | None:
    if len(rows) < 2 * FEWEST or not matrix.shape[1]:
        return None
    centred = matrix[rows] - matrix[rows].mean(axis=0)
    # The axes are those of the covariance, whose size depends on the features alone.
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    # The sign of an axis is arbitrary, so its largest component is made positive.
    place = centred @ axis * np.sign(axis[np.abs(axis).argmax()])
    below = place <= np.median(place)
    halves = [rows[below], rows[~below]]
    return halves if min(map(len, halves)) >= FEWEST else None


def _count_groups(
    groups: Sequence[npt.NDArray[np.int_]], responded: Floats, arm: npt.NDArray[np.str_]
) -> tuple[dict[str, GroupCount], ...]:
    """Count each group by arm, so that no suppressed count can be derived from the others."""
    names = [str(name) for name in np.unique(arm)]
    cells = [(at, name) for at in range(len(groups)) for name in names]
    outcomes = [responded[groups[at][arm[groups[at]] == name]] for at, name in cells]
    of_groups, of_arms = zip(*cells, strict=True)
    shown = suppress_cells(
        [(len(each), round(float(each.sum()))) for each in outcomes],
        list_lines(of_groups, of_arms),
        # Sums of responders are published by arm and in all.
        list_lines(of_arms),
    )
    counts: tuple[dict[str, GroupCount], ...] = tuple({} for _ in groups)
    for (at, name), mine in zip(cells, shown, strict=True):
        events = None if mine.events is None else round(mine.events)
        counts[at][name] = GroupCount(mine.n, events)
    return counts


def _restore_group_count(n: object, responders: object) -> GroupCount:
    count = GroupCount(_check_count(n), _check_count(responders))
    if count.responders is not None and (count.n is None or count.responders > count.n):
        raise ValueError("more responded than there were")
    return count


def _check_count(value: object) -> int | None:
    if value is None:
        return None
    number = check_finite(value)
    if number < FEWEST_TOLD or number != int(number):
        raise ValueError("a count is not whole, or should be suppressed")
    return int(number)
