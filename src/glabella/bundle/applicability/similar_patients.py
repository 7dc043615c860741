"""Groups of training participants who are alike, as centres and counts; never a participant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.bundle.applicability.likeness import select_patient
from glabella.domain.small_counts import FEWEST_TOLD, list_lines, tell_cells
from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.encoding import Encoding, check_finite, fit_encoding

NEIGHBOURS_FILE = "neighbours.json"
# Halved until a half would have fewer than this.
FEWEST = 60

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GroupCount:
    """How many of a group were in an arm, and how many of them responded.

    Parameters
    ----------
    n, responders : int or None
        None where a count would be under ten (of those in the arm, of responders or of others), or
        would give such a one away.
    """

    n: int | None
    responders: int | None

    def describe(self) -> str:
        """Say it in words."""
        if self.n is None:
            return "how many were in this arm is suppressed, as a count is under ten"
        if self.responders is None:
            return f"{self.n} were in this arm; how many responded is suppressed"
        return f"{self.responders} of {self.n} in this arm responded"


@dataclass(frozen=True)
class LikeGroup:
    """The group of training participants who are most like a row.

    Parameters
    ----------
    size : int or None
        How many it has; None if that would reveal a count under ten.
    counts : mapping of GroupCount
        By arm; under the blank name where there are none.
    is_all : bool
        Whether it is all of them, too few to be divided.
    """

    size: int | None
    counts: Mapping[str, GroupCount]
    is_all: bool


@dataclass(frozen=True)
class Neighbours:
    """Groups of training participants who are alike at baseline.

    Parameters
    ----------
    encoding : Encoding
        How features become distances.
    centers : array of float, shape (n_groups, n_encoded)
        The mean of each group.
    counts : tuple of dict of GroupCount
        For each group, by arm; under the blank name where there are no arms.
    sizes : tuple of int or None
        How many each group has; None where that, less the arms that are told, would tell a count
        under ten.
    """

    encoding: Encoding
    centers: Floats
    counts: tuple[Mapping[str, GroupCount], ...]
    sizes: tuple[int | None, ...]

    def find(self, frame: pd.DataFrame) -> tuple[LikeGroup, ...]:
        """Find the group whose mean is nearest to each row."""
        matrix = self.encoding.transform(frame)
        distances = ((matrix[:, None, :] - self.centers[None]) ** 2).sum(axis=2)
        is_all = len(self.sizes) == 1
        return tuple(
            LikeGroup(self.sizes[at], self.counts[at], is_all)
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
    def restore(cls, content: bytes, specs: tuple[FeatureSpec, ...]) -> Neighbours:
        """Read exported groups back."""
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


def learn_neighbours(
    features: FeatureTable, responded: Floats, arm: npt.NDArray[np.str_]
) -> Neighbours:
    """Divide training participants into groups that are alike.

    Returns
    -------
    Neighbours
        Groups are halved at the median of their first principal component, over standardised
        features, as long as both halves keep sixty participants.
    """
    encoding = fit_encoding(features.frame, select_patient(features.specs), fill_and_scale=True)
    matrix = encoding.transform(features.frame)
    waiting, groups = [np.arange(len(matrix))], []
    while waiting:
        rows = waiting.pop()
        halves = _halve(matrix, rows)
        if halves is None:
            groups.append(rows)
        else:
            waiting.extend(halves)
    counts = _count_groups(groups, responded, arm)
    return Neighbours(
        encoding,
        np.array([matrix[rows].mean(axis=0) for rows in groups]).reshape(len(groups), -1),
        counts,
        tuple(
            None if any(item.n is None for item in group.values()) else len(rows)
            for group, rows in zip(counts, groups, strict=True)
        ),
    )


def _halve(matrix: Floats, rows: npt.NDArray[np.int_]) -> list[npt.NDArray[np.int_]] | None:
    if len(rows) < 2 * FEWEST or not matrix.shape[1]:
        return None
    centred = matrix[rows] - matrix[rows].mean(axis=0)
    # Of the covariance: its size is that of the features.
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    # The sign of an axis is chance; its largest part decides.
    place = centred @ axis * np.sign(axis[np.abs(axis).argmax()])
    below = place <= np.median(place)
    halves = [rows[below], rows[~below]]
    return halves if min(map(len, halves)) >= FEWEST else None


def _count_groups(
    groups: Sequence[npt.NDArray[np.int_]], responded: Floats, arm: npt.NDArray[np.str_]
) -> tuple[dict[str, GroupCount], ...]:
    """Count each group by arm: what is not told can't be had from the sums that are."""
    names = [str(name) for name in np.unique(arm)]
    cells = [(at, name) for at in range(len(groups)) for name in names]
    outcomes = [responded[groups[at][arm[groups[at]] == name]] for at, name in cells]
    of_groups, of_arms = zip(*cells, strict=True)
    told = tell_cells(
        [(len(each), round(float(each.sum()))) for each in outcomes],
        list_lines(of_groups, of_arms),
        # Of responders, sums are told of arms and of all; of a group they are where it is all.
        list_lines(of_arms),
    )
    counts: tuple[dict[str, GroupCount], ...] = tuple({} for _ in groups)
    for (at, name), mine in zip(cells, told, strict=True):
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
        raise ValueError("a count is not whole, or should not be told")
    return int(number)
