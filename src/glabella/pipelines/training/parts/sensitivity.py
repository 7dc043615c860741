"""Whether a finding survives other definitions of the outcome, and who drops out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from glabella.analysis.definition import ValidationDefinition
from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.analysis.loaded.participants import make_sample
from glabella.analysis.resolve import ResolvedAnalysis
from glabella.data.endpoints.derive import Outcomes
from glabella.domain.small_counts import SUPPRESSED, suppress_count, suppress_group, suppress_words
from glabella.errors import AnalysisError
from glabella.explanation.attributions import collect_attributions
from glabella.features.assemble import describe_features
from glabella.features.spec import FeatureTable
from glabella.pipelines.training.cross_validation import CrossValidation, run_validation
from glabella.pipelines.training.parts.part import FittedAnalysis, Part
from glabella.validation.fitting.runner import ONE_BY_ONE, Runner
from glabella.validation.measures.estimation.estimate import Estimate, make_missing_estimate
from glabella.validation.measures.measure import Tier
from glabella.validation.measures.performance import Performance
from glabella.validation.measures.registry import list_measures


@dataclass(frozen=True)
class DefinitionResult:
    """What one definition of the outcome came to.

    Parameters
    ----------
    name, definition : str
        What tables call it, and the outcome in words.
    n : int
        Analysed participants.
    events : float
        Responders; where outcomes are imputed, their mean number.
    left_out : int
        Participants that the definition leaves out.
    chosen : str or None
        The chosen candidate; None where it could not be validated.
    is_better : bool or None
        Whether it predicted better than every reference; None where there is none.
    estimates : dict of Estimate
        Its pooled figures.
    predictors : tuple of str
        The features of the patient that the chosen candidate uses, the most important first.
    reason : str or None
        Why there are no figures.
    """

    name: str
    definition: str
    n: int
    events: float
    left_out: int
    chosen: str | None
    is_better: bool | None
    estimates: dict[str, Estimate]
    predictors: tuple[str, ...]
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            Each figure with ``_low`` and ``_high``, and ``reasons`` for what is None.
        """
        plain: dict[str, Any] = {
            name: value for name, value in vars(self).items() if name != "estimates"
        }
        plain["predictors"] = list(self.predictors)
        told = suppress_group(self.n, self.events)
        plain["reason"] = None if self.reason is None else suppress_words(self.reason)
        plain |= {"n": told.n, "events": told.events, "left_out": suppress_count(self.left_out)}
        reasons = {name: SUPPRESSED for name in ("n", "events", "left_out") if plain[name] is None}
        for name, estimate in self.estimates.items():
            plain |= estimate.as_columns(name)
            if estimate.reason is not None:
                reasons[name] = estimate.reason
        plain["reasons"] = reasons
        return plain


@dataclass(frozen=True)
class Sensitivity(Part):
    """The analysis under each definition of its endpoint.

    Parameters
    ----------
    definitions : tuple of DefinitionResult
        The analysis's own first.
    drop_out : DefinitionResult
        The same features and candidates put to predicting who has no score at the endpoint.
    standing : tuple of str
        The features that stand out from noise as analysed; none if that was not tested.
    """

    name: ClassVar[str] = "sensitivity"
    words: ClassVar[str] = "other definitions of the outcome"
    definitions: tuple[DefinitionResult, ...]
    drop_out: DefinitionResult
    standing: tuple[str, ...] = ()

    @classmethod
    def compute(cls, fitted: FittedAnalysis) -> Sensitivity | None:
        """Validate again under other definitions, if the analysis lists some."""
        standing = () if fitted.explained is None else fitted.explained.standing
        return run_sensitivity(fitted.loaded, fitted.validated, fitted.runner, standing=standing)

    @property
    def compared(self) -> tuple[str, ...]:
        """What can be looked for under other definitions; nothing where every feature stands out.

        The order of what tells nothing is chance, and of all features all are always the first.
        """
        used = set(self.definitions[0].predictors)
        return self.standing if used > set(self.standing) else ()

    def find_again(self, item: DefinitionResult) -> tuple[str, ...]:
        """Find which of the compared features are as many of the most important ones."""
        leading = item.predictors[: len(self.compared)]
        return tuple(name for name in leading if name in self.compared)

    def describe(self) -> str:
        """Say whether the finding survives."""
        first, others = self.definitions[0], self.definitions[1:]
        done = [item for item in others if item.chosen is not None]
        chosen = sum(item.chosen == first.chosen for item in done)
        better = sum(item.is_better == first.is_better for item in done)
        same = sum(len(self.find_again(item)) == len(self.compared) for item in done)
        verdict = "" if first.is_better else "not "
        words = (
            f"Of {len(others)} other definitions, {chosen} choose {first.chosen} again, {better} "
            f"agree that it is {verdict}shown to be better than every reference"
        )
        if self.compared:
            named = ", ".join(self.compared)
            words += f", and {same} have what stands out from noise ({named}) before all others"
        elif self.standing:
            words += ". As analysed every feature stands out from noise: none can lead others"
        else:
            words += (
                ". No feature is known to stand out from noise as analysed, so none is compared"
            )
        failed = len(others) - len(done)
        return f"{words}; {failed} could not be validated." if failed else f"{words}."

    def as_json(self) -> dict[str, Any]:
        """Give the results as plain values.

        Returns
        -------
        dict
            ``summary``: a sentence; ``definitions``: a list, each with ``same_choice`` and
            ``found_again``: what stands out from noise and leads there too; ``compared``;
            ``drop_out``.
        """
        first = self.definitions[0]
        return {
            "summary": self.describe(),
            "compared": list(self.compared),
            "definitions": [
                {
                    **item.as_json(),
                    "same_choice": None if item.chosen is None else item.chosen == first.chosen,
                    "found_again": None if item.chosen is None else list(self.find_again(item)),
                }
                for item in self.definitions
            ],
            "drop_out": self.drop_out.as_json(),
        }


def run_sensitivity(
    loaded: LoadedAnalysis,
    validated: CrossValidation,
    runner: Runner = ONE_BY_ONE,
    *,
    standing: tuple[str, ...] = (),
) -> Sensitivity | None:
    """Validate all candidates again under each other definition, and for drop-out."""
    if not loaded.alternatives:
        return None
    own = _summarise("as analysed", loaded.endpoint.describe(), loaded, validated)

    def validate(name: str, definition: str, variant: LoadedAnalysis) -> DefinitionResult:
        return _validate(name, definition, variant, runner.name_stage(f"{name}: validating"))

    others = [
        validate(name, variant.endpoint.describe(), variant)
        for name, variant in list_variants(loaded)
    ]
    drop_out = validate("drop-out", "no score at the endpoint", make_drop_out(loaded))
    return Sensitivity((own, *others), drop_out, standing)


def make_drop_out(loaded: LoadedAnalysis) -> LoadedAnalysis:
    """Make the analysis of who has no score, or no record, at the endpoint.

    Returns
    -------
    LoadedAnalysis
        Of those with a usable baseline: 1 for who has no outcome of their own.
    """
    frame = loaded.observed.frame
    usable = frame["basis"] != "no_baseline"
    missing = usable & ~frame["basis"].isin(["observed", "while_on_treatment", "composite"])
    basis = np.where(usable, "observed", "no_baseline")
    responded = missing.astype(float).where(usable)
    outcomes = Outcomes(frame.assign(responded=responded, basis=basis), {})
    return _with_outcomes(loaded, outcomes)


def list_variants(loaded: LoadedAnalysis) -> Iterator[tuple[str, LoadedAnalysis]]:
    """Make the analysis of each other definition, validated over all participants alone."""
    for alternative in loaded.resolved.alternatives:
        analysis = loaded.resolved.analysis
        changed = analysis.value.model_copy(update={"endpoint": alternative.endpoint})
        resolved = replace(loaded.resolved, analysis=replace(analysis, value=changed))
        features = _mark_severity(resolved, loaded.features, alternative.endpoint.of)
        variant = replace(loaded, resolved=resolved, features=features)
        yield alternative.name, _with_outcomes(variant, loaded.alternatives[alternative.name])


def _mark_severity(
    resolved: ResolvedAnalysis, features: FeatureTable, variable: str
) -> FeatureTable:
    """Take the baseline of the definition's own variable for the severity."""
    own = describe_features(
        resolved.feature_set.value, resolved.dictionary.value, endpoint_variable=variable
    )
    severe = {spec.name for spec in own if spec.is_severity}
    specs = tuple(replace(spec, is_severity=spec.name in severe) for spec in features.specs)
    return FeatureTable(features.frame, specs)


def _with_outcomes(loaded: LoadedAnalysis, outcomes: Outcomes) -> LoadedAnalysis:
    """Put other outcomes in place, to be validated over all participants alone."""
    analysis = loaded.analysis
    design = analysis.validation
    pooled = ValidationDefinition(
        pooled=design.sensitivity or design.pooled,
        inner_folds=design.inner_folds,
        threshold=design.threshold,
    )
    changed = replace(
        loaded.resolved.analysis, value=analysis.model_copy(update={"validation": pooled})
    )
    return replace(
        loaded,
        resolved=replace(loaded.resolved, analysis=changed),
        outcomes=outcomes,
        sample=make_sample(changed.value, loaded.tables, outcomes, loaded.features),
    )


def _validate(
    name: str,
    definition: str,
    variant: LoadedAnalysis,
    runner: Runner,
) -> DefinitionResult:
    try:
        validated = run_validation(variant, runner)
    except AnalysisError as error:
        return _summarise(name, definition, variant, None, error.finding)
    return _summarise(name, definition, variant, validated)


def _summarise(
    name: str,
    definition: str,
    loaded: LoadedAnalysis,
    validated: CrossValidation | None,
    reason: str | None = None,
) -> DefinitionResult:
    chosen = None if validated is None else validated.choice.name
    pooled: Performance | None = None
    if validated is not None:
        pooled = validated.procedure.pooled
    return DefinitionResult(
        name=name,
        definition=definition,
        n=loaded.sample.n,
        events=loaded.sample.events,
        left_out=sum(loaded.outcomes.left_out.values()),
        chosen=chosen,
        is_better=None
        if validated is None or not validated.differences
        else all(item.is_better for item in validated.differences),
        estimates={
            measure: make_missing_estimate(reason or "it was not validated")
            if pooled is None
            else pooled.estimates[measure]
            for measure in list_measures(Tier.TABLE)
        },
        predictors=() if validated is None else _order_features(loaded, validated),
        reason=reason,
    )


def _order_features(loaded: LoadedAnalysis, validated: CrossValidation) -> tuple[str, ...]:
    name = validated.choice.name
    pooled = [
        item for item in validated.results if (item.candidate, item.fold.design) == (name, "pooled")
    ]
    grouping = loaded.grouping
    table = collect_attributions(pooled, loaded.sample, method="", grouping=grouping).summarise()
    patient = table[table["is_patient"] & (table["mean_absolute"] > 0)]
    return tuple(patient["label"])
