"""Under which names a table to be scored, one row a participant, holds what the model needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from glabella.bundle.manifest import VisitColumn
from glabella.data.dictionary import BY_TRIAL
from glabella.data.ingest.sources import TrialSource
from glabella.features.builders import find_builder
from glabella.features.feature_set import FeatureDefinition
from glabella.pipelines.resolve import ResolvedAnalysis


@dataclass(frozen=True)
class ScoringColumns:
    """The columns of a table to be scored.

    Parameters
    ----------
    variables : dict of str
        Variable to the column of its one value or its baseline.
    visits : tuple of VisitColumn
        The columns of later visits.
    required : tuple of str
        Variables without which a row is refused.
    ids : tuple of str
        The columns that identify a participant.
    scale : str or None
        The column of the scale.
    """

    variables: dict[str, str]
    visits: tuple[VisitColumn, ...]
    required: tuple[str, ...]
    ids: tuple[str, ...]
    scale: str | None


def name_scoring_columns(resolved: ResolvedAnalysis) -> ScoringColumns:
    """Take the source's own names where there is one source and its values are read as they are.

    Several sources, and sources that recode or convert, share only the dictionary's names, codes
    and units.

    Parameters
    ----------
    resolved : ResolvedAnalysis
        The analysis.

    Returns
    -------
    ScoringColumns
        Of a later visit the source's own columns where it is wide; else ``VARIABLE_week_N``.
    """
    dictionary, source = resolved.dictionary.value, _find_own_source(resolved)
    features = resolved.feature_set.value.features
    needs_scale = any(dictionary.find(item.variable).scale == BY_TRIAL for item in features)
    # A later visit alone needs no baseline.
    early = {
        item.variable: dictionary.find(item.variable)
        for item in features
        if find_builder(item.builder).takes_baseline
        or dictionary.find(item.variable).timing != "visit"
    }
    visits, required = _name_visits(features, source), _list_required(resolved)
    if source is None:
        names = {name: name for name in early}
        scale = "scale" if needs_scale else None
        return ScoringColumns(names, visits, required, ("studyid", "usubjid"), scale)
    people = source.participants
    columns = {
        name: source.find_baseline_column(name)
        if variable.timing == "visit"
        else people.find_column(name).column
        for name, variable in early.items()
    }
    ids = tuple(name for name in (people.trial, people.id) if name is not None)
    return ScoringColumns(columns, visits, required, ids, people.scale if needs_scale else None)


def _find_own_source(resolved: ResolvedAnalysis) -> TrialSource | None:
    """Find the one source whose names, codes and units a table to be scored can share."""
    source = resolved.sources[0]
    if len(resolved.sources) > 1 or not isinstance(source, TrialSource):
        return None
    return None if source.is_recoded or source.scale is not None else source


def _list_required(resolved: ResolvedAnalysis) -> tuple[str, ...]:
    """The endpoint is a fall from baseline: without a baseline there is nothing to predict."""
    endpoint = resolved.analysis.value.endpoint.of
    is_taken = any(
        item.variable == endpoint and find_builder(item.builder).takes_baseline
        for item in resolved.feature_set.value.features
    )
    return (endpoint,) if is_taken else ()


def _name_visits(
    features: tuple[FeatureDefinition, ...], source: TrialSource | None
) -> tuple[VisitColumn, ...]:
    named: dict[tuple[str, str], VisitColumn] = {}
    for feature in features:
        if find_builder(feature.builder).takes_visit:
            for visit in _find_visits(feature, source):
                earlier = named.get((visit.variable, visit.column))
                if earlier is None or not earlier.is_needed:
                    named[visit.variable, visit.column] = visit
    return tuple(named.values())


def _find_visits(feature: FeatureDefinition, source: TrialSource | None) -> Iterator[VisitColumn]:
    """List a wide source's columns in the feature's window; the nearest to its week is needed."""
    window, variable = feature.visit_window, feature.variable
    own = [
        (week, column)
        for item in (source.assessments if source is not None else ())
        for column, week in (item.weeks or {}).items()
        if item.variable == variable and window.low <= week <= window.high
    ]
    nearest = window.choose([week for week, _ in own])
    for position, (week, column) in enumerate(own):
        yield VisitColumn(
            variable=variable, week=week, column=column, is_needed=position == nearest
        )
    if not own:
        column = f"{variable}_week_{window.target:g}"
        yield VisitColumn(variable=variable, week=window.target, column=column, is_needed=True)
