"""The two tables that everything after reading works on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.checks import Finding
from glabella.domain.visits import TIE_DECIMALS, Window

__all__ = ["PatientTables"]

KEY = ["studyid", "usubjid"]


@dataclass(frozen=True)
class PatientTables:
    """Participants and their assessments, typed and checked against the dictionary.

    Parameters
    ----------
    participants : DataFrame
        One row a participant: ``studyid``, ``usubjid``, and where the source has them
        ``siteid``, ``cohort``, ``arm`` and ``scale``; ``person`` where a person stands in
        several rows, once for each period of a crossover; then the dictionary's variables.
    assessments : DataFrame
        One row a participant, variable and visit: ``studyid``, ``usubjid``, ``paramcd`` (the
        variable), ``week`` since treatment began, ``aval`` (the value). Keys may be categories.
        ``dtype`` where a source holds derived values: how, in ADaM's capitals; blank or missing
        for an observed one.
    origin : str
        ``real`` or ``simulated``.
    findings : tuple of Finding
        What was noted on reading that does not stop: rows left aside, and why.
    """

    participants: pd.DataFrame
    assessments: pd.DataFrame
    origin: Literal["real", "simulated"]
    findings: tuple[Finding, ...] = ()

    @property
    def n(self) -> int:
        """The number of participants."""
        return len(self.participants)

    @cached_property
    def positions(self) -> npt.NDArray[np.intp]:
        """The position of each assessment's participant, -1 for nobody."""
        return find_positions(self.assessments, self.participants)


@dataclass(frozen=True)
class WideTables(PatientTables):
    """Tables of which each participant's visits stand in one row, as in a table to be scored.

    Parameters
    ----------
    participants, assessments : DataFrame
        As in `PatientTables`; there are no assessments.
    origin : str
        ``real`` or ``simulated``.
    findings : tuple of Finding
        As in `PatientTables`.
    visits : dict
        Variable to its visits: the week since treatment began, and the values in the order of
        the participants.
    """

    visits: Mapping[str, Sequence[tuple[float, pd.Series]]] = field(default_factory=dict)

    def find_nearest(self, variable: str, ranked: Callable[[float], float | None]) -> pd.Series:
        """Find each participant's value at the visit that is ranked first of those recorded.

        Parameters
        ----------
        variable : str
            A variable that is assessed at visits.
        ranked : callable
            Gives a week its rank, the lowest first; None where it does not count.

        Returns
        -------
        Series of float, shape (n_participants,)
            Missing where none was recorded.
        """
        found = np.full(self.n, np.nan)
        known = [(ranked(week), week, values) for week, values in self.visits.get(variable, ())]
        counting = [(rank, week, values) for rank, week, values in known if rank is not None]
        for _, _, values in sorted(counting, key=lambda item: item[:2]):
            found = np.where(np.isnan(found), values.to_numpy(dtype=float), found)
        return pd.Series(found, index=self.participants.index)


def hash_tables(tables: PatientTables) -> str:
    """Hash every row and column of both tables.

    Parameters
    ----------
    tables : PatientTables
        The tables.

    Returns
    -------
    str
        SHA-256 in hexadecimal; the same for the same values in the same rows, wherever they were
        read from and in whatever order their columns stand. Rows in another order are another
        table: folds and seeds go by it.
    """
    digest = hashlib.sha256()
    for frame in (tables.participants, tables.assessments):
        digest.update(f"{len(frame)} {len(frame.columns)};".encode())
        for column in sorted(frame.columns):
            digest.update(_frame_token(column))
            present = frame[column].notna()
            values = zip(frame[column].astype(object), present, strict=True)
            digest.update(b"".join(_frame_token(v) if known else b"-" for v, known in values))
    return digest.hexdigest()


def _frame_token(value: object) -> bytes:
    """Write a value with its length before it, so that no two sequences read alike."""
    text = str(value).encode()
    return b"%d:%b" % (len(text), text)


def find_baselines(tables: PatientTables, variable: str) -> pd.Series:
    """Find each participant's last value at or before baseline.

    Parameters
    ----------
    tables : PatientTables
        The tables.
    variable : str
        A variable that is assessed at visits.

    Returns
    -------
    Series of float, shape (n_participants,)
        In the order of the participants; NaN where none was recorded.
    """
    if isinstance(tables, WideTables):
        return tables.find_nearest(variable, lambda week: None if week > 0 else -week)
    rows = tables.assessments
    is_early = ((rows["paramcd"] == variable) & (rows["week"] <= 0)).to_numpy()
    last = (
        rows[is_early]
        .assign(person=tables.positions[is_early])
        .sort_values(["person", "week"], kind="stable")
    )
    values = last.groupby("person")["aval"].last().drop(-1, errors="ignore")
    found = values.reindex(range(tables.n)).to_numpy(dtype=float)
    return pd.Series(found, index=tables.participants.index)


def find_visit_scores(tables: PatientTables, variable: str, window: Window) -> pd.Series:
    """Find each participant's value at the visit that stands for a week.

    Parameters
    ----------
    tables : PatientTables
        The tables.
    variable : str
        A variable that is assessed at visits.
    window : Window
        The week that is meant, and the weeks in which a visit may stand for it.

    Returns
    -------
    Series of float, shape (n_participants,)
        The value nearest to the week, of two equally near the earlier, as `Window.choose` has it;
        NaN where no visit lies in the window.
    """
    if isinstance(tables, WideTables):
        return tables.find_nearest(
            variable,
            lambda week: (
                round(abs(week - window.target), TIE_DECIMALS)
                if window.low <= week <= window.high
                else None
            ),
        )
    rows = tables.assessments
    is_inside = (rows["paramcd"] == variable) & rows["week"].between(window.low, window.high)
    inside = rows[is_inside]
    nearest = inside.assign(
        person=tables.positions[is_inside.to_numpy()],
        distance=(inside["week"] - window.target).abs().round(TIE_DECIMALS),
    ).sort_values(["distance", "week"], kind="stable")
    values = nearest.drop_duplicates("person").set_index("person")["aval"]
    found = values.reindex(range(tables.n)).to_numpy(dtype=float)
    return pd.Series(found, index=tables.participants.index)


def find_positions(rows: pd.DataFrame, participants: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Find each row's participant.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, ...)
        With ``studyid`` and ``usubjid``, as text or as categories.
    participants : DataFrame
        The first of a doubled participant is taken.

    Returns
    -------
    array of int, shape (n_rows,)
        Positions in `participants`; -1 for nobody.
    """
    trial, trials = _encode(rows["studyid"])
    person, people = _encode(rows["usubjid"])
    # Whole numbers stand for the two names, so that a pair is looked up once and no text twice.
    width = max(len(people), 1)
    codes, pairs = pd.factorize(trial.astype(np.int64) * width + person)
    of_trial = trials.get_indexer(pd.Index(participants["studyid"].astype(object)))
    of_person = people.get_indexer(pd.Index(participants["usubjid"].astype(object)))
    keys = np.where(
        (of_trial < 0) | (of_person < 0), -1, of_trial.astype(np.int64) * width + of_person
    )
    first = np.flatnonzero(~pd.Series(keys).duplicated().to_numpy() & (keys >= 0))
    found = pd.Index(keys[first]).get_indexer(pd.Index(pairs))
    positions = np.append(first, -1)[found]
    return np.asarray(positions[codes], dtype=np.intp)


def _encode(column: pd.Series) -> tuple[npt.NDArray[np.intp], pd.Index]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.intp), column.cat.categories.astype(object)
    codes, levels = pd.factorize(column.astype(object))
    return codes, pd.Index(levels, dtype=object)
