"""What deserves a second look before anything is fitted, graded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from glabella.data.checks import Finding
from glabella.data.visit_weeks import VisitWeeks
from glabella.features.spec import FeatureTable
from glabella.models.encoding import Encoding
from glabella.validation.across_trials.membership_model import Membership
from glabella.validation.measures.evaluation import FEWEST_OF_A_CLASS

# From these on a figure may mislead; below them a sentence would only distract.
_FEWEST_EVENTS_PER_PARAMETER = 10
_MUCH_MISSING = 0.3
_NAMES_THE_TRIAL = 0.8
_MOST_WEEKS_LISTED = 10
_MOST_FEATURES_LISTED = 5
_MOST_TRIALS_LISTED = 5


def note_size(events: int, encoding: Encoding) -> Iterator[Finding]:
    """Note few events for many parameters."""
    parameters = max(len(encoding.columns), 1)
    if events / parameters < _FEWEST_EVENTS_PER_PARAMETER:
        yield Finding(
            "sample size",
            f"{events} of the rarer outcome for {parameters} parameters "
            f"({events / parameters:.1f} each): expect optimism",
            "Rely on penalised candidates, or choose fewer features.",
            "warn",
        )


def note_cells(participants: pd.DataFrame) -> Iterator[Finding]:
    """Note cells of trial and arm that are too small for a figure of their own."""
    others = participants["n"] - participants["responders"]
    smallest = np.minimum(participants["responders"], others)
    for _, row in participants[smallest < FEWEST_OF_A_CLASS].iterrows():
        yield Finding(
            f"trial {row['trial']}, arm {row['arm']}",
            f"under {FEWEST_OF_A_CLASS} of a class, so it has no figure of its own",
            "",
            "note",
        )


def note_missing(missing: pd.DataFrame) -> Iterator[Finding]:
    """Note features of which much is missing."""
    features = missing.drop(columns="trial")
    over = [name for name in map(str, features) if (features[name] > _MUCH_MISSING).any()]
    most = sorted(over, key=lambda name: -features[name].max())[:_MOST_FEATURES_LISTED]
    for name in (name for name in over if name in most):
        much = missing[missing[name] > _MUCH_MISSING]
        listed = ", ".join(
            f"{row['trial']} {100 * row[name]:.0f} %"
            for _, row in much.head(_MOST_TRIALS_LISTED).iterrows()
        )
        rest = len(much) - _MOST_TRIALS_LISTED
        yield Finding(
            f"feature '{name}'",
            f"much is missing: {listed}" + (f" and in {rest} more trials" if rest > 0 else ""),
            "What is filled in carries no information, and who lacks it may differ.",
            "warn",
        )
    if len(over) > len(most):
        yield Finding(
            f"{len(over) - len(most)} more features",
            f"over {100 * _MUCH_MISSING:.0f} % is missing in some trial",
            "The table of missing values has them all.",
            "warn",
        )


def note_constants(features: FeatureTable) -> Iterator[Finding]:
    """Note features that are the same for everybody."""
    for spec in features.specs:
        if spec.part == "patient" and features.frame[spec.name].nunique() < 2:
            yield Finding(
                f"feature '{spec.name}'",
                "everybody has the same value, so it can predict nothing",
                "Leave it out of the feature set.",
                "warn",
            )


def note_membership(membership: Membership) -> Iterator[Finding]:
    """Note features that name the trial."""
    best = max(membership.auc or 0.0, membership.auc_missing or 0.0)
    if best >= _NAMES_THE_TRIAL:
        yield Finding(
            "features",
            f"they tell the trials apart with an AUC of {best:.2f}: a model can learn the trial's "
            "rate of response instead of what predicts response",
            "Trust the figures within trials and across trials, not the pooled ones over all.",
            "warn",
        )


def note_schedule(schedule: pd.DataFrame) -> Iterator[Finding]:
    """Note assessments at weeks that belong to no visit of the trial's schedule."""
    for trial, part in schedule[~schedule["scheduled"]].groupby("trial", sort=False):
        weeks = [f"{week:g}" for week in part["week"]]
        listed = ", ".join(weeks[:_MOST_WEEKS_LISTED])
        more = f" and {len(weeks) - _MOST_WEEKS_LISTED} more" if len(weeks) > 10 else ""
        yield Finding(
            f"trial {trial}",
            f"{int(part['seen'].sum())} assessments stand outside its schedule, at weeks "
            f"{listed}{more}",
            "They count where they lie in the endpoint's window.",
            "note",
        )


def note_visit_weeks(weeks: VisitWeeks) -> Iterator[Finding]:
    """Note trials whose weeks are not the planned weeks of visits."""
    for trial in weeks.untold:
        yield Finding(
            f"trial {trial}",
            "its weeks are days, spread so widely that visits can't be told apart: visits and "
            "drop-out are not counted",
            "Map the planned week of each visit where the file has it.",
            "warn",
        )
    for trial in weeks.rounded:
        yield Finding(
            f"trial {trial}",
            "its weeks are days: in visits and drop-out each assessment counts at the nearest "
            "whole week",
            "Map the planned week of each visit where the file has it.",
            "note",
        )
