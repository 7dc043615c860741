"""A table of new patients to be scored, some rows of it faulty, each in another way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from glabella.errors import DataError

COLUMNS = (
    "usubjid", "scale", "depression_total", "frown_max", "frown_rest", "age_years", "sex",
    "illness_months", "antidepressant", "episodes", "resistance", "expectancy",
)  # fmt: skip

# Column and what stands in it. The id of an earlier row is put in where the text is None.
FAULTS: tuple[tuple[str, str | None], ...] = (
    ("age_years", "forty"),
    ("age_years", "-41"),
    ("age_years", "140"),
    ("sex", "X"),
    ("sex", "female"),
    ("depression_total", ""),
    ("depression_total", "99"),
    ("depression_total", "-4"),
    ("depression_total", "severe"),
    ("depression_total", "0"),
    ("scale", "hamd"),
    ("scale", ""),
    ("frown_max", "7"),
    ("frown_max", "1.5"),
    ("frown_rest", "mild"),
    ("illness_months", "-1"),
    ("illness_months", "inf"),
    ("antidepressant", "sometimes"),
    ("usubjid", ""),
    ("usubjid", None),
)


def make_new_patients(
    people: pd.DataFrame, faulty: int, draw: np.random.Generator, *, further: Sequence[str] = ()
) -> pd.DataFrame:
    """Make the table, shuffled, with faults in some rows; `further` columns come last."""
    if faulty > min(len(FAULTS), len(people) - 1):
        raise DataError(
            f"{faulty} faulty rows were asked for; there are {len(FAULTS)} kinds of fault and "
            f"{len(people)} rows",
            place="new_patients",
            remedy="Ask for fewer.",
        )
    order = draw.permutation(len(people))
    table = people.iloc[order].reset_index(drop=True)
    table["usubjid"] = [f"new-{index + 1:03d}" for index in range(len(table))]
    table = table[[*COLUMNS, *further]].astype(str)
    first = str(table["usubjid"].iloc[0])
    # The first row keeps its id, so that another can repeat it.
    places = 1 + np.sort(draw.permutation(len(table) - 1)[:faulty])
    chosen = draw.permutation(len(FAULTS))[:faulty]
    for place, index in zip(places, chosen, strict=True):
        column, text = FAULTS[index]
        table.loc[place, column] = first if text is None else text
    return table
