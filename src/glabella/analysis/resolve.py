"""Names to objects: an analysis with its dictionary, features, candidates and data."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from glabella.analysis.alternatives import Alternative, resolve_alternatives
from glabella.analysis.column_timing import check_column_times
from glabella.analysis.definition import Analysis
from glabella.analysis.late_columns import check_late_columns
from glabella.data.adam.source import AdamSource
from glabella.data.dictionary import Dictionary, read_dictionary
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.rules.interface import RecordRule
from glabella.data.mapping.sources import TrialSource
from glabella.definitions.locate import Project
from glabella.definitions.reader import Origin, Read
from glabella.domain.timing import Moment, parse_moment
from glabella.errors import ClockError, DefinitionError, Refusals, describe_choices
from glabella.explanation.evidence import PredictorEvidence
from glabella.features.clock import check_clock
from glabella.features.feature_set import FeatureSet
from glabella.models.build import check_candidate
from glabella.models.candidate import Candidate, join_members
from glabella.models.estimators import find_estimator
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.reading import read_scenario
from glabella.simulation.sources import make_table_source
from glabella.tracking.references import check_name


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
    alternatives : tuple of Alternative
        Other definitions of the endpoint.
    members : dict of Read of Candidate
        What ensembles average and is no candidate itself.
    evidence : Read of PredictorEvidence or None
        Published predictors, where the analysis names some.
    """

    name: str
    analysis: Read[Analysis]
    dictionary: Read[Dictionary]
    feature_set: Read[FeatureSet]
    candidates: dict[str, Read[Candidate]]
    scenario: Read[Scenario] | None
    alternatives: tuple[Alternative, ...] = ()
    members: dict[str, Read[Candidate]] = field(default_factory=dict)
    evidence: Read[PredictorEvidence] | None = None

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
            *(read.origin for read in self.members.values()),
        ]
        for read in (self.scenario, self.evidence):
            if read is not None:
                origins.append(read.origin)
        return {origin.name: origin.text for origin in origins}

    @property
    def definitions_hash(self) -> str:
        """SHA-256 over the names and texts of the definitions."""
        digest = hashlib.sha256()
        for name, text in sorted(self.texts.items()):
            digest.update(f"{name}\0{text}\0".encode())
        return digest.hexdigest()

    @property
    def definition_hashes(self) -> dict[str, str]:
        """SHA-256 of each definition by its file's name."""
        return {
            name: hashlib.sha256(text.encode()).hexdigest() for name, text in self.texts.items()
        }

    @property
    def outcome_hash(self) -> str:
        """SHA-256 of what counts as response."""
        stated = self.analysis.value.endpoint.model_dump_json()
        return hashlib.sha256(stated.encode()).hexdigest()

    @property
    def is_simulated(self) -> bool:
        """Whether the data come from the simulator."""
        return self.scenario is not None

    @property
    def sources(self) -> tuple[TrialSource | AdamSource, ...]:
        """The sources of data with their mappings."""
        if self.scenario is not None:
            return (make_table_source(self.scenario.value, self.dictionary.value),)
        return self.analysis.value.data.trials or ()


def resolve_analysis(reference: str, project: Project) -> ResolvedAnalysis:
    """Read an analysis and everything it names."""
    name = Path(reference).stem if reference.endswith((".yaml", ".yml")) else reference
    check_name(
        reference if "\0" in reference else name,
        "analysis",
        kind=DefinitionError,
        remedy="Name a file of pipelines/, or the path of one that ends in .yaml.",
    )
    read = project.read_analysis(reference, Analysis)
    analysis, origin = read.value, read.origin
    # What the analysis names is read apart, so that one run shows the findings of all of it.
    refusals = Refusals()
    with refusals.collect():
        dictionary = _read_dictionary(analysis, origin, project)
    with refusals.collect():
        feature_set = _read_feature_set(analysis, origin, project)
    with refusals.collect():
        candidates, members = _read_candidates(analysis, origin, project)
    refusals.raise_all()
    check_clock(feature_set.value, dictionary.value, feature_set.origin)
    _check_endpoint(
        analysis.endpoint, partial(origin.name_place, "endpoint"), dictionary.value, feature_set
    )
    alternatives = resolve_alternatives(analysis.endpoint, analysis.sensitivity, origin)
    for index, other in enumerate(alternatives):
        _check_endpoint(
            other.endpoint,
            partial(origin.name_place, "sensitivity", index),
            dictionary.value,
            feature_set,
        )
    check_column_times(analysis, dictionary.value, origin)
    check_late_columns(read, dictionary, feature_set)
    if not re.fullmatch(r"[\w.-]+", name):
        raise DefinitionError(
            "the file's name is the analysis's, and must be of letters, digits, _, . and -",
            place=origin.name,
            remedy="Rename the file.",
        )
    return ResolvedAnalysis(
        name=name,
        analysis=read,
        dictionary=dictionary,
        feature_set=feature_set,
        candidates=candidates,
        members=members,
        scenario=_read_scenario(analysis, origin, project),
        alternatives=alternatives,
        evidence=_read_evidence(analysis, read, feature_set.value, project),
    )


def _read_dictionary(analysis: Analysis, origin: Origin, project: Project) -> Read[Dictionary]:
    known = project.list_names("features")
    if analysis.dictionary not in known:
        raise DefinitionError(
            f"there is no dictionary '{analysis.dictionary}' in features/",
            place=origin.name_place("dictionary"),
            remedy=describe_choices(
                analysis.dictionary, [name for name in known if _is_dictionary(name)]
            ),
        )
    return read_dictionary(project, analysis.dictionary)


def _read_feature_set(analysis: Analysis, origin: Origin, project: Project) -> Read[FeatureSet]:
    if analysis.features not in project.list_names("features"):
        raise DefinitionError(
            f"there is no feature set '{analysis.features}' in features/",
            place=origin.name_place("features"),
            remedy=describe_choices(analysis.features, _resolve_feature_sets(project)),
        )
    return project.read("features", analysis.features, FeatureSet)


def _read_evidence(
    analysis: Analysis, read: Read[Analysis], feature_set: FeatureSet, project: Project
) -> Read[PredictorEvidence] | None:
    """Read the published predictors, and check the features that are shown as one."""
    explanation, place = analysis.explanation, partial(read.origin.name_place, "explanation")
    known = [feature.name for feature in feature_set.features]
    for words, names in explanation.groups.items():
        for name in names:
            if name not in known:
                raise DefinitionError(
                    f"the feature set has no feature '{name}'",
                    place=place("groups", words),
                    remedy=describe_choices(name, known),
                )
        if words in known:
            raise DefinitionError(
                f"the group '{words}' has the name of a feature",
                place=place("groups", words),
                remedy="Give it the words that readers are to see.",
            )
    if explanation.evidence is None:
        return None
    if explanation.evidence not in project.list_names("features"):
        raise DefinitionError(
            f"there is no '{explanation.evidence}' in features/",
            place=place("evidence"),
            remedy=describe_choices(explanation.evidence, ["predictors"]),
        )
    return project.read("features", explanation.evidence, PredictorEvidence)


def _check_endpoint(
    endpoint: EndpointDefinition,
    find_place: Callable[[str], str],
    dictionary: Dictionary,
    feature_set: Read[FeatureSet],
) -> None:
    variable = dictionary.find(endpoint.of, place=find_place("of"))
    _check_events(endpoint, find_place("intercurrent"), dictionary)
    endpoint.method.check_variable(endpoint, variable, find_place)
    if isinstance(endpoint.method, RecordRule):
        known_at, what = endpoint.method.find_moment(variable), f"'{endpoint.of}' is known"
    else:
        known_at, what = Moment(endpoint.visit_window.low), "the endpoint's window begins"
    clock = parse_moment(feature_set.value.predict_at)
    if clock >= known_at:
        raise ClockError(
            f"the prediction is made at {clock}, and {what} at {known_at}",
            place=feature_set.origin.name_place("predict_at"),
            remedy="Predict earlier, or take a later endpoint.",
        )


def _check_events(endpoint: EndpointDefinition, place: str, dictionary: Dictionary) -> None:
    for name, event in endpoint.intercurrent.items():
        if event.of is None:
            continue
        variable = dictionary.find(event.of, place=place)
        wanted = "number" if event.code is None else "category"
        if variable.type != wanted or variable.timing == "visit":
            raise DefinitionError(
                f"the event '{name}' needs a {wanted} that is recorded once, and '{event.of}' is "
                "none",
                place=place,
                remedy="A number is the week of the event; a category goes with its `code:`.",
            )
        if event.code is not None and event.code not in variable.codes:
            raise DefinitionError(
                f"'{event.code}' is no code of '{event.of}'",
                place=place,
                remedy=describe_choices(event.code, variable.codes),
            )


def _resolve_feature_sets(project: Project) -> list[str]:
    return [
        name
        for name in project.list_names("features")
        if name not in ("evidence", "predictors") and not _is_dictionary(name)
    ]


def _is_dictionary(name: str) -> bool:
    """Whether a file is a dictionary by its name, so that others are offered as feature sets."""
    return name.startswith("dictionary")


def _read_candidates(
    analysis: Analysis, origin: Origin, project: Project
) -> tuple[dict[str, Read[Candidate]], dict[str, Read[Candidate]]]:
    """Read the candidates with their members, and apart what is a member alone."""
    known = project.list_names("models")
    candidates: dict[str, Read[Candidate]] = {}
    further: dict[str, Read[Candidate]] = {}
    refusals = Refusals()
    for index, name in enumerate(analysis.models):
        with refusals.collect():
            place = origin.name_place("models", index)
            if name not in known:
                raise DefinitionError(
                    f"there is no candidate '{name}' in models/",
                    place=place,
                    remedy=describe_choices(name, known),
                )
            read = _read_candidate(name, analysis, project, place)
            resolved = _read_members(read, analysis, project)
            members = {member: item.value for member, item in resolved.items()}
            whole = join_members(read.value, members).with_effort(analysis.effort)
            candidates[name] = replace(read, value=whole)
            further.update(resolved)
    refusals.raise_all()
    return candidates, {name: read for name, read in further.items() if name not in candidates}


def _read_members(
    read: Read[Candidate], analysis: Analysis, project: Project
) -> dict[str, Read[Candidate]]:
    known, resolved = project.list_names("models"), {}
    for at, member in enumerate(read.value.members):
        within = read.origin.name_place("members", at)
        if member not in known:
            raise DefinitionError(
                f"there is no candidate '{member}' in models/",
                place=within,
                remedy=describe_choices(member, known),
            )
        resolved[member] = _read_candidate(member, analysis, project, within)
        if not find_estimator(resolved[member].value.estimator).is_additive or (
            resolved[member].value.members
        ):
            raise DefinitionError(
                f"'{member}' does not add up on the log-odds scale, or is an ensemble itself",
                place=within,
                remedy="Leave it out of the `members:`.",
            )
    return resolved


def _read_candidate(name: str, analysis: Analysis, project: Project, place: str) -> Read[Candidate]:
    read = project.read("models", name, Candidate)
    check_candidate(read)
    estimator = find_estimator(read.value.estimator)
    if estimator.needs_arm and not analysis.arms:
        raise DefinitionError(
            f"the candidate '{name}' needs arms, and the analysis declares none",
            place=place,
            remedy="Declare `arms:`, or leave the candidate out.",
        )
    if estimator.needs_margin and not analysis.endpoint.is_decided_by_score:
        raise DefinitionError(
            f"the candidate '{name}' models the score at the endpoint, and no single score "
            "decides response here",
            place=place,
            remedy="Leave the candidate out.",
        )
    return read


def _read_scenario(analysis: Analysis, origin: Origin, project: Project) -> Read[Scenario] | None:
    name = analysis.data.simulate
    if name is None:
        return None
    known = project.list_names("pipelines/scenarios")
    if name not in known:
        raise DefinitionError(
            f"there is no scenario '{name}' in pipelines/scenarios/",
            place=origin.name_place("data", "simulate"),
            remedy=describe_choices(name, known),
        )
    scenario: Read[Scenario] = read_scenario(project, name)
    return scenario
