"""The data of an analysis: read, pooled, with outcomes and features, ready for validation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from glabella.analysis.definition import Analysis
from glabella.analysis.folds import FoldPlan, plan_folds
from glabella.analysis.loaded.lacking import drop_lacking
from glabella.analysis.loaded.outcomes import (
    check_against_outcomes,
    derive_alternative,
    derive_for,
    select_observed,
)
from glabella.analysis.loaded.participants import find_analysed, make_sample
from glabella.analysis.loaded.tables import load_tables
from glabella.analysis.loaded.truth import find_truth
from glabella.analysis.resolve import ResolvedAnalysis, resolve_analysis
from glabella.data.checks import Finding
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.derive import Outcomes
from glabella.data.tables import PatientTables, hash_tables
from glabella.data.totals import derive_totals
from glabella.definitions.locate import Project
from glabella.features.assemble import build_features, note_conversions
from glabella.features.spec import FeatureTable
from glabella.models.grouping import Grouping
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.folds.sample import Sample


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
    data : Path or None
        The folder that the data were read from, if one was named.
    """

    resolved: ResolvedAnalysis
    tables: PatientTables
    features: FeatureTable
    outcomes: Outcomes
    alternatives: dict[str, Outcomes]
    sample: Sample
    external: Sample | None = None
    doubted: tuple[Finding, ...] = ()
    data: Path | None = None

    @property
    def analysis(self) -> Analysis:
        """What the analysis declares."""
        return self.resolved.analysis.value

    @cached_property
    def plan(self) -> FoldPlan:
        """The folds of every design that the analysis asks for, if these are feasible."""
        return plan_folds(self.analysis, self.sample)

    @cached_property
    def grouping(self) -> Grouping:
        """The groups of features that the analysis declares, of features that the data have.

        A group of which one is left is that feature alone.
        """
        there = {spec.name for spec in self.sample.features.specs}
        groups = {
            words: tuple(name for name in names if name in there)
            for words, names in self.analysis.explanation.groups.items()
        }
        return Grouping({words: names for words, names in groups.items() if len(names) > 1})

    @cached_property
    def truth(self) -> pd.DataFrame | None:
        """The true chances of response of each participant of the sample, if data are simulated."""
        if self.resolved.scenario is None:
            return None
        people = self.tables.participants.iloc[self.kept]
        scenario, seed = self.resolved.scenario.value, self.analysis.seed
        return find_truth(people, scenario, seed=seed, data=self.data)

    @cached_property
    def observed(self) -> Outcomes:
        """The same endpoint where missing scores are left out: who has one."""
        return derive_for(self.resolved, self.tables, select_observed(self.endpoint))

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of the tables."""
        return hash_tables(self.tables)

    @property
    def trainer(self) -> Trainer:
        """What fits candidates to participants of the sample."""
        return Trainer(self.sample, self.analysis.validation.inner_folds, self.analysis.seed)

    @property
    def kept(self) -> np.ndarray:
        """Positions, in the tables, of the participants of the sample."""
        return np.flatnonzero(find_analysed(self.analysis, self.tables, self.outcomes))

    @property
    def expected(self) -> np.ndarray:
        """The expected response of each participant of the tables; NaN where none is analysed."""
        expected = np.full(len(self.tables.participants), np.nan)
        expected[self.kept] = self.sample.expected
        if self.external is not None:
            there = find_analysed(self.analysis, self.tables, self.outcomes, external=True)
            expected[there] = self.external.expected
        return expected

    @property
    def endpoint(self) -> EndpointDefinition:
        """The endpoint of the analysis."""
        return self.analysis.endpoint


def load_analysis(reference: str, project: Project, *, data: Path | None = None) -> LoadedAnalysis:
    """Resolve an analysis, load its data and derive outcomes and features."""
    resolved = resolve_analysis(reference, project)
    return load_tables_of(resolved, load_tables(resolved, data, project), data=data)


def load_tables_of(
    resolved: ResolvedAnalysis,
    tables: PatientTables,
    *,
    data: Path | None = None,
    is_held: bool = True,
) -> LoadedAnalysis:
    """Derive outcomes and features of tables that were read."""
    tables = derive_totals(tables, resolved.dictionary.value)
    resolved, tables = drop_lacking(resolved, tables)
    analysis = resolved.analysis.value
    outcomes = derive_for(resolved, tables, analysis.endpoint)
    notes = note_conversions(tables, resolved.feature_set.value, resolved.dictionary.value)
    features = _make_loaded(resolved, tables)
    alternatives = {
        other.name: derive_alternative(resolved, tables, other) for other in resolved.alternatives
    }
    noted: tuple[Finding, ...] = ()
    if is_held:
        held = [(analysis.endpoint.of, outcomes)]
        held += [(o.endpoint.of, alternatives[o.name]) for o in resolved.alternatives]
        noted = check_against_outcomes(resolved, tables, features, held)
    findings = (*tables.findings, *outcomes.findings, *notes, *noted)
    return LoadedAnalysis(
        resolved=resolved,
        tables=replace(tables, findings=findings),
        features=features,
        outcomes=outcomes,
        alternatives=alternatives,
        sample=make_sample(analysis, tables, outcomes, features),
        external=None
        if analysis.validation.external is None
        else make_sample(analysis, tables, outcomes, features, external=True),
        doubted=noted,
        data=data,
    )


def load_sample(resolved: ResolvedAnalysis, tables: PatientTables) -> Sample:
    """Derive who is analysed, where nothing is to be learnt from them.

    Returns
    -------
    Sample
        Those with an outcome. Their features are not held against it: no model is fitted.
    """
    tables = derive_totals(tables, resolved.dictionary.value)
    analysis = resolved.analysis.value
    outcomes = derive_for(resolved, tables, analysis.endpoint)
    return make_sample(analysis, tables, outcomes, _make_loaded(resolved, tables))


def _make_loaded(resolved: ResolvedAnalysis, tables: PatientTables) -> FeatureTable:
    analysis = resolved.analysis.value
    return build_features(
        tables,
        resolved.feature_set.value,
        resolved.dictionary.value,
        arms=analysis.arms,
        endpoint_variable=analysis.endpoint.of,
        arms_at=resolved.analysis.origin.name_place("arms"),
        written=resolved.feature_set.origin,
    )
