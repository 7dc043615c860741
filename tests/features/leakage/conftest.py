"""A trial in which about half respond, and one feature that is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glabella.data.checks import Finding
from glabella.data.tables import PatientTables
from glabella.domain.timing import BASELINE, Moment
from glabella.features.leakage.leaks import find_leaks
from glabella.features.spec import FeatureSpec, FeatureTable

NAN = float("nan")


@dataclass
class Trial:
    """Scores by week, in which about half respond by week 8, and some leave before."""

    scores: dict[str, dict[float, np.ndarray]]
    arm: np.ndarray
    studyid: np.ndarray

    @property
    def n(self) -> int:
        return len(self.arm)

    @property
    def start(self) -> np.ndarray:
        return self.scores["total"][0.0]

    @property
    def end(self) -> np.ndarray:
        return self.scores["total"][8.0]

    @property
    def responded(self) -> np.ndarray:
        return np.where(np.isnan(self.end), NAN, (self.end <= self.start / 2).astype(float))

    def tables(self) -> PatientTables:
        ids = np.array([f"P{number}" for number in range(self.n)])
        people = pd.DataFrame({"studyid": self.studyid, "usubjid": ids, "arm": self.arm})
        rows = [
            pd.DataFrame(
                {
                    "studyid": self.studyid,
                    "usubjid": ids,
                    "paramcd": name,
                    "week": week,
                    "aval": values,
                }
            )
            for name, weeks in self.scores.items()
            for week, values in weeks.items()
        ]
        every = pd.concat(rows, ignore_index=True)
        return PatientTables(people, every[every["aval"].notna()], "real")

    def outcomes(self, responded: np.ndarray | None = None) -> pd.DataFrame:
        seen = np.isnan(self.end)
        return pd.DataFrame(
            {
                "baseline": self.start,
                "week": np.where(seen, NAN, 8.0),
                "score": self.end,
                "responded": self.responded if responded is None else responded,
            }
        )


def make_trial(n: int = 120, seed: int = 1) -> Trial:
    draw = np.random.default_rng(seed)
    start = draw.integers(18, 40, n).astype(float)
    week4 = np.round(start * draw.uniform(0.4, 1.1, n))
    end = np.round(start * draw.uniform(0.1, 1.0, n))
    end[draw.choice(n, n // 8, replace=False)] = NAN
    anxiety = {week: np.round(draw.uniform(5, 50, n)) for week in (0.0, 4.0)}
    return Trial(
        {"total": {0.0: start, 4.0: week4, 8.0: end}, "anxiety": anxiety},
        np.array(["drug", "placebo"])[np.arange(n) % 2],
        np.full(n, "T"),
    )


def find(
    values: object,
    trial: Trial,
    *,
    kind: str = "number",
    clock: Moment = BASELINE,
    outcomes: pd.DataFrame | None = None,
) -> Finding | None:
    column = pd.Series(values)
    column = column.astype("category") if kind == "category" else column.astype(float)
    features = FeatureTable(
        pd.DataFrame({"planted": column}),
        (FeatureSpec("planted", "Planted", kind),),  # type: ignore[arg-type]
    )
    found = find_leaks(
        features,
        trial.outcomes() if outcomes is None else outcomes,
        trial.tables(),
        clock=clock,
        endpoint_variable="total",
    )
    assert len(found) <= 1
    return found[0] if found else None


def refuse(values: object, trial: Trial, **settings: object) -> str:
    found = find(values, trial, **settings)  # type: ignore[arg-type]
    assert found is not None
    assert (found.severity, found.place) == ("stop", "feature 'planted'")
    return found.finding


def flag(where: np.ndarray, missing: np.ndarray | None = None) -> np.ndarray:
    codes = np.where(where, "Y", "N").astype(object)
    return codes if missing is None else np.where(missing, None, codes)


TRIAL = make_trial()


LOST = np.isnan(TRIAL.end)


CHANGE = TRIAL.end - TRIAL.start


EARLY_CHANGE = TRIAL.scores["total"][4.0] / TRIAL.start - 1
