"""Outcomes of an analysis under each definition, and features held against them."""

from __future__ import annotations

from collections.abc import Sequence

from glabella.analysis.alternatives import Alternative
from glabella.analysis.resolve import ResolvedAnalysis
from glabella.data.checks import Finding
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.derive import Outcomes, derive_outcomes
from glabella.data.endpoints.strategies.definition import MissingDefinition
from glabella.data.tables import PatientTables
from glabella.domain.timing import parse_moment
from glabella.errors import AnalysisError
from glabella.features.builders import find_builder
from glabella.features.leakage.imputed_sources import find_imputed_leaks
from glabella.features.leakage.leaks import find_leaks, raise_leaks
from glabella.features.spec import FeatureTable


def derive_for(
    resolved: ResolvedAnalysis, tables: PatientTables, endpoint: EndpointDefinition
) -> Outcomes:
    """Derive the outcomes of an endpoint, for the moment at which the analysis predicts."""
    clock = parse_moment(resolved.feature_set.value.predict_at)
    return derive_outcomes(tables, endpoint, resolved.dictionary.value, clock=clock)


def select_observed(endpoint: EndpointDefinition) -> EndpointDefinition:
    """Take the endpoint with the strategy that adds nothing to what was observed."""
    return endpoint.model_copy(update={"missing": MissingDefinition(strategy="observed_only")})


def derive_alternative(
    resolved: ResolvedAnalysis, tables: PatientTables, other: Alternative
) -> Outcomes:
    """Derive the outcomes of another definition of the endpoint."""
    try:
        return derive_for(resolved, tables, other.endpoint)
    except AnalysisError as error:
        at = f" ({error.place})" if error.place else ""
        raise AnalysisError(
            f"{error.finding}{at}", place=other.place, remedy=error.remedy
        ) from None


def check_against_outcomes(
    resolved: ResolvedAnalysis,
    tables: PatientTables,
    features: FeatureTable,
    outcomes: Sequence[tuple[str, Outcomes]],
) -> tuple[Finding, ...]:
    """Refuse features whose values hold what is known only later."""
    feature_set, dictionary = resolved.feature_set.value, resolved.dictionary.value
    clock = parse_moment(feature_set.predict_at)
    dated = [item.name for item in feature_set.features if find_builder(item.builder).takes_visit]
    found = list(find_imputed_leaks(tables, feature_set, dictionary))
    for variable, derived in outcomes:
        found += find_leaks(
            features,
            derived.frame,
            tables,
            clock=clock,
            endpoint_variable=variable,
            dated=dated,
        )
    return raise_leaks(tuple(dict.fromkeys(found)))
