"""The participants of an analysis, as folds and measures need them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from glabella.analysis.definition import Analysis
from glabella.data.endpoints.derive import Outcomes
from glabella.data.tables import PatientTables
from glabella.errors import AnalysisError, describe_choices
from glabella.features.spec import FeatureTable
from glabella.validation.folds.sample import Sample, complete_measured


def find_analysed(
    analysis: Analysis, tables: PatientTables, outcomes: Outcomes, *, external: bool = False
) -> np.ndarray:
    """Find who is analysed, in the external set or outside it.

    Returns
    -------
    array of bool, shape (n_participants,)
        Those with an outcome, observed or imputed.
    """
    trials = tables.participants["studyid"].astype(str)
    named = analysis.validation.external or ()
    known = list(dict.fromkeys(trials))
    for name in named:
        if name not in known:
            raise AnalysisError(
                f"there is no trial '{name}'",
                place="validation.external",
                remedy=describe_choices(name, known),
            )
    if set(named) == set(known):
        raise AnalysisError(
            "the external set holds every trial, so none is left to learn from",
            place="validation.external",
            remedy="Leave one out of it.",
        )
    return np.asarray(outcomes.is_analysed & (trials.isin(named).to_numpy() == external))


def make_sample(
    analysis: Analysis,
    tables: PatientTables,
    outcomes: Outcomes,
    features: FeatureTable,
    *,
    external: bool = False,
) -> Sample:
    """Put together who is analysed."""
    kept = find_analysed(analysis, tables, outcomes, external=external)
    people = tables.participants[kept]
    blank = pd.Series("", index=people.index)
    arm = features.frame["arm"][kept].astype(str) if analysis.arms else blank
    there = set(arm.unique())
    gone = [name.name for name in analysis.arms if name.name not in there]
    if external and not len(people):
        raise AnalysisError(
            "nobody in the external set has an outcome",
            place="validation.external",
            remedy="Name other trials, or change the endpoint's week or window.",
        )
    if gone and not external:
        raise AnalysisError(
            f"nobody in the arm '{gone[0]}' has an outcome",
            place=f"endpoint of '{analysis.endpoint.of}'",
            remedy="Leave the arm out, or change the endpoint's week or window.",
        )
    by_site = analysis.validation.list_by_site()
    if by_site and "siteid" not in people:
        raise AnalysisError(
            "leaving sites out needs sites, and no column is mapped to the site",
            place=f"validation.{by_site[0]}",
            remedy="Name it: `site:` of the participants' file.",
        )
    analysed = FeatureTable(features.frame[kept].reset_index(drop=True), features.specs)
    imputation = None
    drawn = outcomes.frame.loc[kept, "responded"].to_numpy()[None]
    if outcomes.imputation is not None:
        imputation = outcomes.imputation.take(np.flatnonzero(kept))
        drawn = complete_measured(imputation, analysed, analysis.seed)
    return Sample(
        features=analysed,
        outcomes=drawn.astype(np.int8),
        imputation=imputation,
        trial=people["studyid"].to_numpy(dtype=str),
        site=_name_sites(people),
        cohort=people.get("cohort", blank).to_numpy(dtype=str),
        arm=arm.to_numpy(dtype=str),
        active=arm.isin(analysis.active_arms).to_numpy()
        if analysis.arms
        else np.ones(len(people), dtype=bool),
        person=_number_people(people) if "person" in people else None,
        margin=None if outcomes.margin is None else outcomes.margin[kept],
        background=analysis.explanation.background
        if analysis.explanation.values == "interventional"
        else None,
    )


def _name_sites(people: pd.DataFrame) -> np.ndarray:
    """Name sites within their trial: two trials may number theirs alike."""
    if "siteid" not in people:
        return np.full(len(people), "", dtype=str)
    site = people["siteid"].fillna("").astype(str)
    trial = people["studyid"].astype(str)
    if trial.nunique() < 2:
        return site.to_numpy(dtype=str)
    # Who has no site is of the trial at large.
    return np.where(site == "", trial, trial + ", site " + site).astype(str)


def _number_people(people: pd.DataFrame) -> np.ndarray:
    """Number the persons of a trial, of whom some stand in a row for each period."""
    one_row = people["person"].where(people["person"].notna(), people["usubjid"])
    numbers = people.assign(person=one_row).groupby(["studyid", "person"], sort=False).ngroup()
    return numbers.to_numpy(dtype=int)
