"""What the figures of a calibration show: courses, baselines, and agitation against response."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glabella.simulation.generate import TrialDraw, draw_trials
from glabella.simulation.scenario.definition import Scenario

_CENTRAL = (0.05, 0.95)


@dataclass(frozen=True)
class Pictured:
    """Simulated distributions over replicates.

    Parameters
    ----------
    courses : DataFrame
        By ``trial``, ``cohort``, ``role`` and ``week``: the mean fall in percent of baseline of
        those still there, its ``mean`` over replicates and the central 90 %, ``low`` to ``high``.
    baselines : DataFrame
        By ``trial`` and ``total``: the ``share`` of participants rated so at baseline.
    agitation : DataFrame
        By ``role`` and ``grade``, over trials that rate it: the rate of response, its ``mean``
        and the central 90 % over replicates.
    """

    courses: pd.DataFrame
    baselines: pd.DataFrame
    agitation: pd.DataFrame


def simulate_pictures(scenario: Scenario, *, seed: int, replicates: int) -> Pictured:
    """Simulate a scenario many times and gather what figures show."""
    courses, totals, grades = [], [], []
    for replicate in range(replicates):
        for drawn in draw_trials(scenario, seed=seed + replicate):
            courses.append(_find_courses(drawn))
            totals.append(_find_totals(drawn))
            if drawn.trial.has_items:
                grades.append(
                    _find_grades(drawn, scenario.endpoint_week).assign(replicate=replicate)
                )
    return Pictured(
        courses=_summarise(pd.concat(courses), ["trial", "cohort", "role", "week"]),
        baselines=_compute_proportion(pd.concat(totals)),
        agitation=_compute_rate(pd.concat(grades)) if grades else pd.DataFrame(),
    )


def _find_courses(drawn: TrialDraw) -> pd.DataFrame:
    total = np.where(drawn.stays, drawn.scores["depression_total"], np.nan)
    fall = 100.0 * (1.0 - total / total[:, :1])
    arms = pd.Index([(arm.cohort, arm.role) for arm in drawn.trial.arms])
    rows = []
    for at, (cohort, role) in enumerate(arms):
        mine = fall[drawn.arm == at]
        seen = (~np.isnan(mine)).sum(axis=0)
        means = np.nansum(mine, axis=0) / np.where(seen > 0, seen, np.nan)
        for week, mean in zip(drawn.trial.weeks, means, strict=True):
            rows.append((drawn.trial.id, cohort, role, week, mean))
    return pd.DataFrame(rows, columns=["trial", "cohort", "role", "week", "value"])


def _find_totals(drawn: TrialDraw) -> pd.DataFrame:
    totals, counts = np.unique(drawn.scores["depression_total"][:, 0], return_counts=True)
    return pd.DataFrame({"trial": drawn.trial.id, "total": totals, "count": counts})


def _find_grades(drawn: TrialDraw, week: float) -> pd.DataFrame:
    later = drawn.find_seen("depression_total", week)
    seen = ~np.isnan(later)
    return pd.DataFrame(
        {
            "role": np.where(drawn.is_active, "active", "control")[seen],
            "grade": drawn.values["agitation"][seen].astype(int),
            "responded": (later <= drawn.scores["depression_total"][:, 0] / 2)[seen],
        }
    )


def _compute_proportion(totals: pd.DataFrame) -> pd.DataFrame:
    counts = totals.groupby(["trial", "total"], sort=False)["count"].sum()
    shares = counts / counts.groupby("trial").transform("sum")
    return shares.rename("share").reset_index().sort_values(["trial", "total"])


def _compute_rate(grades: pd.DataFrame) -> pd.DataFrame:
    rates = grades.groupby(["replicate", "role", "grade"])["responded"].mean()
    return _summarise(rates.rename("value").reset_index(), ["role", "grade"])


def _summarise(values: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    groups = values.groupby(keys, sort=False)["value"]
    return pd.DataFrame(
        {
            "mean": groups.mean(),
            "low": groups.quantile(_CENTRAL[0]),
            "high": groups.quantile(_CENTRAL[1]),
        }
    ).reset_index()
