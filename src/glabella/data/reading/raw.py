"""A table as its file holds it, before anything is interpreted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from glabella.definitions.reader import Definition

__all__ = ["ReadOptions"]


class ReadOptions(Definition):
    """What a file does not say of itself.

    Parameters
    ----------
    encoding : str, optional
        Of text files, and of SAS files that name none. UTF-8, or what a byte order mark says,
        unless stated: other encodings can't be told apart for certain.
    delimiter : str, optional
        Of text files; found in the header unless stated.
    decimal : str, optional
        ``.`` or ``,``; found in the cells unless stated.
    sheet : str, optional
        Of a workbook; required where it has several.
    """

    encoding: str | None = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    decimal: Literal[".", ","] | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class RawTable:
    """The cells of a file with the labels that it carries.

    Parameters
    ----------
    frame : DataFrame
        Text files and workbooks' text as text, blank where empty; numbers as numbers and dates
        as dates where the format has types.
    labels : dict
        Column to its label, where the format has labels and one is set.
    value_labels : dict
        Column to value (as `to_text` writes it) to label.
    """

    frame: pd.DataFrame
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
