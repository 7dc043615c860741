"""What happened to participants over time: who was seen when, and until when."""

from __future__ import annotations

import pandas as pd

from glabella.data.tables import PatientTables
from glabella.data.visit_weeks import RARELY, find_visit_weeks


def count_visits(tables: PatientTables, variable: str) -> pd.DataFrame:
    """Count who was assessed at each week of each trial.

    Returns
    -------
    DataFrame
        ``trial``, ``week``, ``seen`` (participants), ``share`` of the trial's participants, and
        ``scheduled``: false for a week at which under one in twenty were seen. A trial whose
        visits can't be told apart has no row, as `find_visit_weeks` has it.
    """
    rows = find_visit_weeks(tables, variable).rows
    sizes = tables.participants.groupby("studyid", sort=False).size()
    seen = rows.groupby(["trial", "week"], sort=True)["person"].nunique().rename("seen")
    counts = seen.reset_index()
    counts["share"] = counts["seen"] / counts["trial"].map(sizes).astype(float)
    counts["scheduled"] = counts["share"] >= RARELY
    order = {trial: number for number, trial in enumerate(sizes.index)}
    return counts.sort_values(
        ["trial", "week"],
        key=lambda values: values.map(order) if values.name == "trial" else values,
    ).reset_index(drop=True)


def count_followed(tables: PatientTables, variable: str) -> pd.DataFrame:
    """Count who was still followed at each scheduled week, by trial and arm.

    Somebody is followed at a week who was assessed then or later: a visit missed between two
    that were kept is no drop-out.

    Returns
    -------
    DataFrame
        ``trial``, ``arm``, ``week``, ``followed``, ``of`` (participants of the arm) and
        ``dropped``, the share that is no longer followed. A trial whose visits can't be told
        apart has no row.
    """
    rows = find_visit_weeks(tables, variable).rows
    people = tables.participants
    last = rows.groupby("person")["week"].max().reindex(range(tables.n))
    frame = pd.DataFrame(
        {
            "trial": people["studyid"],
            "arm": people.get("arm", "all"),
            "last": last.to_numpy(),
        }
    )
    visits = count_visits(tables, variable)
    expected = rows.loc[rows["is_visit"], ["trial", "week"]].drop_duplicates()
    visits = visits[visits["scheduled"]].merge(expected, on=["trial", "week"])
    weeks = visits.groupby("trial", sort=False)["week"].unique()
    counted = []
    for (trial, arm), part in frame.groupby(["trial", "arm"], sort=False):
        for week in weeks.get(trial, []):
            followed = int((part["last"] >= week).sum())
            counted.append(
                {
                    "trial": trial,
                    "arm": arm,
                    "week": float(week),
                    "followed": followed,
                    "of": len(part),
                    "dropped": 1.0 - followed / len(part),
                }
            )
    columns = ["trial", "arm", "week", "followed", "of", "dropped"]
    return pd.DataFrame(counted, columns=columns)
