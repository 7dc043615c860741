"""Why identifiers of one file are not among those of another, without showing one."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.tables import KEY, find_positions

# Under so many of the rows are chance.
_FEWEST = 0.5
# From the smallest difference to the largest; each says what does not count if they are to agree.
_DIFFERENCES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("capitals", str.casefold),
    ("leading zeros", lambda text: re.sub(r"(?<!\d)0+(?=\d)", "", text)),
    ("decimals of whole numbers", lambda text: re.sub(r"^(\d+)\.0+$", r"\1", text)),
    ("blanks and signs between", lambda text: re.sub(r"[\W_]+", "", text)),
    (
        "capitals, leading zeros, blanks and signs",
        lambda text: re.sub(
            r"(?<!\d)0+(?=\d)", "", re.sub(r"[\W_]+", " ", text.casefold())
        ).replace(" ", ""),
    ),
)


def explain_unmatched(
    keys: pd.DataFrame, participants: pd.DataFrame, unmatched: npt.NDArray[np.bool_]
) -> str:
    """Say in what unmatched identifiers differ from those of the participants.

    Returns
    -------
    str
        A sentence for a remedy, or nothing where no single difference explains most of the rows.
    """
    rows = keys.loc[unmatched, KEY].astype(object).drop_duplicates()
    people = participants[KEY].astype(object)
    known = set(people["usubjid"])
    if rows["usubjid"].isin(known).mean() >= _FEWEST:
        return "Most of these participants are there under the name of another trial. "
    for what, simplify in _DIFFERENCES:
        simple = people.assign(usubjid=people["usubjid"].map(simplify))
        there = find_positions(rows.assign(usubjid=rows["usubjid"].map(simplify)), simple) >= 0
        if there.mean() >= _FEWEST:
            share = "All" if there.all() else "Most"
            return (
                f"{share} of these identifiers would be found if {what} did not count: write them "
                "alike in both files. "
            )
    return ""
