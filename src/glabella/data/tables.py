"""The two tables that everything after reading works on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from glabella.data.checks import Finding

KEY = ["studyid", "usubjid"]


@dataclass(frozen=True)
class PatientTables:
    """Participants and their assessments, typed and checked against the dictionary.

    Parameters
    ----------
    participants : DataFrame
        One row a participant: ``studyid``, ``usubjid``, and where the source has them
        ``siteid``, ``cohort``, ``arm`` and ``scale``; then the dictionary's variables.
    assessments : DataFrame
        One row a participant, variable and visit: ``studyid``, ``usubjid``, ``paramcd`` (the
        variable), ``week`` since treatment began, ``aval`` (the value).
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


def hash_tables(tables: PatientTables) -> str:
    """Hash every row and column of both tables.

    Parameters
    ----------
    tables : PatientTables
        The tables.

    Returns
    -------
    str
        SHA-256 in hexadecimal; the same for the same values, wherever they were read from.
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
    rows = tables.assessments
    early = rows[(rows["paramcd"] == variable) & (rows["week"] <= 0)]
    last = early.sort_values("week", kind="stable").groupby(KEY, sort=False)["aval"].last()
    keys = pd.MultiIndex.from_frame(tables.participants[KEY])
    return pd.Series(last.reindex(keys).to_numpy(dtype=float), index=tables.participants.index)
