"""What a gate, and claims beyond severity, will lack: said before anything is fitted."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from glabella.analysis.explanation_plan import plan_for
from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.data.checks import Finding

_SEVERITY = "severity"
_ACROSS = {"trial": "leave_one_trial_out", "site": "leave_one_site_out"}


def note_promotion(loaded: LoadedAnalysis) -> Iterator[Finding]:
    """Note what will not be measured, that promotion or a claim asks for."""
    has_refits = yield from _note_explanation(loaded)
    if loaded.tables.origin != "simulated":
        yield from _note_across(loaded)
        if not has_refits:
            yield from _note_stability(loaded)
    yield from _note_severity(loaded)


def _note_across(loaded: LoadedAnalysis) -> Iterator[Finding]:
    analysis = loaded.analysis
    reference = analysis.promotion.across_above
    if reference is None:
        return
    if reference not in loaded.resolved.candidates:
        others = [name for name in loaded.resolved.references if name != "prevalence"]
        instead = (
            f", or hold the model against another: `promotion: {{across_above: {others[-1]}}}`"
            if others
            else ""
        )
        yield Finding(
            "promotion.across_above",
            f"{reference} is no candidate, so this criterion of the gate will not be measured, and "
            "the model can't be promoted",
            f"List {reference} in `models:`{instead}.",
            "warn",
        )
    if analysis.validation.across is None:
        yield Finding(
            "promotion.across_above",
            "no trial or site is left out, so this criterion of the gate will not be measured, and "
            "the model can't be promoted",
            _describe_units(loaded),
            "warn",
        )


def _describe_units(loaded: LoadedAnalysis) -> str:
    """Name what there is to leave out."""
    for unit, groups in (("trial", loaded.sample.trial), ("site", loaded.sample.site)):
        if len(set(groups.tolist()) - {""}) > 1:
            return f"Ask for `validation: {{across: {_ACROSS[unit]}}}`."
    return (
        "There is one trial, and no sites are mapped: map them under `site:`, or switch the "
        "criterion off with `promotion: {across_above: null}`, and validate the model elsewhere."
    )


def _note_stability(loaded: LoadedAnalysis) -> Iterator[Finding]:
    policy = loaded.analysis.promotion
    asked = {
        "prediction_error": policy.prediction_error,
        "flips": policy.flips,
        "agreement": policy.agreement,
    }
    wanted = [name for name, bound in asked.items() if bound is not None]
    if wanted:
        yield Finding(
            f"promotion.{wanted[0]}",
            "there will be no refits to bootstrap samples, so this criterion of the gate will not "
            "be measured, and the model can't be promoted",
            "Ask for `validation: {stability: {refits: 100}}`.",
            "warn",
        )


def _note_explanation(loaded: LoadedAnalysis) -> Generator[Finding, None, bool]:
    """Note what validation does not pay for; gives whether every candidate will have refits."""
    analysis, references = loaded.analysis, loaded.resolved.references
    has_refits = analysis.validation.stability is not None
    has_all = True
    for name in loaded.resolved.candidates:
        if name in references:
            continue
        budget = plan_for(loaded, name)
        has_all = has_all and budget.refits > 0
        # Fewer than by default still say something.
        if budget.reason and not (budget.refits and budget.permutations):
            yield Finding(
                "explanation",
                f"if {name} is chosen: {budget.reason}",
                "Ask for more repeats, or state `explanation: {refits: 20, permutations: 19}`.",
                "note",
            )
    return has_refits or has_all


def _note_severity(loaded: LoadedAnalysis) -> Iterator[Finding]:
    candidates = loaded.resolved.candidates
    if any(read.value.estimator == _SEVERITY for read in candidates.values()):
        return
    has_baseline = any(spec.is_severity for spec in loaded.sample.features.specs)
    yield Finding(
        "claims beyond severity",
        "severity is no candidate, so nothing will be said of what the model tells beyond the "
        "baseline score of the endpoint",
        "List severity in `models:`."
        if has_baseline
        else "The endpoint has no score at baseline among the features, as of a diagnosis: compare "
        "with arm_only.",
        "note",
    )
