"""ADAE to flags of participants: who had an event while under treatment."""

from __future__ import annotations

import numpy as np
import pandas as pd

from glabella.data.checks import to_text
from glabella.data.ingest.adam.subjects import State
from glabella.data.tables import find_positions


def map_events(state: State, subjects: pd.DataFrame) -> dict[str, pd.Series]:
    """Flag the participants who had each of the source's events.

    Parameters
    ----------
    state : MappingState
        The source.
    subjects : DataFrame
        As `map_subjects` gives it.

    Returns
    -------
    dict of Series of str, shape (n_subjects,)
        ``1`` for who has at least one treatment-emergent record of the event (``TRTEMFL`` where
        the dataset has it), else ``0``.
    """
    file = state.source.adam.adae
    if file is None or not state.source.events:
        return {}
    keys = pd.DataFrame(
        {
            "studyid": to_text(state.take(file, "STUDYID", "adam", "adae")),
            "usubjid": to_text(state.take(file, "USUBJID", "adam", "adae")),
        }
    )
    person = find_positions(keys, subjects)
    state.note_rows(
        person < 0,
        file,
        "USUBJID",
        f"{{count}} of {len(person)} records are of nobody in ADSL",
        "Mend the dataset.",
    )
    emerged = np.ones(len(person), dtype=bool)
    if "TRTEMFL" in state.raw[file].frame:
        treated = to_text(state.take(file, "TRTEMFL", "adam", "adae")).astype(object)
        emerged = (treated == "Y").to_numpy()
    made = {}
    for name, wanted in state.source.events.items():
        is_event = emerged & (person >= 0)
        for column, values in wanted.items():
            cells = to_text(state.take(file, column, "events", name, column)).astype(object)
            upper = {value.upper() for value in values}
            is_event &= cells.str.upper().isin(upper).to_numpy()
        flags = np.full(len(subjects), "0", dtype=object)
        flags[person[is_event]] = "1"
        made[name] = pd.Series(flags)
    return made
