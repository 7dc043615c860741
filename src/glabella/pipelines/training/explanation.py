"""The chosen candidate explained: what it uses, how sure that is, and beside what is published."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from glabella.analysis.attribution_methods import describe_attributions
from glabella.analysis.explanation_plan import list_seen_folds
from glabella.analysis.load import LoadedAnalysis
from glabella.explanation.attributions import Attributions, collect_attributions
from glabella.explanation.budget import Budget
from glabella.explanation.evidence import EvidenceComparison, compare_with_evidence
from glabella.explanation.noise import (
    Noise,
    export_permuted,
    measure_noise,
    restore_permuted,
)
from glabella.explanation.predictors import Pair, Predictor, measure_pairs, measure_predictors
from glabella.explanation.refits import (
    RefitSummary,
    SummariseRefit,
    export_refit,
    restore_refit,
)
from glabella.models.estimators.interface import Scale
from glabella.models.grouping import Grouping
from glabella.pipelines.training.cross_validation import CrossValidation
from glabella.tracking.runs import name_metric
from glabella.validation.adequacy.stability import refit_on_resamples
from glabella.validation.fitting.digest import Digester
from glabella.validation.fitting.runner import ONE_BY_ONE, Runner


@dataclass(frozen=True)
class ArmStep:
    """What an arm adds on average, against the first control.

    Parameters
    ----------
    arm, against : str
        Their words.
    value : float
        The difference of the mean attributions of the arm, each of its own held-out participants.
    scale : str
        Of the attributions.
    """

    arm: str
    against: str
    value: float
    scale: Scale

    @property
    def words(self) -> str:
        """The step as a sentence."""
        verb = "raises" if self.value > 0 else "lowers"
        if self.scale == "probability":
            size = f"by {100 * abs(self.value):.0f} percentage points"
            return f"Against {self.against}, {self.arm} {verb} the chance on average {size}."
        return (
            f"Against {self.against}, {self.arm} {verb} the odds of response on average "
            f"(x {math.exp(self.value):.2f})."
        )


@dataclass(frozen=True)
class Explanation:
    """What the chosen candidate uses, and how far that can be trusted.

    Parameters
    ----------
    attributions : Attributions
        Of held-out participants.
    members : Attributions
        The same for each feature alone, where some are shown as one.
    arms : tuple of ArmStep
        What each other arm adds against the first control.
    predictors : tuple of Predictor
        The patient's features, the most important first, then the arm.
    pairs : tuple of Pair
        The largest first.
    noise : Noise or None
        The importance of features that tell nothing, where it was measured.
    refits : int
        Bootstrap samples behind the intervals.
    rankings : DataFrame, shape (n_features, n_candidates)
        Each candidate's rank of each feature of the patient, by held-out attributions; missing
        where it does not use the feature. Indexed by the features' words.
    beside : tuple of EvidenceComparison
        Our predictors beside published ones.
    budget : Budget
        How much was done.
    """

    attributions: Attributions
    members: Attributions
    arms: tuple[ArmStep, ...]
    predictors: tuple[Predictor, ...]
    pairs: tuple[Pair, ...]
    noise: Noise | None
    refits: int
    rankings: pd.DataFrame
    beside: tuple[EvidenceComparison, ...]
    budget: Budget

    @property
    def patient(self) -> tuple[Predictor, ...]:
        """Those that are properties of the patient."""
        return tuple(item for item in self.predictors if item.is_patient)

    @property
    def beyond_noise(self) -> dict[str, bool | None]:
        """By feature of the patient, or group: whether it stands out; None where not tested."""
        return {item.feature: item.is_beyond_noise for item in self.patient}

    @property
    def standing(self) -> tuple[str, ...]:
        """The words of what stands out from noise."""
        return tuple(item.label for item in self.patient if item.is_beyond_noise)

    def describe(self) -> str:
        """Say what predicts, in a few sentences.

        Returns
        -------
        str
            What can't be told from noise is said first where that is all.
        """
        patient = self.patient
        used = [item for item in patient if (item.importance.value or 0.0) > 0.0]
        if not used:
            return "The chosen model uses no property of the patient, so there is no predictor."
        if self.noise is None or self.noise.threshold is None:
            why = f" ({self.noise.reason})" if self.noise is not None and self.noise.reason else ""
            return (
                f"Whether any predictor stands out from noise was not tested{why}: the order below "
                "may be chance."
            )
        beyond = [item for item in patient if item.is_beyond_noise]
        if not beyond:
            return (
                f"No predictor can be told from noise: features that tell nothing look as "
                f"important as all {len(patient)}. Nothing can be said of who responds."
            )
        named = "; ".join(f"{item.label}: {item.words}, {item.kind}" for item in beyond)
        words = f"{len(beyond)} of {len(patient)} features stand out from noise. {named}."
        turned = [item for item in beyond if item.reversed_in]
        for item in turned:
            words += f" {item.label} goes the other way in {', '.join(item.reversed_in)}."
        return words

    def list_metrics(self) -> dict[str, float]:
        """Name the figures for a tracking store.

        Returns
        -------
        dict of float
            Each feature's mean absolute attribution, the threshold of noise where there is one,
            and how many features of the patient stand out from it.
        """
        found = {
            f"importance.{name_metric(item.feature)}": item.importance.value
            for item in self.predictors
            if item.importance.value is not None
        }
        if self.noise is not None and self.noise.threshold is not None:
            found["importance.noise"] = self.noise.threshold
            found["importance.beyond_noise"] = float(
                sum(bool(item.is_beyond_noise) for item in self.patient)
            )
        return found

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values, without any participant's.

        Returns
        -------
        dict
            ``statement``, ``predictors``, ``arms``, ``pairs``, ``noise``, ``refits``, ``budget``
            (why there are fewer than by default), ``rankings``, ``evidence``.
        """
        noise = self.noise
        return {
            "statement": self.describe(),
            "method": self.attributions.method,
            "scale": self.attributions.scale,
            "refits": self.refits,
            "budget": self.budget.reason,
            "noise": None
            if noise is None
            else {
                "threshold": noise.threshold,
                "permutations": noise.permutations,
                "steps": noise.steps,
                "reason": noise.reason,
            },
            "predictors": [item.as_json() for item in self.predictors],
            "arms": [{**vars(item), "words": item.words} for item in self.arms],
            "pairs": [item.as_json() for item in self.pairs],
            "rankings": {
                str(candidate): {
                    str(label): None if np.isnan(rank) else int(rank)
                    for label, rank in column.items()
                }
                for candidate, column in self.rankings.items()
            },
            "evidence": [item.as_json() for item in self.beside],
        }


def describe_unexplained(reason: str) -> dict[str, Any]:
    """Give what stands for an explanation that there is none of.

    Parameters
    ----------
    reason : str
        Why.

    Returns
    -------
    dict
        As `Explanation.as_json` gives it, with nothing in it.
    """
    return {
        "statement": f"The chosen model is not explained: {reason}.",
        "method": "",
        "scale": "log odds",
        "refits": 0,
        "budget": "",
        "noise": None,
        "predictors": [],
        "arms": [],
        "pairs": [],
        "rankings": {},
        "evidence": [],
    }


def make_scope(loaded: LoadedAnalysis, chosen: str, part: str, digester: Digester) -> str:
    """Make the scope of a part of what the chosen candidate is refitted for."""
    analysis = loaded.analysis
    scope = digester.make_scope(
        {chosen: loaded.resolved.candidates[chosen].value},
        loaded.sample,
        analysis.seed,
        analysis.validation.inner_folds,
        analysis.validation.pooled.unit,
        sorted(loaded.grouping.groups.items()),
    )
    return scope + part


def refit_chosen(
    loaded: LoadedAnalysis,
    chosen: str,
    budget: Budget,
    runner: Runner = ONE_BY_ONE,
) -> list[RefitSummary | None]:
    """Refit the chosen candidate to bootstrap samples.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    chosen : str
        The chosen candidate.
    budget : Budget
        From `plan_for`: how many refits an explanation takes.
    runner : Runner
        Where refits run, and where finished ones are kept and found; the results do not
        depend on it.

    Returns
    -------
    list of RefitSummary or None
        For stability and for explanations, whichever asks for more; None where a sample gave no
        model.
    """
    analysis = loaded.analysis
    stability = analysis.validation.stability
    wanted = max(budget.refits, 0 if stability is None else stability.refits)
    if not wanted:
        return []
    return refit_on_resamples(
        loaded.resolved.candidates[chosen].value,
        loaded.trainer,
        SummariseRefit(loaded.grouping),
        refits=wanted,
        runner=runner.name_stage(f"refitting {chosen}"),
        unit=analysis.validation.pooled.unit,
        keeper=runner.make_keeper(
            partial(make_scope, loaded, chosen, "seen"), export_refit, restore_refit
        ),
    )


def explain_chosen(
    loaded: LoadedAnalysis,
    validated: CrossValidation,
    refits: Sequence[RefitSummary | None],
    budget: Budget,
    runner: Runner = ONE_BY_ONE,
) -> Explanation:
    """Explain the chosen candidate by its held-out attributions.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    validated : CrossValidation
        Predictions, attributions and choice.
    refits : sequence of RefitSummary or None
        From `refit_chosen`.
    budget : Budget
        From `plan_for`.
    runner : Runner
        Where permutations run, and where finished ones are kept and found; the results do not
        depend on it.

    Returns
    -------
    Explanation
        What is known of each predictor.
    """
    grouping, chosen = loaded.grouping, validated.choice.name
    attributions = _collect(loaded, validated, chosen, grouping)
    seen = [item.left_out for item in refits[: budget.refits] if item is not None]
    left_out = [item for item in seen if item is not None]
    noise = None
    if budget.permutations:
        noise = _measure_noise(loaded, validated, attributions, budget, runner)
    elif budget.reason:
        noise = Noise(None, np.empty(0), 0, 0, budget.reason)
    predictors = measure_predictors(attributions, loaded.sample, left_out, noise, grouping)
    return Explanation(
        attributions=attributions,
        members=_collect(loaded, validated, chosen, Grouping()),
        arms=compare_arms(loaded, attributions),
        predictors=predictors,
        pairs=measure_pairs(attributions, left_out),
        noise=noise,
        refits=len(left_out),
        rankings=_rank_candidates(loaded, validated, grouping, predictors),
        beside=_compare_with_evidence(loaded, predictors, grouping),
        budget=budget,
    )


def _measure_noise(
    loaded: LoadedAnalysis,
    validated: CrossValidation,
    attributions: Attributions,
    budget: Budget,
    runner: Runner,
) -> Noise:
    chosen, folds = validated.choice.name, list_seen_folds(loaded.plan)
    part = repr([fold.key for fold in folds]) + "noise"
    table = attributions.summarise()
    mine = table[table["is_patient"]]
    return measure_noise(
        loaded.resolved.candidates[chosen].value,
        loaded.trainer,
        folds,
        dict(zip(mine["feature"], mine["mean_absolute"], strict=True)),
        grouping=loaded.grouping,
        permutations=budget.permutations,
        runner=runner,
        keeper=runner.make_keeper(
            partial(make_scope, loaded, chosen, part), export_permuted, restore_permuted
        ),
    )


def compare_arms(loaded: LoadedAnalysis, attributions: Attributions) -> tuple[ArmStep, ...]:
    """Say what each arm adds on average against the first control.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    attributions : Attributions
        Of held-out participants.

    Returns
    -------
    tuple of ArmStep
        In the order of the analysis; empty where there is no control, or the model is not told
        the arm.
    """
    named = [name for name, mine in zip(attributions.features, attributions.is_patient, strict=True)
             if not mine]  # fmt: skip
    arms = loaded.analysis.arms
    means = {
        arm.name: float(
            attributions.values[
                loaded.sample.arm == arm.name, attributions.features.index(name)
            ].mean()
        )
        for name in named
        for arm in arms
        if (loaded.sample.arm == arm.name).any()
    }
    first = next((arm for arm in arms if arm.role == "control" and arm.name in means), None)
    if first is None:
        return ()
    words = {arm.name: arm.label or arm.name for arm in arms}
    return tuple(
        ArmStep(words[name], words[first.name], value - means[first.name], attributions.scale)
        for name, value in means.items()
        if name != first.name
    )


def _collect(
    loaded: LoadedAnalysis, validated: CrossValidation, name: str, grouping: Grouping
) -> Attributions:
    return collect_attributions(
        [
            item
            for item in validated.results
            if item.candidate == name
            and item.fold.design == "pooled"
            and item.contributions is not None
        ],
        loaded.sample,
        method=describe_attributions(
            loaded.resolved.candidates[name].value.estimator,
            loaded.analysis.explanation,
        ),
        grouping=grouping,
    )


def _rank_candidates(
    loaded: LoadedAnalysis,
    validated: CrossValidation,
    grouping: Grouping,
    predictors: Sequence[Predictor],
) -> pd.DataFrame:
    patient = [item for item in predictors if item.is_patient]
    columns: dict[str, list[float]] = {}
    for name, item in validated.candidates.items():
        if item.error is not None:
            continue
        table = _collect(loaded, validated, name, grouping).summarise().set_index("feature")
        sizes = table["mean_absolute"].reindex([each.feature for each in patient])
        used = sizes.where(sizes > 0)
        if used.notna().any():
            columns[name] = used.rank(ascending=False, method="first").tolist()
    return pd.DataFrame(columns, index=[item.label for item in patient], dtype=float)


def _compare_with_evidence(
    loaded: LoadedAnalysis, predictors: Sequence[Predictor], grouping: Grouping
) -> tuple[EvidenceComparison, ...]:
    resolved = loaded.resolved
    if resolved.evidence is None:
        return ()
    levels: Mapping[str, Sequence[str]] = {
        spec.name: list(spec.levels)
        for spec in loaded.sample.features.specs
        if spec.kind == "category"
    }
    return compare_with_evidence(
        resolved.evidence.value,
        predictors,
        {feature.name: feature.variable for feature in resolved.feature_set.value.features},
        levels,
        is_simulated=loaded.tables.origin == "simulated",
        grouping=grouping,
        labels={
            name: variable.label
            for name, variable in resolved.dictionary.value.variables.items()
            if variable.label
        },
    )
