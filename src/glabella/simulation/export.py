"""Writes simulated tables as CSV, Parquet or ADaM transport files."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from glabella.atomic import check_own_folder, publish
from glabella.errors import DataError
from glabella.simulation.frames import Simulated
from glabella.simulation.sources import (
    ADAE,
    ADQS,
    ADSL,
    ASSESSMENTS,
    PARTICIPANTS,
    TRUTH,
    name_adsl_columns,
    name_event,
    name_parameter,
)

NEW_PATIENTS = "new_patients.csv"
Write = Callable[[Path], object]
Format = Literal["csv", "parquet", "adam"]


def write_simulated(simulated: Simulated, folder: Path, *, format: Format = "csv") -> list[Path]:
    """Write the tables; never overwrite, and leave all of them or none."""
    files = _list_files(simulated, format)
    there = [name for name in files if os.path.lexists(folder / name)]
    if there:
        raise DataError(
            f"'{there[0]}' already exists, and nothing is overwritten",
            place=str(folder),
            remedy="Name an empty folder with --out.",
        )
    made: list[Path] = []
    is_whole = False
    partial_folder: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial_folder = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
        for name, write in files.items():
            (partial_folder / name).parent.mkdir(parents=True, exist_ok=True)
            write(partial_folder / name)
        for name in files:
            if (folder / name).parent != folder:
                check_own_folder((folder / name).parent)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            publish(partial_folder / name, folder / name)
            made.append(folder / name)
        is_whole = True
    except OSError as error:
        raise DataError(
            f"the tables can't be written: {error.strerror or error}", place=str(folder)
        ) from None
    finally:
        # An interrupt, too, leaves all or none.
        for path in () if is_whole else made:
            path.unlink(missing_ok=True)
        if partial_folder is not None:
            shutil.rmtree(partial_folder, ignore_errors=True)
    return made


def _list_files(simulated: Simulated, format: Format) -> dict[str, Write]:
    tables = {
        PARTICIPANTS: simulated.participants,
        ASSESSMENTS: simulated.assessments,
        "adverse_events": simulated.events,
    }
    files: dict[str, Write] = {}
    if format == "adam":
        for trial in simulated.participants["studyid"].unique():
            for name, frame in _make_adam(simulated, str(trial)).items():
                files[f"{trial}/{name}"] = partial(_write_transport, frame, name)
    else:
        to_file = _write_csv if format == "csv" else _write_parquet
        files = {f"{name}.{format}": partial(to_file, frame) for name, frame in tables.items()}
    files[NEW_PATIENTS] = partial(_write_csv, simulated.new_patients)
    files[TRUTH] = partial(_write_csv, simulated.truth)
    files["truth/variables.csv"] = partial(_write_csv, simulated.variables)
    files["truth/terms.csv"] = partial(_write_csv, simulated.terms)
    files["truth/arms.csv"] = partial(_write_csv, simulated.arms)
    files["truth/sites.csv"] = partial(_write_csv, simulated.sites)
    files["truth/limits.csv"] = partial(_write_csv, simulated.limits)
    return files


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, lineterminator="\n")


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False)


def _write_transport(frame: pd.DataFrame, name: str, path: Path) -> None:
    # pyreadstat takes half a second, and only this format needs it.
    import pyreadstat

    pyreadstat.write_xport(frame, path, table_name=Path(name).stem.upper(), file_format_version=5)


def _make_adam(simulated: Simulated, trial: str) -> dict[str, pd.DataFrame]:
    people = simulated.participants[simulated.participants["studyid"] == trial]
    text = people.astype(object).where(people.notna(), "")
    adsl = pd.DataFrame(
        {
            "STUDYID": text["studyid"],
            "USUBJID": text["usubjid"],
            "SITEID": text["siteid"],
            "COHORT": text["cohort"],
            "AGE": people["age_years"].astype(float),
            "AGEU": "YEARS",
            "SEX": text["sex"],
            "TRT01P": text["arm"],
            "TRT01A": text["arm"],
            "ITTFL": "Y",
            "SAFFL": "Y",
            **{
                column: people[name].astype(float)
                if pd.api.types.is_numeric_dtype(people[name].dtype)
                else text[name]
                for name, column in name_adsl_columns(simulated.scenario).items()
            },
        }
    )
    return {
        ADSL: adsl.reset_index(drop=True),
        ADQS: _make_adqs(simulated, trial),
        ADAE: _make_adae(simulated, trial),
    }


def _make_adqs(simulated: Simulated, trial: str) -> pd.DataFrame:
    rows = simulated.assessments[simulated.assessments["studyid"] == trial]
    week, value = rows["week"].to_numpy(), rows["aval"].to_numpy(dtype=float)
    people, codes = rows["usubjid"].astype(object), rows["paramcd"].astype(object)
    at_baseline = week == 0
    keys = pd.MultiIndex.from_arrays([people, codes])
    base = pd.Series(value[at_baseline], index=keys[at_baseline]).reindex(keys).to_numpy()
    visits = {number: f"Week {number:g}" if number else "Baseline" for number in np.unique(week)}
    names = {name: name_parameter(name) for name in codes.unique()}
    return pd.DataFrame(
        {
            "STUDYID": trial,
            "USUBJID": people.to_numpy(),
            "PARAMCD": codes.map(names).to_numpy(),
            "PARAM": codes.to_numpy(),
            "AVISIT": pd.Series(week).map(visits).to_numpy(),
            "AVISITN": week.astype(float),
            # The day of injection is day 1; there is no day 0.
            "ADY": np.round(7.0 * week) + 1.0,
            "AVAL": value,
            "BASE": base,
            "CHG": np.where(at_baseline, np.nan, value - base),
            "ABLFL": np.where(at_baseline, "Y", ""),
            "ANL01FL": "Y",
        }
    )


def _make_adae(simulated: Simulated, trial: str) -> pd.DataFrame:
    rows = simulated.events[simulated.events["studyid"] == trial]
    terms = rows["event"].map(name_event).astype(object).to_numpy()
    return pd.DataFrame(
        {
            "STUDYID": rows["studyid"].to_numpy(dtype=object),
            "USUBJID": rows["usubjid"].to_numpy(dtype=object),
            "AETERM": terms,
            "AEDECOD": terms,
            "ASTDY": rows["day"].to_numpy(dtype=float),
            "TRTEMFL": np.full(len(rows), "Y", dtype=object),
        }
    )
