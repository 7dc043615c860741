"""What was assessed after the moment of prediction, a column of participants for each visit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.tables import PatientTables, find_positions
from glabella.data.visit_weeks import RARELY
from glabella.domain.timing import Moment
from glabella.features.leakage.column_dependence import Bools, Floats

Positions = npt.NDArray[np.intp]
_FEWEST_SEEN_TWICE = 5


@dataclass(frozen=True)
class LaterVisit:
    """A variable at a visit after the moment of prediction.

    Parameters
    ----------
    variable : str
        The variable.
    when : str
        The visit in words.
    values : array of float, shape (n_participants,)
        NaN where it was not assessed.
    before : tuple of array of float
        The same variable at baseline and, where that is another value, at its last visit by the
        moment of prediction.
    is_static : bool
        Whether it was never assessed by then and differs in nobody from one later visit to the
        next: what was already so.
    """

    variable: str
    when: str
    values: Floats
    before: tuple[Floats, ...]
    is_static: bool = False


def find_rows(tables: PatientTables) -> dict[str, pd.DataFrame]:
    """Give each variable's known assessments by the position of their participant."""
    every = tables.assessments
    person = find_positions(every, tables.participants)
    rows = pd.DataFrame(
        {
            "person": person,
            "week": every["week"].to_numpy(dtype=float),
            "aval": every["aval"].to_numpy(dtype=float),
        }
    )
    codes, names = pd.factorize(every["paramcd"])
    whole = (person >= 0) & rows["aval"].notna().to_numpy()
    return {str(name): rows[whole & (codes == number)] for number, name in enumerate(names)}


def list_later(
    tables: PatientTables, located: Mapping[str, pd.DataFrame], clock: Moment
) -> list[LaterVisit]:
    """List the visits after the moment of prediction.

    Returns
    -------
    list of LaterVisit
        Of each variable its scheduled weeks, at which one in twenty of some trial was seen (what
        stands outside the schedule counts by the whole week), then the last, the lowest and the
        highest value of all that follow.
    """
    found: list[LaterVisit] = []
    for variable, rows in located.items():
        later = rows["week"].to_numpy() > clock.week
        values = {f"at {when}": value for when, value in _list_visits(tables, rows[later], clock)}
        after = rows[later].sort_values("week", kind="stable")
        rising = after.sort_values("aval", kind="stable")
        for when, chosen in (("last", after), ("lowest", rising[::-1]), ("highest", rising)):
            values[f"at its {when} visit after {clock}"] = _order_values(chosen, tables.n)
        before = _find_before(rows, clock, tables.n)
        is_static = not before and _is_static(after)
        found += [
            LaterVisit(variable, when, value, before, is_static)
            for when, value in values.items()
            if not np.isnan(value).all()
        ]
    return found


def list_followed(
    tables: PatientTables, located: Mapping[str, pd.DataFrame], variable: str, clock: Moment
) -> Iterator[tuple[str, Floats]]:
    """List who was still followed at each scheduled week after the moment of prediction."""
    parts = [located[variable]] if variable in located else list(located.values())
    if not parts:
        return
    rows = pd.concat(parts, ignore_index=True).drop_duplicates(["person", "week"])
    last = _order_values(rows.sort_values("week", kind="stable"), tables.n, "week")
    trial, _ = pd.factorize(tables.participants["studyid"])
    for week, trials in _list_schedule(tables, rows[rows["week"] > clock.week]).items():
        followed = np.where(np.nan_to_num(last, nan=-np.inf) >= week, 1.0, 0.0)
        words = f"were still followed at week {week:g}"
        yield words, np.where(np.isin(trial, list(trials)), followed, np.nan)


def _order_values(rows: pd.DataFrame, n: int, column: str = "aval") -> Floats:
    """Put values into the order of the participants; of several of one the last row's counts."""
    placed = np.full(n, np.nan)
    placed[rows["person"].to_numpy()] = rows[column].to_numpy(dtype=float)
    return placed


def _find_before(rows: pd.DataFrame, clock: Moment, n: int) -> tuple[Floats, ...]:
    ordered = rows.sort_values("week", kind="stable")
    by = [_order_values(ordered[ordered["week"] <= week], n) for week in sorted({0.0, clock.week})]
    known = [values for values in by if not np.isnan(values).all()]
    if len(known) == 2 and np.array_equal(known[0], known[1], equal_nan=True):
        known = known[:1]
    return tuple(known)


def _is_static(after: pd.DataFrame) -> bool:
    spans = after.groupby("person")["aval"].agg(["size", "min", "max"])
    seen_twice = spans[spans["size"] > 1]
    return len(seen_twice) >= _FEWEST_SEEN_TWICE and bool(
        (seen_twice["min"] == seen_twice["max"]).all()
    )


def _list_visits(
    tables: PatientTables, rows: pd.DataFrame, clock: Moment
) -> Iterator[tuple[str, Floats]]:
    week, _ = _name_weeks(tables, rows)
    for name in np.unique(week[~np.isnan(week)]):
        # A day or two after the prediction is still after it, though its whole week is not.
        when = f"week {name:g}" if name > clock.week else f"a visit soon after {clock}"
        yield when, _order_values(rows[week == name].sort_values("week", kind="stable"), tables.n)


def _list_schedule(tables: PatientTables, rows: pd.DataFrame) -> dict[float, set[int]]:
    week, trial = _name_weeks(tables, rows)
    is_named = ~np.isnan(week)
    pairs = pd.DataFrame({"week": week[is_named], "trial": trial[is_named]}).drop_duplicates()
    return {float(name): set(part["trial"]) for name, part in pairs.groupby("week")}  # type: ignore[arg-type]


def _name_weeks(tables: PatientTables, rows: pd.DataFrame) -> tuple[Floats, Positions]:
    """Name the scheduled week of each row, NaN where it has none, and number its trial."""
    of_person, trials = pd.factorize(tables.participants["studyid"])
    trial = of_person[rows["person"].to_numpy()]
    sizes = np.bincount(of_person, minlength=len(trials))
    week = rows["week"].to_numpy(dtype=float)
    scheduled = _is_frequent(week, trial, sizes)
    named = np.where(scheduled, week, np.round(week))
    return np.where(_is_frequent(named, trial, sizes), named, np.nan), trial


def _is_frequent(week: Floats, trial: Positions, sizes: npt.NDArray[np.intp]) -> Bools:
    seen = pd.Series(week).groupby([trial, week]).transform("size").to_numpy(dtype=float)
    return np.asarray(seen >= RARELY * sizes[trial], dtype=bool)
