"""In which of the model's forms a table is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, zip_longest

import numpy as np
import pandas as pd

from glabella.bundle.applicability.column_checks import ColumnCheck
from glabella.bundle.forms import DICTIONARY, TableForm, TableLayout
from glabella.bundle.manifest import Manifest
from glabella.bundle.rows import PreparedRows, prepare_rows
from glabella.data.reading.raw import ReadOptions
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
    names : tuple of str
        The table's columns.
    table : object
        The table, in whatever class the reader gives it.
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
class Recognised:
    """The form that was found, and what else the table could be.

    Parameters
    ----------
    chosen : Candidate
        The form, with the table as it is read for it.
    alike : tuple of TableLayout
        All forms that give the table's values the same meaning, the chosen one first. They may
        name other columns of identifiers, arm and outcome.
    """

    chosen: Candidate
    alike: tuple[TableLayout, ...]


def recognise_layout(candidates: Sequence[Candidate], manifest: Manifest) -> Recognised:
    """Find the form in which a table is written, or refuse to guess.

    Returns
    -------
    Recognised
        The only form that the values fit. Of several that give every value the same meaning: the
        one that refuses the fewest rows, then the one that finds the most identifier columns in
        the table, then a source's rather than the dictionary's.
    """
    kinds: list[list[Candidate]] = []
    for each in candidates:
        kind = next((kind for kind in kinds if _reads_like(kind[0], each)), None)
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
                f"the table can be read in the form of '{one.name}' and of '{other.name}', and "
                "its values would mean different things",
                remedy=f"State which, with {names}.",
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
    return Recognised(alike[0][1], tuple(each.layout for _, each in alike))


def _reads_like(one: Candidate, other: Candidate) -> bool:
    return one.form.reads_like(other.form) and one.options == other.options


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
    """List the columns that any of several forms reads."""
    return tuple(dict.fromkeys(name for form in forms for name in form.read_columns))
