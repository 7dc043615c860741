"""Features as plain columns that can be held against what came later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.tables import PatientTables
from glabella.features.leakage.column_dependence import (
    Bools,
    Floats,
    compute_rank_correlation,
    compute_separation,
    count_decimals,
    find_function,
    is_in_same_order,
)
from glabella.features.leakage.grading import CERTAIN
from glabella.features.spec import FeatureTable

# Nearly all of a column's information is in as many rows; what fails there fails everywhere.
_PROBED = 200
_FEW_LEVELS = 10
# Where the score before the prediction tells the parts of a feature apart as well as this, or is as
# alike in rank, nothing from later is needed to explain it.
_TOLD_BEFORE = 0.95


@dataclass(frozen=True)
class Column:
    """A patient feature as numbers.

    Parameters
    ----------
    name : str
        The feature.
    values : array of float, shape (n_participants,)
        Numbers, or of a category the position of its level; NaN where missing.
    is_ordered : bool
        Whether it is a number or an ordinal.
    n_levels : int
        Its different values.
    decimals : int or None
        To how many its values are rounded; None of a two-valued one, which rounds nothing.
    probe : array of int
        Some participants who have it, as many with the commonest value as without: most columns
        that do not follow from another are seen not to in these.
    """

    name: str
    values: Floats
    is_ordered: bool
    n_levels: int
    decimals: int | None
    probe: npt.NDArray[np.intp]

    @property
    def known(self) -> Bools:
        """Who has it."""
        return ~np.isnan(self.values)

    @property
    def with_missing(self) -> Floats:
        """The values with a level of its own for missing; of a number, whether it is recorded."""
        if self.is_ordered and self.n_levels > 2:
            return self.known.astype(float)
        return np.where(self.known, self.values, -1.0)


def list_columns(features: FeatureTable, tables: PatientTables) -> Iterator[Column]:
    """List the patient features that could hold more than was known."""
    people = tables.participants
    group = people.groupby(
        [name for name in ("studyid", "arm") if name in people], sort=False, dropna=False
    ).ngroup()
    for spec in features.specs:
        if spec.part != "patient":
            continue
        raw = features.frame[spec.name]
        is_category = spec.kind == "category"
        values = pd.factorize(raw)[0].astype(float) if is_category else raw.to_numpy(dtype=float)
        if is_category:
            values[values < 0] = np.nan
        series = pd.Series(values)
        n_levels = series.nunique()
        if (series.groupby(group.to_numpy()).nunique(dropna=False) < 2).all():
            continue
        yield Column(
            name=spec.name,
            values=values,
            is_ordered=not is_category,
            n_levels=n_levels,
            decimals=count_decimals(values[~np.isnan(values)]) if n_levels > 2 else None,
            probe=_choose_probe(values),
        )


def _choose_probe(values: Floats) -> npt.NDArray[np.intp]:
    known = np.flatnonzero(~np.isnan(values))
    if len(known) <= 2 * _PROBED:
        return known
    levels, codes = np.unique(values[known], return_inverse=True)
    common = codes == np.bincount(codes, minlength=len(levels)).argmax()
    draw = np.random.default_rng(0)
    parts = [
        draw.choice(part, min(_PROBED, len(part)), replace=False)
        for part in (known[common], known[~common])
    ]
    return np.sort(np.concatenate(parts))


def is_told_before(
    column: Column, rows: Bools, before: tuple[Floats, ...], *, exactly: bool = False
) -> bool:
    """Say whether what was assessed by the moment of prediction says as much as a feature.

    Returns
    -------
    bool
        True where the feature rises or falls with one of them without exception, has a single
        value for each of its values, or nearly: then a score that changed little, or an endpoint
        by a fixed cut, explains the finding.
    """
    return any(
        _is_following(column, rows, known) or (not exactly and _is_nearly_told(column, rows, known))
        for known in before
    )


def _is_following(column: Column, rows: Bools, known: Floats) -> bool:
    both = rows & column.known & ~np.isnan(known)
    if not is_covering(both, rows & column.known):
        return False
    values, by = column.values[both], known[both]
    if column.is_ordered and is_in_same_order(values, by):
        return True
    chance = find_function(values, by, is_ordered=column.is_ordered)
    return chance is not None and chance < CERTAIN


def _is_nearly_told(column: Column, rows: Bools, known: Floats) -> bool:
    both = rows & column.known & ~np.isnan(known)
    if not is_covering(both, rows & column.known):
        return False
    values, by = column.values[both], known[both]
    levels = np.unique(values)
    if len(levels) > _FEW_LEVELS and column.is_ordered:
        return compute_rank_correlation(values, by) >= _TOLD_BEFORE
    if not 2 <= len(levels) <= _FEW_LEVELS:
        return False
    parts = [values >= level for level in levels[1:]]
    if not column.is_ordered:
        parts = [values == level for level in levels]
    return all(compute_separation(by, part) >= _TOLD_BEFORE for part in parts)


def is_covering(part: Bools, whole: Bools) -> bool:
    """Say whether a comparison holds for at least half of those it is to speak for."""
    return 2 * int(part.sum()) >= int(whole.sum()) > 0
