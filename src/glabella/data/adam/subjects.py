"""ADSL to participants: who counts, which arm they took, what was known of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glabella.data.adam.cells import (
    Bools,
    State,
    Texts,
    add_finding,
    note_refused_rows,
    read_identifiers,
    read_numbers,
    read_text,
)
from glabella.data.checks import parse_values
from glabella.data.dictionary import Variable
from glabella.data.mapping.units import convert_values, find_conversion
from glabella.data.tables import KEY
from glabella.domain.standard_names import find_earliest
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
# The standard's codelist of AGEU.
_AGE_UNITS = ("YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS")
_POPULATIONS = ("ITTFL", "FASFL", "RANDFL", "SAFFL")
# What SDTM writes into the name of the arm of who never had one, and ADSL often copies.
_NO_ARM = ("", "SCREEN FAILURE", "NOT ASSIGNED", "NOT TREATED")


@dataclass(frozen=True)
class Subjects:
    """Everybody in ADSL, and who of them counts.

    Parameters
    ----------
    frame : DataFrame
        One row a subject of the file: ``studyid``, ``usubjid``, where there are such ``siteid``,
        ``cohort`` and ``scale``, and the dictionary's variables.
    arms : mapping of array of str
        Period to the arm taken in it.
    taken : mapping of array of bool
        Period to whether a subject is of the population and took an arm in it.
    """

    frame: pd.DataFrame
    arms: Mapping[int, Texts]
    taken: Mapping[int, Bools]


def map_subjects(state: State) -> Subjects:
    """Map ADSL to subjects, without dropping any."""
    file = state.source.adam.adsl
    columns: dict[str, Texts | pd.Series] = _read_keys(state)
    if state.source.site is not None or "SITEID" in state.raw[file].frame:
        columns["siteid"] = read_text(state.take(file, state.source.site or "SITEID", "site"))
    if state.source.cohort is not None:
        columns["cohort"] = read_text(state.take(file, state.source.cohort, "cohort"))
    arms = _read_arms(state)
    taken = _select(state, arms)
    if state.source.scale is not None:
        columns["scale"] = np.full(len(columns["usubjid"]), state.source.scale, dtype=object)
    counted = np.logical_or.reduce(list(taken.values()))
    for name in state.source.variables:
        state.find(name, "variables", name)
    for name, variable in state.dictionary.variables.items():
        column = _find_column(state, name, variable)
        if column is not None:
            columns[name] = _read_variable(state, name, variable, column, counted)
    keys = ("studyid", "usubjid", "siteid", "cohort", "scale")
    frame = pd.DataFrame(columns)
    return Subjects(frame.astype({name: object for name in keys if name in frame}), arms, taken)


def _read_keys(state: State) -> dict[str, Texts | pd.Series]:
    file = state.source.adam.adsl
    keys = {
        "studyid": read_identifiers(state.take(file, "STUDYID", "adam", "adsl")),
        "usubjid": read_identifiers(state.take(file, "USUBJID", "adam", "adsl")),
    }
    for name, cells in keys.items():
        blank = np.flatnonzero(cells == "")
        note_refused_rows(
            state, file, name.upper(), blank, "{count} rows are blank", "Fill them in."
        )
    named = pd.DataFrame(keys)[KEY]
    doubled = np.flatnonzero((named.duplicated() & (named != "").all(axis=1)).to_numpy())
    note_refused_rows(
        state,
        file,
        "USUBJID",
        doubled,
        "{count} rows repeat a subject of the same study",
        "ADSL has one row a subject; name the file that does.",
    )
    return dict(keys)


def _read_arms(state: State) -> dict[int, Texts]:
    file, place = state.source.adam.adsl, ("treatment",)
    letter = "P" if state.source.treatment == "planned" else "A"
    names = {1: f"TRT01{letter}"}
    if state.source.periods == "all":
        for column in state.raw[file].frame.columns:
            if found := re.fullmatch(rf"TRT(\d\d){letter}", column):
                names[int(found[1])] = column
        if len(names) == 1:
            raise DefinitionError(
                f"the table {file} names the arm of one period only",
                place=state.name_place("periods"),
                remedy=f"Leave `periods:` out; several periods have TRT02{letter} and on.",
            )
    return {number: read_text(state.take(file, names[number], *place)) for number in sorted(names)}


def _select(state: State, arms: Mapping[int, Texts]) -> dict[int, Bools]:
    file = state.source.adam.adsl
    population = _read_population(state)
    taken = {
        period: population & ~np.isin([text.upper() for text in names], _NO_ARM)
        for period, names in arms.items()
    }
    for period, took in taken.items():
        untreated = int((population & ~took).sum())
        if untreated:
            add_finding(
                state,
                file,
                f"{untreated} subjects of the population have no {state.source.treatment} "
                f"treatment in period {period} and are excluded",
                "Fill it in where one was assigned.",
            )
    if not np.logical_or.reduce(list(taken.values())).any():
        everyone = np.arange(len(population))
        note_refused_rows(
            state,
            file,
            f"TRT01{'P' if state.source.treatment == 'planned' else 'A'}"
            if population.all()
            else _name_population(state) or "USUBJID",
            everyone,
            "none of {count} subjects is of the population and has a treatment",
            "Name the flag of those who count, which says Y, with `population:`.",
        )
    _note_other_treatment(state, population)
    return taken


def _name_population(state: State) -> str | None:
    named, frame = state.source.population, state.raw[state.source.adam.adsl].frame
    if named is not None:
        return None if named == "all" else named
    return next((name for name in _POPULATIONS if name in frame), None)


def _read_population(state: State) -> Bools:
    file, flag = state.source.adam.adsl, _name_population(state)
    if flag is None:
        if state.source.population is None:
            add_finding(
                state,
                file,
                f"there is no flag of a population ({', '.join(_POPULATIONS)}): everybody counts",
                "Name another with `population:`, or say `all`.",
            )
        return np.ones(len(state.raw[file].frame), dtype=bool)
    member = read_text(state.take(file, flag, "population")) == "Y"
    _note_later_choice(state, flag)
    if not member.all():
        add_finding(
            state,
            f"{file}, column '{flag}'",
            f"{int((~member).sum())} of {len(member)} subjects are not of the population and are "
            "excluded",
            "Another flag can be named with `population:`.",
        )
    return np.asarray(member, dtype=bool)


def _note_later_choice(state: State, flag: str) -> None:
    """FASFL is a full analysis set, by ICH E9 as near to everybody as can be; others are not."""
    if flag != "FASFL" and find_earliest(flag) is not None:
        add_finding(
            state,
            f"{state.source.adam.adsl}, column '{flag}'",
            "the population is chosen by what happened after treatment began, which nobody knows "
            "of a new patient",
            "Choose by `ITTFL`, `RANDFL` or `SAFFL`, unless this is a sensitivity analysis.",
            "warn",
        )


def _note_other_treatment(state: State, population: Bools) -> None:
    file = state.source.adam.adsl
    if not {"TRT01P", "TRT01A"} <= set(state.raw[file].frame.columns):
        return
    planned, actual = (
        read_text(state.take(file, name, "treatment")) for name in ("TRT01P", "TRT01A")
    )
    differ = int(((planned != actual) & (planned != "") & (actual != "") & population).sum())
    if differ:
        add_finding(
            state,
            f"{file}, column 'TRT01A'",
            f"{differ} subjects took another treatment than was planned",
            f"The arm is the {state.source.treatment} one; `treatment:` decides.",
        )


def _find_column(state: State, name: str, variable: Variable) -> str | None:
    """Find the column of a variable in ADSL; None where it has none or another source."""
    source, frame = state.source, state.raw[state.source.adam.adsl].frame
    if name in source.variables:
        return source.variables[name]
    if name in source.events or name in source.parameters or variable.timing == "visit":
        return None
    return next((column for column in (_STANDARD.get(name), name.upper()) if column in frame), None)


def _read_variable(
    state: State, name: str, variable: Variable, column: str, counted: Bools
) -> pd.Series:
    """Read a variable of those who count; what is wrong with others is nobody's matter."""
    file = state.source.adam.adsl
    raw = state.take(file, column, "variables", name)
    if variable.type != "number":
        raw = pd.Series(read_text(raw))
    elif column == "AGE":
        raw = _convert_age(state, raw, name, variable, counted)
    parsed = parse_values(raw, variable, scales=_list_scales(state, len(raw)))
    faults = parsed.faults.copy()
    faults[~counted] = None
    state.note_faults(faults, file, column, name)
    return parsed.values


def _list_scales(state: State, n_rows: int) -> pd.Series | None:
    scale = state.source.scale
    return None if scale is None else pd.Series(scale, index=range(n_rows))


def _convert_age(
    state: State, raw: pd.Series, name: str, variable: Variable, counted: Bools
) -> pd.Series:
    """Ages in mixed units are common where a trial has infants, and never looked at elsewhere."""
    file, is_named = state.source.adam.adsl, name in state.source.variables
    if "AGEU" not in state.raw[file].frame:
        if not is_named:
            raise DefinitionError(
                f"the table {file} has AGE without its unit, AGEU",
                place=state.name_place("adam", "adsl"),
                remedy=f"Say `variables: {{{name}: AGE}}` if it is in {variable.unit}.",
            )
        return raw
    units = np.char.upper(read_text(state.take(file, "AGEU", "adam", "adsl")).astype(str))
    numbers, wrong = read_numbers(raw)
    unknown = ~np.isin(units, _AGE_UNITS) & ~np.isnan(numbers) & counted
    note_refused_rows(
        state,
        file,
        "AGEU",
        np.flatnonzero(unknown),
        "{count} ages are in no known unit",
        f"There are: {', '.join(_AGE_UNITS)}.",
    )
    converted = pd.Series(numbers, dtype=object)
    for unit in set(units) & set(_AGE_UNITS):
        of_unit = units == unit
        if unit.lower() != variable.unit:
            place = state.name_place("adam", "adsl")
            factor, offset = find_conversion(unit.lower(), variable, place=place)
            ages = pd.Series(numbers[of_unit])
            converted[of_unit] = convert_values(ages, factor, offset).to_numpy()
    # What is no number is left for the check that says so.
    return converted.where(~wrong, raw)
