"""ADSL to participants: who counts, which arm they took, what was known of them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from glabella.data.checks import Finding, parse_values, to_text
from glabella.data.dictionary import Variable
from glabella.data.ingest.adam.source import AdamSource
from glabella.data.ingest.interpret import MappingState
from glabella.data.tables import KEY
from glabella.errors import DefinitionError

# What the standard calls the commonest variables; any other is found by its own name in capitals.
_STANDARD = {
    "age_years": "AGE",
    "sex": "SEX",
    "race": "RACE",
    "ethnic": "ETHNIC",
    "height_cm": "HEIGHTBL",
    "weight_kg": "WEIGHTBL",
    "bmi_kg_m2": "BMIBL",
}
_AGE_UNITS = {"YEARS": 1.0, "MONTHS": 1 / 12, "WEEKS": 7 / 365.25, "DAYS": 1 / 365.25}
_POPULATIONS = ("ITTFL", "FASFL", "RANDFL", "SAFFL")

State = MappingState[AdamSource]


def map_subjects(state: State) -> pd.DataFrame:
    """Map ADSL to participants, without selecting any.

    Parameters
    ----------
    state : MappingState
        The source; what is wrong is noted there.

    Returns
    -------
    DataFrame
        One row a subject: keys, ``siteid``, ``arm/1`` and on by period, ``counts`` (whether the
        subject is of the population and took an arm), then the dictionary's variables.
    """
    source = state.source
    file = source.adam.adsl
    frame = state.raw[file].frame
    columns = {
        "studyid": to_text(state.take(file, "STUDYID", "adam", "adsl")).astype(object),
        "usubjid": to_text(state.take(file, "USUBJID", "adam", "adsl")).astype(object),
    }
    for name, column in (("STUDYID", "studyid"), ("USUBJID", "usubjid")):
        blank = (columns[column] == "").to_numpy()
        state.note_rows(blank, file, name, "{count} rows are blank", "Fill them in.")
    state.note_rows(
        pd.DataFrame(columns)[KEY].duplicated().to_numpy(),
        file,
        "USUBJID",
        "{count} rows repeat a subject of the same study",
        "ADSL has one row a subject.",
    )
    if source.site in frame or source.site != "SITEID":
        columns["siteid"] = to_text(state.take(file, source.site, "site")).astype(object)
    arms = _map_arms(state)
    columns.update(arms)
    columns["counts"] = _select_population(state) & (arms["arm/1"] != "")
    _note_untreated(state, columns["counts"], arms["arm/1"])
    if source.scale is not None:
        columns["scale"] = pd.Series(source.scale, index=range(len(frame)))
    for name, variable in state.dictionary.variables.items():
        found = _find_column(state, name, variable)
        if found is not None and name not in source.events:
            columns[name] = _map_variable(state, name, variable, found)
    return pd.DataFrame(columns)


def _map_arms(state: State) -> dict[str, pd.Series]:
    source, file = state.source, state.source.adam.adsl
    letter = "P" if source.treatment == "planned" else "A"
    frame = state.raw[file].frame
    arms = {"arm/1": to_text(state.take(file, f"TRT01{letter}", "treatment")).astype(object)}
    if source.periods == "all":
        number = 2
        while f"TRT{number:02d}{letter}" in frame:
            name = f"TRT{number:02d}{letter}"
            arms[f"arm/{number}"] = to_text(state.take(file, name, "treatment")).astype(object)
            number += 1
    if {"TRT01P", "TRT01A"} <= set(frame.columns):
        planned, actual = (
            to_text(state.take(file, f"TRT01{kind}", "treatment")).astype(object) for kind in "PA"
        )
        differ = int(((planned != actual) & (actual != "")).sum())
        if differ:
            _note(state, f"{differ} subjects took another treatment than was planned", "warn")
    return arms


def _select_population(state: State) -> pd.Series:
    source, file = state.source, state.source.adam.adsl
    frame = state.raw[file].frame
    flag = source.population
    if flag is None:
        flag = next((name for name in _POPULATIONS if name in frame), "all")
    if flag == "all":
        return pd.Series(True, index=range(len(frame)))
    chosen = to_text(state.take(file, flag, "population")).astype(object) == "Y"
    without = int((~chosen).sum())
    if without:
        _note(state, f"{without} subjects are not of the population {flag} and are left aside")
    return chosen


def _note_untreated(state: State, counts: pd.Series, arm: pd.Series) -> None:
    untreated = int(((arm == "") & ~counts).sum())
    if untreated:
        _note(state, f"{untreated} subjects have no treatment in ADSL and are left aside")


def _note(state: State, finding: str, severity: str = "note") -> None:
    graded = Finding(state.source.adam.adsl, finding, "")
    state.findings.append(replace(graded, severity=severity))  # type: ignore[arg-type]


def _find_column(state: State, name: str, variable: Variable) -> tuple[str, tuple[str, ...]] | None:
    """Find the column of a variable in ADSL; None where it has none."""
    source, frame = state.source, state.raw[state.source.adam.adsl].frame
    if name in source.variables:
        return source.variables[name], ("variables", name)
    if variable.timing == "visit":
        return None
    for column in (_STANDARD.get(name), name.upper()):
        if column is not None and column in frame:
            return column, ("adam", "adsl")
    return None


def _map_variable(
    state: State, name: str, variable: Variable, found: tuple[str, tuple[str, ...]]
) -> pd.Series:
    column, keys = found
    file = state.source.adam.adsl
    raw = state.take(file, column, *keys)
    frame = state.raw[file].frame
    if column == "AGE" and "AGEU" in frame:
        raw = _age_in_years(state, raw, keys)
    parsed = parse_values(raw, variable)
    state.note_faults(parsed.faults, file, column, name)
    return parsed.values


def _age_in_years(state: State, age: pd.Series, keys: tuple[str, ...]) -> pd.Series:
    file = state.source.adam.adsl
    units = to_text(state.take(file, "AGEU", *keys)).astype(object)
    numbers = pd.to_numeric(to_text(age).astype(object).replace("", None), errors="coerce")
    unknown = (~units.isin(list(_AGE_UNITS)) & numbers.notna()).to_numpy()
    state.note_rows(
        unknown,
        file,
        "AGEU",
        "{count} ages are in no known unit",
        f"There are: {', '.join(_AGE_UNITS)}.",
    )
    return numbers * units.map(_AGE_UNITS).astype(float)


def refuse_unknown_names(state: State) -> None:
    """Refuse a variable, parameter or event that the dictionary lacks.

    Parameters
    ----------
    state : MappingState
        The source.

    Raises
    ------
    DefinitionError
        With the line and the nearest name.
    """
    source = state.source
    for part in ("parameters", "variables", "events"):
        for name in getattr(source, part):
            variable = state.find(name, part, name)
            if part == "parameters" and variable.timing != "visit":
                raise DefinitionError(
                    f"'{name}' is not assessed at visits",
                    place=state.place(part, name),
                    remedy="Give it `timing: visit` in the dictionary.",
                )
            if part == "events" and set(variable.codes) != {"0", "1"}:
                raise DefinitionError(
                    f"the event '{name}' needs a category with the codes 0 and 1",
                    place=state.place(part, name),
                    remedy="Give it these in the dictionary.",
                )
