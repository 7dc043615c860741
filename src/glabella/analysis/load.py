"""The data of an analysis: read, pooled, with outcomes and features, ready for validation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from glabella.analysis.definition import Analysis
from glabella.analysis.outcomes import (
    derive_alternative,
    derive_for,
    hold_against_outcomes,
    leave_out_missing,
)
from glabella.analysis.resolve import ResolvedAnalysis, resolve_analysis
from glabella.data.adam.read import read_adam
from glabella.data.adam.source import AdamSource
from glabella.data.checks import Finding, join_refusals
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.derive import Outcomes
from glabella.data.mapping.labels import NamedArm
from glabella.data.mapping.mapping import map_trial, read_trial
from glabella.data.pool import pool_trials
from glabella.data.tables import PatientTables, hash_tables
from glabella.data.totals import derive_totals
from glabella.definitions.locate import Project
from glabella.errors import AnalysisError, Refusals, describe_choices
from glabella.features.assemble import (
    assemble_features,
    build_patient_features,
    find_lacking_trials,
    note_conversions,
)
from glabella.features.spec import FeatureTable
from glabella.simulation.frames import TrialTables, simulate_tables
from glabella.simulation.sources import find_sources, make_raw_tables, make_table_source
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.folds.sample import Sample, impute_measured


@dataclass(frozen=True)
class LoadedAnalysis:
    """An analysis with its data.

    Parameters
    ----------
    resolved : ResolvedAnalysis
        The definitions.
    tables : PatientTables
        All participants.
    features : FeatureTable
        All participants' features.
    outcomes : Outcomes
        All participants' scores and responses.
    alternatives : dict of Outcomes
        Under each other definition of the endpoint, by its name.
    sample : Sample
        Those with an outcome, but for the trials of the external set.
    external : Sample or None
        Those of the external set with an outcome, where the analysis has one.
    doubted : tuple of Finding
        Features that come close to what is known only later; one that is it stops the analysis.
    """

    resolved: ResolvedAnalysis
    tables: PatientTables
    features: FeatureTable
    outcomes: Outcomes
    alternatives: dict[str, Outcomes]
    sample: Sample
    external: Sample | None = None
    doubted: tuple[Finding, ...] = ()

    @cached_property
    def observed(self) -> Outcomes:
        """The same endpoint where missing scores are left out: who has one."""
        return derive_for(self.resolved, self.tables, leave_out_missing(self.endpoint))

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of the tables."""
        return hash_tables(self.tables)

    @property
    def trainer(self) -> Trainer:
        """What fits candidates to participants of the sample."""
        analysis = self.resolved.analysis.value
        return Trainer(self.sample, analysis.validation.inner_folds, analysis.seed)

    @property
    def kept(self) -> np.ndarray:
        """Positions, in the tables, of the participants of the sample."""
        analysis = self.resolved.analysis.value
        return np.flatnonzero(find_analysed(analysis, self.tables, self.outcomes))

    @property
    def expected(self) -> np.ndarray:
        """The expected response of each participant of the tables; NaN where none is analysed."""
        expected = np.full(len(self.tables.participants), np.nan)
        expected[self.kept] = self.sample.expected
        if self.external is not None:
            analysis = self.resolved.analysis.value
            there = find_analysed(analysis, self.tables, self.outcomes, external=True)
            expected[there] = self.external.expected
        return expected

    @property
    def endpoint(self) -> EndpointDefinition:
        """The endpoint of the analysis."""
        return self.resolved.analysis.value.endpoint


def load_tables(resolved: ResolvedAnalysis, data: Path | None, project: Project) -> PatientTables:
    """Read or simulate the tables of an analysis.

    Parameters
    ----------
    resolved : ResolvedAnalysis
        The definitions.
    data : Path or None
        The folder of the files; the project's home unless stated. For simulated data, what
        `glabella simulate` wrote there; without it, simulated anew from the analysis's seed.
    project : Project
        The definitions and the home.

    Returns
    -------
    PatientTables
        Typed, checked and pooled.
    """
    origin, dictionary = resolved.analysis.origin, resolved.dictionary.value
    if resolved.scenario is not None and data is None:
        seed = resolved.analysis.value.seed
        return map_simulated(resolved, simulate_tables(resolved.scenario.value, seed=seed))
    folder = data or project.home
    sources = resolved.sources
    if resolved.scenario is not None:
        sources = find_sources(resolved.scenario.value, dictionary, folder)
    arms = [
        NamedArm(arm.all_codes, (arm.name, arm.label or arm.name))
        for arm in resolved.analysis.value.arms
    ]
    parts, refusals = [], Refusals()
    for index, source in enumerate(sources):
        keys = ("data", "simulate") if resolved.is_simulated else ("data", "trials", index)
        whence: Literal["real", "simulated"] = "simulated" if resolved.is_simulated else "real"
        with refusals.collect():
            if isinstance(source, AdamSource):
                read = read_adam(
                    source, folder, dictionary, written=origin, keys=keys, origin=whence
                )
            else:
                read = read_trial(
                    source, folder, dictionary, written=origin, keys=keys, origin=whence, arms=arms
                )
            parts.append(read)
    if refusals.errors:
        raise join_refusals(refusals.errors)
    return pool_trials(parts, place=origin.place("data", "trials"))


def map_simulated(resolved: ResolvedAnalysis, simulated: TrialTables) -> PatientTables:
    """Read simulated tables through the mapping of any other source.

    Parameters
    ----------
    resolved : ResolvedAnalysis
        The definitions.
    simulated : TrialTables
        The tables.

    Returns
    -------
    PatientTables
        Typed and checked.
    """
    dictionary = resolved.dictionary.value
    return map_trial(
        make_table_source(
            simulated.scenario, dictionary, tabulated=list(simulated.participants.columns)
        ),
        make_raw_tables(simulated),
        dictionary,
        origin="simulated",
        written=resolved.analysis.origin,
        keys=("data", "simulate"),
    )


def load_analysis(reference: str, project: Project, *, data: Path | None = None) -> LoadedAnalysis:
    """Resolve an analysis, load its data and derive outcomes and features.

    Parameters
    ----------
    reference : str
        A name in ``pipelines`` or a path.
    project : Project
        The definitions.
    data : Path, optional
        The folder of the data files.

    Returns
    -------
    LoadedAnalysis
        Ready for validation.

    Raises
    ------
    GlabellaError
        If definitions, data or their combination are refused, or a feature's values hold what is
        known only later.
    """
    resolved = resolve_analysis(reference, project)
    return load_tables_of(resolved, load_tables(resolved, data, project))


def load_tables_of(
    resolved: ResolvedAnalysis, tables: PatientTables, *, is_held: bool = True
) -> LoadedAnalysis:
    """Derive outcomes and features of tables that were read.

    Parameters
    ----------
    resolved : ResolvedAnalysis
        The definitions.
    tables : PatientTables
        From `load_tables` or `map_simulated`.
    is_held : bool
        Whether features are held against outcomes and later visits; not needed where other
        participants of the same simulated trials were.

    Returns
    -------
    LoadedAnalysis
        Ready for validation.

    Raises
    ------
    GlabellaError
        As in `load_analysis`.
    """
    tables = derive_totals(tables, resolved.dictionary.value)
    resolved, tables = _settle_lacking(resolved, tables)
    analysis = resolved.analysis.value
    outcomes = derive_for(resolved, tables, analysis.endpoint)
    notes = note_conversions(tables, resolved.feature_set.value, resolved.dictionary.value)
    tables = replace(tables, findings=(*tables.findings, *outcomes.findings, *notes))
    features = _assemble(resolved, tables)
    alternatives = {
        other.name: derive_alternative(resolved, tables, other) for other in resolved.alternatives
    }
    noted: tuple[Finding, ...] = ()
    if is_held:
        held = [(analysis.endpoint.of, outcomes)]
        held += [(o.endpoint.of, alternatives[o.name]) for o in resolved.alternatives]
        noted = hold_against_outcomes(resolved, tables, features, held)
    tables = replace(tables, findings=(*tables.findings, *noted))
    return LoadedAnalysis(
        resolved=resolved,
        tables=tables,
        features=features,
        outcomes=outcomes,
        alternatives=alternatives,
        sample=make_sample(analysis, tables, outcomes, features),
        external=None
        if analysis.validation.external is None
        else make_sample(analysis, tables, outcomes, features, external=True),
        doubted=noted,
    )


def load_sample(resolved: ResolvedAnalysis, tables: PatientTables) -> Sample:
    """Derive who is analysed, where nothing is to be learnt from them.

    Parameters
    ----------
    resolved : ResolvedAnalysis
        The definitions; features that a trial lacks were settled before.
    tables : PatientTables
        From `load_tables` or `map_simulated`.

    Returns
    -------
    Sample
        Those with an outcome. Their features are not held against it: no model is fitted.
    """
    tables = derive_totals(tables, resolved.dictionary.value)
    analysis = resolved.analysis.value
    outcomes = derive_for(resolved, tables, analysis.endpoint)
    return make_sample(analysis, tables, outcomes, _assemble(resolved, tables))


def _assemble(resolved: ResolvedAnalysis, tables: PatientTables) -> FeatureTable:
    analysis = resolved.analysis.value
    return assemble_features(
        tables,
        resolved.feature_set.value,
        resolved.dictionary.value,
        arms=analysis.arms,
        endpoint_variable=analysis.endpoint.of,
        arms_at=resolved.analysis.origin.place("arms"),
        written=resolved.feature_set.origin,
    )


def _settle_lacking(
    resolved: ResolvedAnalysis, tables: PatientTables
) -> tuple[ResolvedAnalysis, PatientTables]:
    """Take out the features that a whole trial lacks, or the trial, as the analysis says."""
    analysis, features = resolved.analysis.value, resolved.feature_set
    if analysis.data.lacking == "refuse":
        return resolved, tables
    frame = build_patient_features(tables, features.value, resolved.dictionary.value)
    trials = tables.participants["studyid"]
    lacking = find_lacking_trials(frame, trials)
    if not lacking:
        return resolved, tables
    goes = analysis.data.lacking
    names = [feature.name for feature in features.value.features]
    findings = tuple(
        Finding(
            place=features.origin.place("features", names.index(name)),
            finding=f"nobody in {', '.join(without)} has the feature '{name}', so the {goes} goes",
            remedy="`lacking:` of the analysis decides which.",
            severity="note",
        )
        for name, without in lacking.items()
    )
    if goes == "feature":
        kept = tuple(item for item in features.value.features if item.name not in lacking)
        if not kept:
            raise AnalysisError(
                "every feature is lacking in some trial, so none is left",
                place=features.origin.name,
                remedy="Write `lacking: trial`, or pool trials that share features.",
            )
        smaller = replace(features, value=features.value.model_copy(update={"features": kept}))
        return replace(resolved, feature_set=smaller), replace(
            tables, findings=(*tables.findings, *findings)
        )
    gone = {trial for without in lacking.values() for trial in without}
    if gone == set(trials):
        raise AnalysisError(
            "every trial lacks some feature, so none is left",
            place=resolved.analysis.origin.place("data", "lacking"),
            remedy="Write `lacking: feature`, or choose fewer features.",
        )
    stays = ~trials.isin(list(gone))
    visits = tables.assessments[~tables.assessments["studyid"].isin(list(gone))]
    return resolved, replace(
        tables,
        participants=tables.participants[stays].reset_index(drop=True),
        assessments=visits.reset_index(drop=True),
        findings=(*tables.findings, *findings),
    )


def find_analysed(
    analysis: Analysis, tables: PatientTables, outcomes: Outcomes, *, external: bool = False
) -> np.ndarray:
    """Find who is analysed, in the external set or outside it.

    Parameters
    ----------
    analysis : Analysis
        The definition.
    tables : PatientTables
        All participants.
    outcomes : Outcomes
        Theirs.
    external : bool
        Whether those of the external set are wanted, or all others.

    Returns
    -------
    array of bool, shape (n_participants,)
        Those with an outcome, observed or imputed.

    Raises
    ------
    AnalysisError
        If the external set names a trial that does not exist, or leaves none to learn from.
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
    """Put together who is analysed.

    Parameters
    ----------
    analysis : Analysis
        The definition.
    tables : PatientTables
        All participants.
    outcomes : Outcomes
        Theirs.
    features : FeatureTable
        Theirs.
    external : bool
        As in `find_analysed`.

    Returns
    -------
    Sample
        Those with an outcome, observed or imputed.

    Raises
    ------
    AnalysisError
        If nobody in some arm has an outcome, or sites are left out and there are none.
    """
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
        drawn = impute_measured(imputation, analysed, analysis.seed)
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
