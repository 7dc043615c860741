"""BDS datasets to assessments: which records count, which is the baseline, at which week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.checks import Finding, parse_values, to_text
from glabella.data.ingest.adam.subjects import State
from glabella.data.ingest.adam.weeks import find_weeks
from glabella.data.tables import find_positions
from glabella.errors import DefinitionError, describe_choices

_TOLERANCE = 1e-6
Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Records:
    """The records of one parameter, with what the rules ask of each."""

    file: str
    parameter: str
    frame: pd.DataFrame
    value: npt.NDArray[np.float64]

    def flag(self, column: str) -> Rows:
        return (to_text(self.frame[column]).astype(object) == "Y").to_numpy()

    def numbers(self, column: str) -> npt.NDArray[np.float64]:
        values = self.frame[column]
        if not pd.api.types.is_numeric_dtype(values.dtype):
            text = to_text(values).astype(object).replace("", None)
            values = pd.to_numeric(text, errors="coerce")
        return values.to_numpy(dtype=float, na_value=np.nan)

    def take(self, rows: Rows) -> _Records:
        frame = self.frame[rows].reset_index(drop=True)
        return _Records(self.file, self.parameter, frame, self.value[rows])


def map_parameter(state: State, variable: str, subjects: pd.DataFrame) -> pd.DataFrame:
    """Map the records of a parameter.

    Parameters
    ----------
    state : MappingState
        The source; what is wrong or left aside is noted there.
    variable : str
        The dictionary's name.
    subjects : DataFrame
        As `map_subjects` gives it.

    Returns
    -------
    DataFrame
        ``person`` (position in `subjects`), ``period``, ``week`` and ``aval``.

    Raises
    ------
    DefinitionError
        If no dataset has the parameter, or several do.
    """
    records = _find_records(state, variable)
    records = _drop_uncounted(state, records, subjects)
    _check_changes(state, records)
    records = _select(state, records)
    return _assign_weeks(state, records)


def _find_records(state: State, variable: str) -> _Records:
    code = state.source.parameters[variable]
    known: set[str] = set()
    holding = []
    for file in state.source.adam.bds:
        names = to_text(state.take(file, "PARAMCD", "adam", "bds")).astype(object)
        known |= set(names)
        if (names == code).any():
            holding.append((file, (names == code).to_numpy()))
    if len(holding) != 1:
        found = "no dataset has" if not holding else f"{len(holding)} datasets have"
        raise DefinitionError(
            f"{found} the parameter '{code}'",
            place=state.place("parameters", variable),
            remedy=describe_choices(code, known) if not holding else "Name one of them in `bds`.",
        )
    file, rows = holding[0]
    state.take(file, "AVAL", "adam", "bds")
    frame = state.raw[file].frame[rows]
    parsed = parse_values(
        frame["AVAL"].reset_index(drop=True),
        state.dictionary.variables[variable],
        scales=None
        if state.source.scale is None
        else pd.Series(state.source.scale, index=range(len(frame))),
    )
    state.note_faults(parsed.faults, file, "AVAL", variable, np.flatnonzero(rows))
    values = parsed.values.to_numpy(dtype=float)
    return _Records(file, code, frame.reset_index(drop=True), values)


def _drop_uncounted(state: State, records: _Records, subjects: pd.DataFrame) -> _Records:
    keys = pd.DataFrame(
        {
            "studyid": to_text(records.frame["STUDYID"]),
            "usubjid": to_text(records.frame["USUBJID"]),
        }
    )
    person = find_positions(keys, subjects)
    strangers = int((person < 0).sum())
    if strangers:
        _add(state, records, f"{strangers} of {len(person)} records are of nobody in ADSL", "stop")
    counts = np.append(subjects["counts"].to_numpy(dtype=bool), False)[person]
    frame = records.frame.assign(person=person, period=_find_periods(records))
    return _Records(records.file, records.parameter, frame, records.value).take(counts)


def _find_periods(records: _Records) -> npt.NDArray[np.float64]:
    if "APERIOD" not in records.frame:
        return np.ones(len(records.frame))
    period = records.numbers("APERIOD")
    return np.where(np.isnan(period), 1.0, period)


def _check_changes(state: State, records: _Records) -> None:
    """What the sponsor computed must follow from what stands beside it."""
    columns = set(records.frame.columns)
    if {"BASE", "ABLFL"} <= columns:
        difference = np.abs(records.numbers("BASE") - records.value)
        wrong = int((records.flag("ABLFL") & (difference > _TOLERANCE)).sum())
        if wrong:
            _add(state, records, f"{wrong} baseline records differ from their own BASE", "stop")
    if {"BASE", "CHG"} <= columns:
        change = records.value - records.numbers("BASE")
        wrong = int((np.abs(records.numbers("CHG") - change) > _TOLERANCE).sum())
        if wrong:
            _add(state, records, f"{wrong} records have a CHG that is not AVAL less BASE", "stop")


def _select(state: State, records: _Records) -> _Records:
    source = state.source
    is_baseline = _flag_or_none(records, "ABLFL")
    if source.periods == "first":
        later = (records.frame["period"] > 1).to_numpy()
        if later.any():
            _add(state, records, f"{int(later.sum())} records are of a later period and left aside")
            records, is_baseline = records.take(~later), is_baseline[~later]
    if source.analysis_flag != "none" and source.analysis_flag in records.frame:
        # The baseline record is what BASE was taken from, flagged for analysis or not.
        kept = records.flag(source.analysis_flag) | is_baseline
        if not kept.all():
            _add(
                state,
                records,
                f"{int((~kept).sum())} records lack {source.analysis_flag} and are left aside",
            )
            records = records.take(kept)
    elif source.analysis_flag not in ("none", "ANL01FL"):
        state.take(records.file, source.analysis_flag, "analysis_flag")
    return _settle_imputed(state, records)


def _settle_imputed(state: State, records: _Records) -> _Records:
    if "DTYPE" not in records.frame:
        return records
    kinds = to_text(records.frame["DTYPE"]).astype(object)
    imputed = (kinds != "").to_numpy()
    if not imputed.any():
        return records
    counts = kinds[imputed].value_counts()
    listed = ", ".join(f"{count} by {kind}" for kind, count in counts.items())
    if state.source.imputed == "keep":
        _add(
            state,
            records,
            f"{int(imputed.sum())} of {len(imputed)} records were imputed by the sponsor "
            f"({listed}) and are taken for observed ones",
            "warn",
        )
        return records
    _add(
        state,
        records,
        f"{int(imputed.sum())} of {len(imputed)} records were imputed by the sponsor ({listed}) "
        "and are left out",
    )
    return records.take(~imputed)


def _assign_weeks(state: State, records: _Records) -> pd.DataFrame:
    is_baseline = _flag_or_none(records, "ABLFL")
    frame = pd.DataFrame(
        {
            "person": records.frame["person"],
            "period": records.frame["period"].astype(int),
            "aval": records.value,
        }
    )
    place = state.place("week")
    later = records.take(~is_baseline)
    found = find_weeks(later.frame, state.source.week, place=place)
    frame["week"] = 0.0
    frame.loc[~is_baseline, "week"] = found.week
    _note_weeks(state, records, found.by_day, found.conflicting)
    if is_baseline.any() or "BASE" in records.frame:
        # The sponsor says which value is the baseline; other early ones are screening.
        early = ~is_baseline & (frame["week"].to_numpy() <= 0)
        if early.any():
            _add(
                state,
                records,
                f"{int(early.sum())} records before treatment are not the baseline and are left "
                "aside",
            )
        marked = _add_bases(state, records, frame, is_baseline)
        stays = marked["stays"] | ~(marked["week"] <= 0)
        frame = marked[stays].drop(columns="stays")
    lost = int(frame["week"].isna().sum())
    if lost:
        _add(state, records, f"{lost} records have no week and are left aside", "warn")
    if "ADY" in records.frame:
        late = int((is_baseline & (records.numbers("ADY") > 1)).sum())
        if late:
            _add(state, records, f"{late} baselines were taken after the first day", "warn")
    frame = frame[frame["week"].notna() & frame["aval"].notna()]
    doubled = int(frame.duplicated(["person", "period", "week"]).sum())
    if doubled:
        _add(
            state,
            records,
            f"{doubled} records repeat a subject and week ({found.rule} gives the week)",
            "stop",
            "Name the flag of those that count with `analysis_flag:`, or another `week:`.",
        )
    return frame


def _add_bases(
    state: State, records: _Records, frame: pd.DataFrame, is_baseline: Rows
) -> pd.DataFrame:
    """Take BASE as the baseline of whoever has no flagged record."""
    marked = frame.assign(stays=is_baseline)
    if "BASE" not in records.frame:
        return marked
    base = frame.assign(base=records.numbers("BASE"))
    first = base[base["base"].notna()].drop_duplicates(["person", "period"])
    flagged = pd.MultiIndex.from_frame(frame.loc[is_baseline, ["person", "period"]])
    alone = first[~pd.MultiIndex.from_frame(first[["person", "period"]]).isin(flagged)]
    if alone.empty:
        return marked
    if is_baseline.any():
        _add(
            state, records, f"{len(alone)} subjects have a BASE and no baseline record; it is used"
        )
    added = pd.DataFrame(
        {
            "person": alone["person"],
            "period": alone["period"],
            "aval": alone["base"],
            "week": 0.0,
            "stays": True,
        }
    )
    return pd.concat([marked, added], ignore_index=True)


def _note_weeks(state: State, records: _Records, by_day: int, conflicting: int) -> None:
    if by_day:
        _add(state, records, f"{by_day} records have a week by their day (ADY) alone")
    if conflicting:
        _add(
            state,
            records,
            f"{conflicting} records have an AWTARGET and an AVISIT that differ by over half a week",
            "warn",
        )


def _flag_or_none(records: _Records, column: str) -> Rows:
    if column in records.frame:
        return records.flag(column)
    return np.zeros(len(records.frame), dtype=bool)


def _add(
    state: State, records: _Records, finding: str, severity: str = "note", remedy: str = ""
) -> None:
    place = f"{records.file}, {records.parameter}"
    mended = remedy or ("Mend the dataset." if severity == "stop" else "")
    state.findings.append(Finding(place, finding, mended, severity))  # type: ignore[arg-type]
