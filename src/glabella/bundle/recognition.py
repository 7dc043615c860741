"""The form, of those that a model can read, in which a table is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, zip_longest

import numpy as np
import pandas as pd

from glabella.bundle.applicability.column_checks import ColumnCheck
from glabella.bundle.forms import DICTIONARY, TableForm, TableLayout
from glabella.bundle.manifest import Manifest
from glabella.bundle.rows import PreparedRows, read_rows
from glabella.data.reading.raw import ReadOptions
from glabella.errors import DataError


@dataclass(frozen=True)
class Candidate:
    """A form that fits a table's columns, and the table as it is read for this form.

    Parameters
    ----------
    layout : TableLayout
        The form, with the file's labels.
    read : callable
        Reads given columns of the table from its start, in batches.
    names : tuple of str
        The table's columns.
    table : object
        The table, in the class of its reader.
    options : ReadOptions
        How the file was read.
    """

    layout: TableLayout
    read: Callable[[Sequence[str]], Iterator[pd.DataFrame]] = field(repr=False)
    names: tuple[str, ...] = ()
    table: object = field(default=None, repr=False)
    options: ReadOptions = field(default_factory=ReadOptions)

    @property
    def form(self) -> TableForm:
        """The form alone."""
        return self.layout.form


@dataclass(frozen=True)
class LayoutMatch:
    """The form of a table, and other forms in which its values have the same meaning.

    Parameters
    ----------
    chosen : Candidate
        The form, with the table as it is read for it.
    alike : tuple of TableLayout
        All forms in which the table's values have the same meaning, the chosen one first. They
        may name different columns of identifiers, arm and outcome.
    """

    chosen: Candidate
    alike: tuple[TableLayout, ...]


def find_table_layout(candidates: Sequence[Candidate], manifest: Manifest) -> LayoutMatch:
    """Find the form in which a table is written; refuse it if forms would differ in meaning.

    Returns
    -------
    LayoutMatch
        The only form that fits the values. Of several in which every value has the same meaning,
        the one in which the fewest rows are refused, then the one with the most identifier
        columns in the table, then a source's form rather than the dictionary's.
    """
    kinds: list[list[Candidate]] = []
    for each in candidates:
        kind = next((kind for kind in kinds if _has_same_meaning(kind[0], each)), None)
        if kind is None:
            kinds.append([each])
        else:
            kind.append(each)
    if len(kinds) == 1:
        possible = [_Trial(kinds[0][0], ColumnCheck(manifest, kinds[0][0].layout))]
    else:
        trials = _compare([kind[0] for kind in kinds], manifest)
        possible = [trial for trial in trials if not trial.check.is_wrong] or trials
    for one, other in combinations(possible, 2):
        if other.name in one.differs_from:
            names = " or ".join(f"--form {trial.name}" for trial in possible)
            raise DataError(
                f"the table can be read in the form of '{one.name}' and of '{other.name}', in "
                "which its values have different meanings",
                remedy=f"State its form with {names}.",
            )
    refused = {trial.name: trial.refused for trial in possible}
    alike = [
        (refused[kind[0].form.name], each)
        for kind in kinds
        if kind[0].form.name in refused
        for each in kind
    ]
    alike.sort(
        key=lambda item: (
            item[0],
            -len(item[1].form.list_ids(item[1].names)),
            item[1].form.name == DICTIONARY,
        )
    )
    return LayoutMatch(alike[0][1], tuple(each.layout for _, each in alike))


def _has_same_meaning(one: Candidate, other: Candidate) -> bool:
    return one.form.has_same_meaning(other.form) and one.options == other.options


@dataclass
class _Trial:
    """The result of reading a table in one form."""

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
            _read_batch(trial, frame, manifest) for trial, frame in zip(trials, frames, strict=True)
        ]
        for one, other in combinations(range(len(trials)), 2):
            if _has_difference(prepared[one], prepared[other]):
                trials[one].differs_from.add(trials[other].name)
    return trials


def _read_batch(
    trial: _Trial, frame: pd.DataFrame | None, manifest: Manifest
) -> PreparedRows | None:
    if frame is None:
        return None
    trial.check.add(frame)
    # Repeated participants concern the whole table, and are the same in every form.
    repeated = np.zeros(len(frame), dtype=bool)
    prepared = read_rows(frame, manifest, trial.candidate.layout, repeated=repeated)
    trial.refused += int((~prepared.usable).sum())
    return prepared


def _has_difference(one: PreparedRows | None, other: PreparedRows | None) -> bool:
    """Compare two readings, and return whether a feature differs in a row that both can read."""
    if one is None or other is None or len(one.features) != len(other.features):
        return True
    both = one.usable & other.usable
    return not one.features[both].equals(other.features[both])


def list_columns(forms: Iterable[TableForm]) -> tuple[str, ...]:
    """List the columns that at least one of several forms reads."""
    return tuple(dict.fromkeys(name for form in forms for name in form.read_columns))
