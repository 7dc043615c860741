"""In which of the model's forms a table is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, zip_longest

import numpy as np
import pandas as pd

from glabella.bundle.forms import TableForm, TableLayout
from glabella.bundle.manifest import Manifest
from glabella.bundle.plausibility import ColumnCheck
from glabella.bundle.rows import PreparedRows, prepare_rows
from glabella.errors import DataError


@dataclass(frozen=True)
class Candidate:
    """A form that a table's columns fit, and the table as it is read for it.

    Parameters
    ----------
    layout : TableLayout
        The form, with the file's labels.
    read : callable
        Given columns, reads the table from its start in batches.
    table : object
        The table, in whatever class the reader gives it.
    """

    layout: TableLayout
    read: Callable[[Sequence[str]], Iterator[pd.DataFrame]] = field(repr=False)
    table: object = field(default=None, repr=False)


def recognise_layout(candidates: Sequence[Candidate], manifest: Manifest) -> Candidate:
    """Find the form in which a table is written, or refuse to guess.

    Parameters
    ----------
    candidates : sequence of Candidate
        At least one; all of the same table.
    manifest : Manifest
        What the model needs.

    Returns
    -------
    Candidate
        The only form that the values fit; or, of several that give every value the same meaning,
        the one that refuses the fewest rows.

    Raises
    ------
    DataError
        If two forms fit and give values different meanings.
    """
    first: list[Candidate] = []
    for each in candidates:
        form = each.layout.form
        if not any(form.reads_like(known.layout.form) and form.read == known.layout.form.read
                   for known in first):  # fmt: skip
            first.append(each)
    if len(first) == 1:
        return first[0]
    trials = _compare(first, manifest)
    possible = [trial for trial in trials if not trial.check.is_wrong] or trials
    for one, other in combinations(possible, 2):
        if other.name in one.differs_from:
            names = " or ".join(f"--form {trial.name}" for trial in possible)
            raise DataError(
                f"the table can be read in the form of '{one.name}' and of '{other.name}', and "
                "its values would mean different things",
                remedy=f"State which, with {names}.",
            )
    return min(possible, key=lambda trial: trial.refused).candidate


@dataclass
class _Trial:
    """How a table comes out in one form."""

    candidate: Candidate
    check: ColumnCheck
    refused: int = 0
    differs_from: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.candidate.layout.form.name


def _compare(candidates: Sequence[Candidate], manifest: Manifest) -> list[_Trial]:
    trials = [_Trial(each, ColumnCheck(manifest, each.layout)) for each in candidates]
    batches = [each.read(each.layout.form.read_columns) for each in candidates]
    for frames in zip_longest(*batches):
        prepared = [
            _prepare(trial, frame, manifest) for trial, frame in zip(trials, frames, strict=True)
        ]
        for one, other in combinations(range(len(trials)), 2):
            if _differ(prepared[one], prepared[other]):
                trials[one].differs_from.add(trials[other].name)
    return trials


def _prepare(trial: _Trial, frame: pd.DataFrame | None, manifest: Manifest) -> PreparedRows | None:
    if frame is None:
        return None
    trial.check.add(frame)
    # Doubled participants are a matter of the whole table, alike in every form.
    doubled = np.zeros(len(frame), dtype=bool)
    prepared = prepare_rows(frame, manifest, trial.candidate.layout, doubled=doubled)
    trial.refused += int((~prepared.usable).sum())
    return prepared


def _differ(one: PreparedRows | None, other: PreparedRows | None) -> bool:
    """Say whether a row that both can read has another value in one of its features."""
    if one is None or other is None or len(one.features) != len(other.features):
        return True
    both = one.usable & other.usable
    return not one.features[both].equals(other.features[both])


def list_columns(forms: Iterable[TableForm]) -> tuple[str, ...]:
    """List the columns that any of several forms reads.

    Parameters
    ----------
    forms : iterable of TableForm
        The forms.

    Returns
    -------
    tuple of str
        Each once.
    """
    return tuple(dict.fromkeys(name for form in forms for name in form.read_columns))
