"""Responders by trial and arm under each strategy for missing outcomes."""

from __future__ import annotations

import pandas as pd

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.analysis.loaded.outcomes import derive_for
from glabella.analysis.loaded.participants import find_analysed, make_sample
from glabella.data.checks import Finding
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.derive import Outcomes
from glabella.data.endpoints.strategies import STRATEGIES
from glabella.data.endpoints.strategies.definition import MissingDefinition
from glabella.errors import AnalysisError


def count_by_strategy(loaded: LoadedAnalysis) -> tuple[pd.DataFrame, list[Finding]]:
    """Count responders under the endpoint, its alternatives and every strategy.

    Returns
    -------
    tuple of DataFrame and list of Finding
        ``definition``, ``trial``, ``arm``, ``n``, ``responders`` (where outcomes are imputed their
        mean number) and ``rate``; and a note for each strategy that the data can't support.
    """
    parts, findings = [_count("as analysed", loaded, loaded.outcomes)], []
    parts += [_count(name, loaded, outcomes) for name, outcomes in loaded.alternatives.items()]
    done = [loaded.endpoint, *(other.endpoint for other in loaded.resolved.alternatives)]
    for name in _list_possible(loaded.endpoint):
        endpoint = loaded.endpoint.model_copy(
            update={"missing": MissingDefinition.model_validate({"strategy": name})}
        )
        if any(_is_same(endpoint, other) for other in done):
            continue
        try:
            outcomes = derive_for(loaded.resolved, loaded.tables, endpoint)
            parts.append(_count(name, loaded, outcomes))
        except AnalysisError as error:
            findings.append(
                Finding(f"missing `{name}`", f"not possible: {error.finding}", "", "note")
            )
    return pd.concat(parts, ignore_index=True), findings


def _list_possible(endpoint: EndpointDefinition) -> list[str]:
    """List the strategies that their name alone states, and that the endpoint can have."""
    return [
        name
        for name, strategy in STRATEGIES.items()
        if not strategy.needs_settings and (endpoint.is_of_visits or not strategy.uses_other_visits)
    ]


def _is_same(endpoint: EndpointDefinition, other: EndpointDefinition) -> bool:
    return (
        endpoint.missing.strategy == other.missing.strategy
        and endpoint.model_copy(update={"missing": other.missing}) == other
    )


def _count(name: str, loaded: LoadedAnalysis, outcomes: Outcomes) -> pd.DataFrame:
    analysis = loaded.analysis
    sample = make_sample(analysis, loaded.tables, outcomes, loaded.features)
    people = loaded.tables.participants[find_analysed(analysis, loaded.tables, outcomes)]
    table = pd.DataFrame(
        {
            "trial": people["studyid"].to_numpy(),
            "arm": people["arm"].to_numpy() if "arm" in people else "all",
            "responders": sample.expected,
        }
    )
    grouped = table.groupby(["trial", "arm"], sort=False)["responders"]
    counts = grouped.agg(n="size", responders="sum").reset_index()
    counts["responders"] = counts["responders"].round(1)
    counts["rate"] = counts["responders"] / counts["n"]
    counts.insert(0, "definition", name)
    return counts
