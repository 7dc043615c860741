"""Refuses a feature whose values hold the outcome or a later visit, whatever its name says."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from glabella.data.checks import Finding
from glabella.data.tables import PatientTables
from glabella.domain.timing import Moment
from glabella.errors import ClockError
from glabella.features.leakage.column_dependence import (
    Floats,
    compute_separation,
    count_uncommon,
    find_decision,
)
from glabella.features.leakage.columns import Column, is_told_before, list_columns
from glabella.features.leakage.follow_up import find_followed
from glabella.features.leakage.grading import NEARLY_SEPARATES, judge_agreement, make_finding
from glabella.features.leakage.later_visits import (
    LaterVisit,
    find_rows,
    list_followed,
    list_later,
)
from glabella.features.leakage.score_copies import find_copy, list_targets
from glabella.features.spec import FeatureTable

# By chance ten against ten reach an AUC of 0.95 less than once in ten thousand features.
_FEWEST_OF_A_CLASS = 10
_MOST_SHOWN = 10


def find_leaks(
    features: FeatureTable,
    outcomes: pd.DataFrame,
    tables: PatientTables,
    *,
    clock: Moment,
    endpoint_variable: str,
    dated: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Find the features whose values contain information not known at the moment of prediction.

    Returns
    -------
    tuple of Finding
        At most one a feature, without any value. A ``stop``: it decides the outcome; it equals
        what was assessed later, or follows from it; it says who was followed. A ``warn``: the
        same in too few to tell from chance, or nearly.

    Notes
    -----
    What is claimed of a stop is that values dealt out at random would agree so well less than
    once in a million, over all comparisons of the feature, and that what was assessed by the
    moment of prediction does not explain it. So a baseline that nobody left is let through, and
    one that decides an endpoint by a fixed cut. A feature that is the same for all of a trial's
    arm is not looked at. Nothing is claimed of a copy with much noise, of what only several
    features together hold, or of what was neither assessed nor is the outcome.
    """
    located = find_rows(tables)
    visits = list_later(tables, located, clock)
    before = _find_before(visits, outcomes, endpoint_variable)
    score, responded = (outcomes[name].to_numpy(dtype=float) for name in ("score", "responded"))
    has_score = not np.isnan(score).all()
    if has_score:
        visits.insert(0, LaterVisit(endpoint_variable, "at the endpoint", score, before))
    targets = [target for visit in visits for target in list_targets(visit)]
    observed = ~np.isnan(score if has_score else responded)
    followed = [
        ("have an observed endpoint", observed.astype(float)),
        *list_followed(tables, located, endpoint_variable, clock),
    ]
    trials = pd.factorize(tables.participants["studyid"])[0]
    findings = []
    for column in list_columns(features, tables):
        steps = (
            _find_outcome(column, responded, before),
            find_copy(column, targets),
            find_followed(column, followed, trials),
            _find_separation(column, responded),
        )
        found = _find_gravest(steps)
        if found is not None and column.name in dated:
            found = replace(found, severity="warn")
        findings += [] if found is None else [found]
    return tuple(findings)


def raise_leaks(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Raise one error that holds all stops, bounded in length; give back what does not stop."""
    stops = [item for item in findings if item.severity == "stop"]
    if not stops:
        return tuple(findings)
    first = stops[0]
    if len(stops) == 1:
        raise ClockError(first.finding, place=first.place, remedy=first.remedy)
    lines = [f"  {item.place}: {item.finding}" for item in stops[:_MOST_SHOWN]]
    if len(stops) > len(lines):
        lines.append(f"  ... and {len(stops) - len(lines)} more")
    raise ClockError(
        f"{len(stops)} features contain information not known at the moment of prediction\n"
        + "\n".join(lines),
        remedy=first.remedy,
    )


def _find_before(
    visits: Sequence[LaterVisit], outcomes: pd.DataFrame, variable: str
) -> tuple[Floats, ...]:
    """What the endpoint's own variable was by the moment of prediction."""
    assessed = next((of.before for of in visits if of.variable == variable), ())
    baseline = outcomes["baseline"].to_numpy(dtype=float)
    return assessed or (() if np.isnan(baseline).all() else (baseline,))


def _find_gravest(steps: Sequence[Iterator[Finding]]) -> Finding | None:
    """The first stop, without a look at what follows it; else the first warning."""
    warned = None
    for step in steps:
        for finding in step:
            if finding.severity == "stop":
                return finding
            warned = warned or finding
    return warned


def _find_outcome(
    column: Column, responded: Floats, before: tuple[Floats, ...]
) -> Iterator[Finding]:
    lacking = not column.known.all()
    for values in (column.values, column.with_missing) if lacking else (column.values,):
        rows = ~np.isnan(values) & ~np.isnan(responded)
        outcome = responded[rows] == 1
        chance = find_decision(values[rows], outcome, is_ordered=column.is_ordered)
        if chance is None or is_told_before(column, rows, before):
            continue
        severity = judge_agreement(chance, 1 + lacking, count_uncommon(outcome))
        if severity is not None:
            few = "" if severity == "stop" else " (they are few)"
            yield make_finding(
                column.name,
                severity,
                f"it decides the outcome of all {len(outcome)} participants that can be "
                f"compared{few}: each of its values goes with one outcome alone",
            )
            return


def _find_separation(column: Column, responded: Floats) -> Iterator[Finding]:
    rows = column.known & ~np.isnan(responded)
    values, outcome = column.values[rows], responded[rows] == 1
    if not column.is_ordered:
        # Levels in the order of their share of responders are the best split there is; one of
        # few participants would be put right by its own outcome.
        levels = pd.Series(outcome.astype(float)).groupby(values)
        enough = (levels.transform("size") >= _FEWEST_OF_A_CLASS).to_numpy()
        values, outcome = levels.transform("mean").to_numpy()[enough], outcome[enough]
    if min(int(outcome.sum()), int((~outcome).sum())) < _FEWEST_OF_A_CLASS:
        return
    separation = compute_separation(values, outcome)
    if separation >= NEARLY_SEPARATES:
        yield make_finding(
            column.name,
            "warn",
            "by itself it distinguishes responders from non-responders with an AUC of "
            f"{separation:.2f} in {len(outcome)} participants: it may have been recorded after "
            "the outcome",
        )
