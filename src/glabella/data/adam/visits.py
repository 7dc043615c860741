"""BDS datasets to assessments: which records count, of which week, from which baseline."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.adam.baselines import check_baselines, derive_baselines, list_bases
from glabella.data.adam.cells import State, add_finding, note_refused_rows, read_text
from glabella.data.adam.records import Records, read_records
from glabella.data.adam.subjects import Subjects
from glabella.data.adam.weeks import derive_weeks
from glabella.domain.imputation import is_looking_ahead, is_summary
from glabella.errors import DefinitionError, describe_choices


def map_parameter(state: State, name: str, subjects: Subjects) -> pd.DataFrame:
    """Map the records of a parameter.

    Returns
    -------
    DataFrame
        ``person`` (position in ADSL), ``period``, ``week``, ``value`` and ``dtype`` (in capitals,
        blank where observed); records without a value are left out.
    """
    _check_timing(state, name)
    records = _select_basetype(state, read_records(state, name, subjects))
    check_baselines(state, records)
    bases = list_bases(records)
    records = _select_flagged(state, records)
    records = _select_derived(state, records)
    records = records.keep(records.rows["value"].notna().to_numpy())
    records = derive_baselines(state, derive_weeks(state, records), bases)
    records = _drop_weekless(state, records)
    records = _select_observed(state, records)
    _note_other_treatment(state, records, subjects)
    rows = records.rows
    doubled = rows.duplicated(["person", "period", "week"]).to_numpy()
    note_refused_rows(
        state,
        records.file,
        "AVAL",
        records.positions[doubled],
        f"{{count}} records repeat a subject and week of PARAMCD '{records.parameter}'",
        "Name the flag of those that count with `analysis_flag:`, or what tells their weeks apart "
        "with `week:`.",
    )
    _check_later_baselines(state, records)
    made = rows[["person", "period", "week", "value"]].assign(dtype=records.read_texts("dtype"))
    return made.reset_index(drop=True)


def _check_timing(state: State, name: str) -> None:
    variable = state.find(name, "parameters", name)
    if variable.timing not in ("visit", "baseline"):
        raise DefinitionError(
            f"a parameter is assessed at visits or known at baseline, and '{name}' is of "
            f"{variable.timing}",
            place=state.name_place("parameters", name),
            remedy="Give it `timing: visit` or `timing: baseline` in the dictionary.",
        )


def _select_basetype(state: State, records: Records) -> Records:
    """Records repeat once for each BASETYPE: taking two would take each score twice."""
    kinds = records.rows["basetype"]
    named = state.source.basetype
    known = sorted(set(kinds) - {""})
    if named is not None:
        if named not in known:
            raise DefinitionError(
                f"no record of '{records.parameter}' has the BASETYPE '{named}'",
                place=state.name_place("basetype"),
                remedy=describe_choices(named, known),
            )
        return records.keep((kinds == named).to_numpy())
    if len(known) < 2:
        return records
    several = kinds[kinds != ""].groupby(records.visit_key).nunique()
    if (several > 1).any():
        raise DefinitionError(
            f"'{records.parameter}' has several BASETYPE for {int((several > 1).sum())} subjects",
            place=state.name_place("parameters", records.variable),
            remedy=f"Name the one that counts with `basetype:`. {describe_choices('', known)}",
        )
    return records


def _select_flagged(state: State, records: Records) -> Records:
    flag = state.source.analysis_flag
    if flag == "none" or (flag is None and "ANL01FL" not in records.columns):
        return records
    flag = flag or "ANL01FL"
    column = state.take(records.file, flag, "analysis_flag").iloc[records.positions]
    is_flagged = read_text(column) == "Y"
    if len(is_flagged) and not is_flagged.any():
        raise DefinitionError(
            f"no record of '{records.parameter}' has {flag} = Y",
            place=state.name_place("analysis_flag"),
            remedy="Name another flag with `analysis_flag:`, or `none`.",
        )
    # BASE is taken from the record with ABLFL, so that one counts, flagged for analysis or not.
    kept = is_flagged | records.rows["is_baseline"].to_numpy()
    if not kept.all():
        add_finding(
            state,
            records.place,
            f"{int((~kept).sum())} of {len(kept)} records have no {flag} = Y and are excluded",
            "`analysis_flag:` names another flag, or `none`.",
        )
    return records.keep(kept)


def _select_derived(state: State, records: Records) -> Records:
    """A carried score is no observed one: kept, it would hide who left and how they did."""
    flagged = records.rows["is_baseline"].to_numpy()
    kinds = records.rows["dtype"]
    derived = (kinds != "").to_numpy()
    start = int((derived & flagged).sum())
    if start:
        add_finding(
            state,
            records.place,
            f"{start} baseline records are derived ({_count(kinds[derived & flagged])}) and kept, "
            "since BASE is taken from them",
            "See DTYPE.",
        )
    derived = derived & ~flagged & ~_mark_summaries(records)
    if not derived.any():
        return records
    counts = f"{_count(kinds[derived])} of {len(derived)} records are derived (DTYPE)"
    if state.source.imputed == "keep":
        add_finding(
            state,
            records.place,
            f"{counts} and kept: an imputed score will be taken for an observed one",
            "Leave `imputed:` out to read observed scores alone.",
            "warn",
        )
        return records
    add_finding(
        state, records.place, f"{counts} and left out", "`imputed: keep` takes them as observed."
    )
    return records.keep(~derived)


def _mark_summaries(records: Records) -> npt.NDArray[np.bool_]:
    kinds = records.rows["dtype"]
    sums_up = {kind: is_summary(kind) for kind in kinds.unique()}
    return np.asarray(kinds.map(sums_up).to_numpy(), dtype=bool)


def _select_observed(state: State, records: Records) -> Records:
    """Keep a summary of observed records only where none of them stands for the week itself."""
    summed = _mark_summaries(records) & ~records.rows["is_baseline"].to_numpy()
    if not summed.any():
        return records
    keys = ["person", "period", "week"]
    observed = pd.MultiIndex.from_frame(records.rows.loc[~summed, keys])
    beside = summed & pd.MultiIndex.from_frame(records.rows[keys]).isin(observed)
    kinds = records.rows["dtype"]
    for where, what, remedy in (
        (beside, "stand beside one of them and are left out", "`analysis_flag:` tells otherwise."),
        (summed & ~beside, "are taken as observed", "See DTYPE."),
    ):
        if where.any():
            add_finding(
                state,
                records.place,
                f"{_count(kinds[where])} of {len(where)} records sum up observed ones (DTYPE) and "
                f"{what}",
                remedy,
            )
    return records.keep(~beside)


def _check_later_baselines(state: State, records: Records) -> None:
    """Refuse a variable of baseline whose value was filled in from later records."""
    if state.dictionary.variables[records.variable].timing != "baseline":
        return
    kinds, by_then = records.read_texts("dtype"), records.rows["week"] <= 0
    ahead = [kind for kind in kinds.unique() if is_looking_ahead(kind, is_baseline=True)]
    note_refused_rows(
        state,
        records.file,
        "DTYPE",
        records.positions[(kinds.isin(ahead) & by_then).to_numpy()],
        f"{{count}} baselines of PARAMCD '{records.parameter}' may use later records",
        "Flag an observed record with ABLFL, or leave the parameter out.",
    )


def _count(kinds: pd.Series) -> str:
    counts = kinds.value_counts()
    listed = [f"{number} {kind}" for kind, number in counts.items()]
    return ", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "")


def _drop_weekless(state: State, records: Records) -> Records:
    has_week = records.rows["week"].notna().to_numpy()
    if has_week.all():
        return records
    add_finding(
        state,
        records.place,
        f"{int((~has_week).sum())} records have neither a planned week nor a day of their own and "
        "are excluded",
        "`week:` names what gives the week; ADY helps the unscheduled.",
        "warn",
    )
    return records.keep(has_week)


def _note_other_treatment(state: State, records: Records, subjects: Subjects) -> None:
    column = "trtp" if state.source.treatment == "planned" else "trta"
    told, rows = records.rows[column].to_numpy(), records.rows
    after = ((rows["week"] > 0) & (rows[column] != "")).to_numpy()
    other = np.zeros(len(rows), dtype=bool)
    for period, arms in subjects.arms.items():
        of_period = after & (rows["period"] == period).to_numpy()
        other |= of_period & (told != arms[rows["person"].to_numpy()])
    if other.any():
        add_finding(
            state,
            f"{records.file}, column '{column.upper()}'",
            f"{int(other.sum())} of {len(other)} records of '{records.parameter}' are under "
            "another treatment than the subject's arm",
            "Leave them out with `analysis_flag:`, or tell the periods apart with APERIOD.",
            "warn",
        )
