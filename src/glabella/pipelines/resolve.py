"""Names to objects: an analysis with its dictionary, features, candidates and data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from glabella.data.dictionary import Dictionary, read_dictionary
from glabella.data.endpoints import Outcomes, derive_outcomes
from glabella.data.ingest.mapping import map_trial, read_trial
from glabella.data.ingest.sources import TrialSource
from glabella.data.pool import pool_trials
from glabella.data.tables import PatientTables, hash_tables
from glabella.definitions.locate import Project
from glabella.definitions.reader import Origin, Read
from glabella.domain.timing import Moment, parse_moment
from glabella.errors import AnalysisError, ClockError, DefinitionError, describe_choices
from glabella.features.assemble import assemble_features
from glabella.features.clock import check_clock
from glabella.features.feature_set import FeatureSet
from glabella.features.spec import FeatureTable
from glabella.models.build import check_candidate
from glabella.models.candidate import Candidate
from glabella.models.estimators import find_estimator
from glabella.pipelines.analysis import Analysis
from glabella.simulation.generate import CANONICAL_SOURCE, simulate_trials
from glabella.simulation.scenario import Scenario, read_scenario
from glabella.validation.sample import Sample


@dataclass(frozen=True)
class ResolvedAnalysis:
    """An analysis whose every name was found.

    Parameters
    ----------
    name : str
        The analysis's name: its file's, without ending.
    analysis : Read of Analysis
        The definition.
    dictionary : Read of Dictionary
        The variables.
    feature_set : Read of FeatureSet
        The features.
    candidates : dict of Read of Candidate
        By name, simplest first.
    scenario : Read of Scenario or None
        Where the data are simulated.
    """

    name: str
    analysis: Read[Analysis]
    dictionary: Read[Dictionary]
    feature_set: Read[FeatureSet]
    candidates: dict[str, Read[Candidate]]
    scenario: Read[Scenario] | None

    @property
    def references(self) -> tuple[str, ...]:
        """The candidates that are there to be beaten."""
        return tuple(
            name for name, read in self.candidates.items() if read.value.role == "reference"
        )

    @property
    def texts(self) -> dict[str, str]:
        """The text of each definition by its file's name."""
        origins: list[Origin] = [
            self.analysis.origin,
            self.dictionary.origin,
            self.feature_set.origin,
            *(read.origin for read in self.candidates.values()),
        ]
        if self.scenario is not None:
            origins.append(self.scenario.origin)
        return {origin.name: origin.text for origin in origins}

    @property
    def definitions_hash(self) -> str:
        """SHA-256 over the names and texts of the definitions."""
        digest = hashlib.sha256()
        for name, text in sorted(self.texts.items()):
            digest.update(f"{name}\0{text}\0".encode())
        return digest.hexdigest()

    @property
    def is_simulated(self) -> bool:
        """Whether the data come from the simulator."""
        return self.scenario is not None

    @property
    def sources(self) -> tuple[TrialSource, ...]:
        """The sources of data with their mappings."""
        trials = self.analysis.value.data.trials
        return (CANONICAL_SOURCE,) if trials is None else trials


@dataclass(frozen=True)
class LoadedAnalysis:
    """An analysis with its data.

    Parameters
    ----------
    resolved : ResolvedAnalysis
        The definitions.
    tables : PatientTables
        All participants.
    outcomes : Outcomes
        All participants' scores and responses.
    sample : Sample
        Those with an outcome.
    data_hash : str
        SHA-256 of the tables.
    """

    resolved: ResolvedAnalysis
    tables: PatientTables
    outcomes: Outcomes
    sample: Sample
    data_hash: str

    @property
    def kept(self) -> np.ndarray:
        """Positions, in the tables, of the participants of the sample."""
        return np.flatnonzero(self.outcomes.frame["responded"].notna().to_numpy())


def resolve_analysis(reference: str, project: Project) -> ResolvedAnalysis:
    """Read an analysis and everything it names.

    Parameters
    ----------
    reference : str
        A name in ``pipelines`` or a path.
    project : Project
        The definitions.

    Returns
    -------
    ResolvedAnalysis
        Checked as far as is possible without data, the clock included.

    Raises
    ------
    DefinitionError
        If a definition is wrong or names what does not exist.
    ClockError
        If a feature is known only after the moment of prediction.
    """
    read = project.read_analysis(reference, Analysis)
    analysis, origin = read.value, read.origin
    dictionary = read_dictionary(project)
    if analysis.features not in project.list_names("features"):
        raise DefinitionError(
            f"there is no feature set '{analysis.features}' in features/",
            place=origin.place("features"),
            remedy=describe_choices(analysis.features, _feature_sets(project)),
        )
    feature_set = project.read("features", analysis.features, FeatureSet)
    check_clock(feature_set.value, dictionary.value, feature_set.origin)
    endpoint_variable = dictionary.value.find(
        analysis.endpoint.of, place=origin.place("endpoint", "of")
    )
    if endpoint_variable.timing != "visit":
        raise DefinitionError(
            f"'{analysis.endpoint.of}' is not assessed at visits, so it has no fall",
            place=origin.place("endpoint", "of"),
            remedy="Take a variable with `timing: visit`.",
        )
    _check_order(analysis, feature_set)
    return ResolvedAnalysis(
        name=Path(reference).stem if reference.endswith((".yaml", ".yml")) else reference,
        analysis=read,
        dictionary=dictionary,
        feature_set=feature_set,
        candidates=_read_candidates(analysis, origin, project),
        scenario=_read_scenario(analysis, origin, project),
    )


def _check_order(analysis: Analysis, feature_set: Read[FeatureSet]) -> None:
    clock, first = parse_moment(feature_set.value.predict_at), Moment(analysis.endpoint.window[0])
    if clock >= first:
        raise ClockError(
            f"the prediction is made at {clock}, and the endpoint's window begins at {first}",
            place=feature_set.origin.place("predict_at"),
            remedy="Predict earlier, or take a later endpoint.",
        )


def _feature_sets(project: Project) -> list[str]:
    return [
        name for name in project.list_names("features") if name not in ("dictionary", "evidence")
    ]


def _read_candidates(
    analysis: Analysis, origin: Origin, project: Project
) -> dict[str, Read[Candidate]]:
    known = project.list_names("models")
    candidates = {}
    for index, name in enumerate(analysis.models):
        if name not in known:
            raise DefinitionError(
                f"there is no candidate '{name}' in models/",
                place=origin.place("models", index),
                remedy=describe_choices(name, known),
            )
        candidates[name] = project.read("models", name, Candidate)
        check_candidate(candidates[name])
        estimator = find_estimator(candidates[name].value.estimator)
        if estimator.needs_arm and not analysis.arms:
            raise DefinitionError(
                f"the candidate '{name}' needs arms, and the analysis declares none",
                place=origin.place("models", index),
                remedy="Declare `arms:`, or leave the candidate out.",
            )
    return candidates


def _read_scenario(analysis: Analysis, origin: Origin, project: Project) -> Read[Scenario] | None:
    name = analysis.data.simulate
    if name is None:
        return None
    known = project.list_names("pipelines/scenarios")
    if name not in known:
        raise DefinitionError(
            f"there is no scenario '{name}' in pipelines/scenarios/",
            place=origin.place("data", "simulate"),
            remedy=describe_choices(name, known),
        )
    scenario: Read[Scenario] = read_scenario(project, name)
    return scenario


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
        simulated = simulate_trials(resolved.scenario.value, seed=resolved.analysis.value.seed)
        return map_trial(
            CANONICAL_SOURCE,
            simulated.raw_tables(),
            dictionary,
            origin="simulated",
            written=origin,
            keys=("data", "simulate"),
        )
    parts = [
        read_trial(
            source,
            data or project.home,
            dictionary,
            origin="simulated" if resolved.is_simulated else "real",
            written=origin,
            keys=("data", "simulate") if resolved.is_simulated else ("data", "trials", index),
        )
        for index, source in enumerate(resolved.sources)
    ]
    return pool_trials(parts)


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
        If definitions, data or their combination are refused.
    """
    resolved = resolve_analysis(reference, project)
    tables = load_tables(resolved, data, project)
    analysis = resolved.analysis.value
    outcomes = derive_outcomes(tables, analysis.endpoint)
    features = assemble_features(
        tables,
        resolved.feature_set.value,
        resolved.dictionary.value,
        arms=analysis.arms,
        endpoint_variable=analysis.endpoint.of,
    )
    return LoadedAnalysis(
        resolved=resolved,
        tables=tables,
        outcomes=outcomes,
        sample=_make_sample(analysis, tables, outcomes, features),
        data_hash=hash_tables(tables),
    )


def _make_sample(
    analysis: Analysis, tables: PatientTables, outcomes: Outcomes, features: FeatureTable
) -> Sample:
    kept = outcomes.frame["responded"].notna().to_numpy()
    people = tables.participants[kept]
    blank = pd.Series("", index=people.index)
    arm = features.frame["arm"][kept].astype(str) if analysis.arms else blank
    if analysis.validation.across == "leave_one_site_out" and "siteid" not in people:
        raise AnalysisError(
            "leaving one site out needs sites, and no column is mapped to the site",
            place="validation.across",
            remedy="Name it: `site:` of the participants' file.",
        )
    return Sample(
        features=FeatureTable(features.frame[kept].reset_index(drop=True), features.specs),
        responded=outcomes.frame["responded"][kept].to_numpy(dtype=int),
        trial=people["studyid"].to_numpy(dtype=str),
        site=people.get("siteid", blank).to_numpy(dtype=str),
        cohort=people.get("cohort", blank).to_numpy(dtype=str),
        arm=arm.to_numpy(dtype=str),
        active=arm.isin(analysis.active_arms).to_numpy()
        if analysis.arms
        else np.ones(len(people), dtype=bool),
    )
