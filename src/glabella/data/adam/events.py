"""ADAE to flags of participants: who had an event after treatment began."""

from __future__ import annotations

import numpy as np
import pandas as pd

from glabella.data.adam.cells import (
    Bools,
    Floats,
    State,
    add_finding,
    note_refused_rows,
    read_identifiers,
    read_numbers,
    read_text,
)
from glabella.data.adam.subjects import Subjects
from glabella.data.checks import parse_values
from glabella.data.mapping.unmatched import explain_unmatched
from glabella.data.tables import find_positions
from glabella.errors import DefinitionError


def map_events(state: State, subjects: Subjects) -> dict[int, pd.DataFrame]:
    """Flag the participants who had each of the source's events.

    Returns
    -------
    dict of DataFrame
        Period to one row a subject and a column a flag: ``1`` (as the dictionary writes it) for
        who has at least one treatment-emergent record, ``TRTEMFL`` of Y where the dataset has
        it; else ``0``. Who has no record at all had no event: ADAE holds events only.
    """
    file = state.source.adam.adae
    if file is None:
        return {}
    for name in state.source.events:
        _check_variable(state, name)
    person = _find_people(state, file, subjects)
    counts = _select_emergent(state, file) & (person >= 0)
    period = _read_periods(state, file, counts, subjects)
    flags: dict[int, pd.DataFrame] = {number: pd.DataFrame() for number in subjects.taken}
    for name in state.source.events:
        is_event = counts & _match(state, file, name)
        _note_late_events(state, file, name, is_event)
        for number, frame in flags.items():
            had = np.zeros(len(subjects.frame), dtype=bool)
            had[person[is_event & (period == number)]] = True
            cells = pd.Series(np.where(had, "1", "0").astype(object))
            frame[name] = parse_values(cells, state.dictionary.variables[name]).values
    return flags


def _check_variable(state: State, name: str) -> None:
    variable = state.find(name, "events", name)
    faults = parse_values(pd.Series(["0", "1"], dtype=object), variable).faults
    if pd.notna(faults).any():
        raise DefinitionError(
            f"an event is 1 or 0, and '{name}' can't be both",
            place=state.name_place("events", name),
            remedy="Make it a category with the codes 0 and 1 in the dictionary.",
        )
    if variable.timing in ("baseline", "visit"):
        # Otherwise a model would foretell the outcome from what followed the treatment.
        raise DefinitionError(
            f"'{name}' is an event after treatment began, and the dictionary has it at "
            f"{variable.timing}",
            place=state.name_place("events", name),
            remedy="Write `timing: week N` in the dictionary, the week by which events count, or "
            "`timing: end` where all do.",
        )


def _find_people(state: State, file: str, subjects: Subjects) -> np.ndarray:
    keys = pd.DataFrame(
        {
            "studyid": read_identifiers(state.take(file, "STUDYID", "adam", "adae")),
            "usubjid": read_identifiers(state.take(file, "USUBJID", "adam", "adae")),
        }
    )
    person = find_positions(keys, subjects.frame)
    unmatched = person < 0
    hint = explain_unmatched(keys, subjects.frame, unmatched) if unmatched.any() else ""
    note_refused_rows(
        state,
        file,
        "USUBJID",
        np.flatnonzero(unmatched),
        f"{{count}} of {len(person)} records belong to no participant in {state.source.adam.adsl}",
        f"{hint}Add these subjects, or leave the records out.",
    )
    return person


def _select_emergent(state: State, file: str) -> Bools:
    if "TRTEMFL" in state.raw[file].frame:
        return np.asarray(read_text(state.take(file, "TRTEMFL", "events")) == "Y", dtype=bool)
    add_finding(
        state,
        file,
        "there is no TRTEMFL: events before treatment count as well",
        "Flag those that began or worsened under treatment.",
        "warn",
    )
    return np.ones(len(state.raw[file].frame), dtype=bool)


def _read_periods(state: State, file: str, counts: Bools, subjects: Subjects) -> Floats:
    """Which period an event counts in; a blank one is of the first where only that is read."""
    several = len(subjects.taken) > 1
    if "APERIOD" not in state.raw[file].frame:
        if several:
            raise DefinitionError(
                f"the table {file} has no APERIOD, so its events are of no period",
                place=state.name_place("periods"),
                remedy="Leave `periods:` out, or add the column.",
            )
        return np.ones(len(counts))
    period, wrong = read_numbers(state.take(file, "APERIOD", "periods"))
    note_refused_rows(
        state, file, "APERIOD", np.flatnonzero(wrong), "{count} cells are no number", "Mend them."
    )
    period = period if several else np.where(np.isnan(period), 1.0, period)
    aside = int((counts & ~np.isin(period, list(subjects.taken))).sum())
    if aside:
        add_finding(
            state,
            f"{file}, column 'APERIOD'",
            f"{aside} events are of no period that counts and are excluded",
            "`periods: all` takes in those of later periods.",
        )
    return period


def _match(state: State, file: str, name: str) -> Bools:
    matched = np.ones(len(state.raw[file].frame), dtype=bool)
    for column, values in state.source.events[name].items():
        # The dictionaries of events are written in capitals by some and in small letters by others.
        cells = np.char.upper(
            read_text(state.take(file, column, "events", name, column)).astype(str)
        )
        wanted = [value.strip().upper() for value in values]
        for value in sorted(set(wanted) - set(cells)):
            add_finding(
                state,
                f"{file}, column '{column}'",
                f"no record has the '{value}' that '{name}' asks for",
                "Compare its spelling with the file's.",
                "warn",
            )
        matched &= np.isin(cells, wanted)
    return matched


def _note_late_events(state: State, file: str, name: str, is_event: Bools) -> None:
    known_at = state.dictionary.variables[name].known_at
    if known_at is None or "ASTDY" not in state.raw[file].frame:
        return
    day, _ = read_numbers(state.take(file, "ASTDY", "events", name))
    late = int((is_event & (day > known_at.week * 7 + 1)).sum())
    if late:
        add_finding(
            state,
            f"{file}, column 'ASTDY'",
            f"{late} events of '{name}' began after {known_at}, when the dictionary has it known",
            "A feature would use what is not known yet; name a later week there.",
            "warn",
        )
