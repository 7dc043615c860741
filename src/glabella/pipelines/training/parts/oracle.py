"""How far candidates stay behind the best that simulated data allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.domain.endpoints import ResponseRule
from glabella.domain.small_counts import suppress_words
from glabella.pipelines.training.cross_validation import CrossValidation
from glabella.pipelines.training.parts.part import FittedAnalysis, Part
from glabella.simulation.sources import TRUTH
from glabella.validation.comparison.candidate_result import describe_performance
from glabella.validation.measures.performance import Performance, measure_performance

_HALF = 0.5
_RULES = {"oracle": "probability", "known": "known"}


@dataclass(frozen=True)
class OracleComparison(Part):
    """What rules that know the truth reach on the same participants, folds and pairs.

    Parameters
    ----------
    reason : str
        Why there is no limit; blank where there is one.
    note : str
        How participants without a score were counted; blank where there is none.
    rules : dict
        ``oracle``, which ranks by the true chance of response, and ``known``, which ranks by the
        chance to who knows the baseline table, to design to measures.
    behind : dict
        Candidate to design to the headline concordance of ``known`` less the candidate's; None
        where one of them can't be estimated.
    """

    name: ClassVar[str] = "limits"
    words: ClassVar[str] = "limit"
    reason: str = ""
    note: str = ""
    rules: dict[str, dict[str, Performance]] | None = None
    behind: dict[str, dict[str, float | None]] | None = None

    @classmethod
    def compute(cls, fitted: FittedAnalysis) -> OracleComparison | None:
        """Compare with rules that know the truth, if the data are simulated."""
        return find_limits(fitted.loaded, fitted.validated)

    def as_json(self) -> dict[str, Any]:
        """Give plain values."""
        rules = None
        if self.rules is not None:
            rules = {
                rule: {design: describe_performance(reached) for design, reached in designs.items()}
                for rule, designs in self.rules.items()
            }
        return {"reason": self.reason, "note": self.note, "rules": rules, "behind": self.behind}

    def list_lines(self, chosen: str) -> list[str]:
        """List, for each design, the best possible and how far the chosen candidate is from it."""
        if self.rules is None or self.behind is None:
            return []
        lines = []
        for design, behind in self.behind.get(chosen, {}).items():
            best = self.rules["known"][design].estimates["auc"].value
            if best is not None and behind is not None:
                lines.append(
                    f"limit   {design}: {best:.3f} is the best that the baseline table allows; "
                    f"{chosen} is {behind:.3f} behind"
                )
        return lines


def find_limits(loaded: LoadedAnalysis, validated: CrossValidation) -> OracleComparison | None:
    """Hold every candidate against the truth of a simulation."""
    if loaded.resolved.scenario is None:
        return None
    reason = explain_other_endpoint(loaded)
    if reason:
        return OracleComparison(reason=reason)
    if loaded.truth is None:
        return OracleComparison(reason=f"there is no {TRUTH} beside the data")
    rules = {
        rule: _measure_rule(loaded, validated, _rank(loaded, loaded.truth, column))
        for rule, column in _RULES.items()
    }
    behind = {}
    for name, item in validated.candidates.items():
        designs: dict[str, Performance | None] = {"pooled": item.pooled, "across": item.across}
        behind[name] = {
            design: _subtract(rules["known"][design], performance)
            for design, performance in designs.items()
            if performance is not None and design in rules["known"]
        }
    return OracleComparison(note=_note_missing(loaded), rules=rules, behind=behind)


def explain_other_endpoint(loaded: LoadedAnalysis) -> str:
    """Say why the truth is not of the analysis's endpoint."""
    endpoint, scenario = loaded.endpoint, loaded.resolved.scenario
    week = None if scenario is None else scenario.value.endpoint_week
    is_told = (
        endpoint.fixed_rule == ResponseRule(_HALF)
        and endpoint.of == "depression_total"
        and endpoint.week == week
        and endpoint.sustained is None
    )
    if is_told:
        return ""
    return (
        f"the truth is told of a fall of depression_total by half at week {week:g}, and the "
        "analysis asks for another endpoint"
    )


def _rank(loaded: LoadedAnalysis, truth: pd.DataFrame, column: str) -> np.ndarray:
    active = loaded.sample.active
    return np.where(active, truth[f"{column}_active"], truth[f"{column}_control"])


def _measure_rule(
    loaded: LoadedAnalysis, validated: CrossValidation, rank: np.ndarray
) -> dict[str, Performance]:
    """Measure over the pairs that candidates were measured over."""
    predictions = validated.predictions[validated.choice.name]
    threshold = loaded.analysis.validation.threshold
    measured = {}
    for design in ("pooled", "across"):
        rows = predictions[predictions["design"] == design]
        if len(rows):
            told = rows.assign(probability=rank[rows["row"].to_numpy()])
            measured[design] = measure_performance(told, loaded.sample, threshold=threshold)
    return measured


def _subtract(limit: Performance, performance: Performance) -> float | None:
    best, reached = limit.estimates["auc"].value, performance.estimates["auc"].value
    return None if best is None or reached is None else best - reached


def _note_missing(loaded: LoadedAnalysis) -> str:
    missing = int((~loaded.observed.is_analysed[loaded.kept]).sum())
    weeks = loaded.observed.frame["week"].iloc[loaded.kept]
    elsewhere = int((weeks.notna() & (weeks != loaded.endpoint.week)).sum())
    if not missing and not elsewhere:
        return ""
    return suppress_words(
        f"The truth is of the score at week {loaded.endpoint.week:g} itself: {missing} "
        f"participants without a score and {elsewhere} participants with one of another week count "
        "as the analysis counts them, which the rules above cannot predict."
    )
