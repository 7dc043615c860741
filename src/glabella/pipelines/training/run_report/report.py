"""From a finished run to the record that the report is written from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from glabella.analysis.definition import RepeatedFolds
from glabella.analysis.estimand import describe_estimand
from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.data.checks import group_findings
from glabella.domain.small_counts import (
    suppress_count,
    suppress_words,
)
from glabella.explanation.attributions import ADDITIVITY_TOLERANCE, Attributions
from glabella.pipelines.training.attempts import Attempts
from glabella.pipelines.training.cross_validation import CrossValidation
from glabella.pipelines.training.parts.external_validation import External
from glabella.pipelines.training.parts.permutation_tests import Permutations
from glabella.pipelines.training.results import TrainingFigures
from glabella.pipelines.training.run_report.figures import draw_figures
from glabella.pipelines.training.run_report.gate_figures import collect_gate_figures
from glabella.pipelines.training.run_report.participants import (
    describe_missing,
    tabulate_participants,
)
from glabella.reporting.finding import write_finding
from glabella.reporting.record import RunRecord
from glabella.tracking.history import History
from glabella.validation.across_trials.stated_directions import judge_directions
from glabella.validation.fitting.training_part import TunedModel
from glabella.validation.folds.splits import count_classes


def make_record(
    loaded: LoadedAnalysis,
    measured: TrainingFigures,
    tuned: TunedModel,
    provenance: Mapping[str, Any],
    attempts: Attempts,
    *,
    history: History,
) -> tuple[RunRecord, dict[str, bytes]]:
    """Gather what the report shows, and draw its figures.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    measured : TrainingFigures
        All figures.
    tuned : TunedModel
        The last fit.
    provenance : mapping
        Hashes, seed and versions.
    attempts : Attempts
        What failed, and is named in the report; what fails here is noted as well.
    history : History
        Which training on the same outcome and data it is.

    Returns
    -------
    tuple of RunRecord and dict of bytes
        The record, and the figures by file name.
    """
    validated, across = measured.validated, _name_left_out(loaded.analysis.validation.across)
    left_out = across or "trial"
    figures, captions = draw_figures(loaded, measured, attempts, left_out=left_out)
    directions = attempts.run(
        "directions stated beforehand", lambda: _tabulate_directions(loaded), lambda failure: []
    )
    # What promotion is judged by is no part to do without: a run that lacks it can't be promoted.
    promotion = attempts.run_optional(
        "figures of the gate", lambda: collect_gate_figures(loaded, validated)
    )
    content: dict[str, Any] = {
        **_describe_analysis(loaded),
        **_describe_validation(loaded, measured, across),
        "caveats": [
            *_list_caveats(loaded, validated),
            *([history.describe()] if history.number > 1 else []),
        ],
        "explanation": {
            **measured.describe_explanation_as_json(),
            "method": ""
            if measured.explained is None
            else _describe_method(measured.chosen, measured.explained.attributions),
        },
        "directions": directions,
        "left_out_unit": left_out,
        "history": history.as_json(),
        "provenance": {**provenance, "setting": _describe_settings(loaded, measured.chosen, tuned)},
        "figures": captions,
        "promotion": promotion,
    }
    content = attempts.drop_non_finite(content)
    plain_parts = attempts.drop_non_finite(measured.describe_parts_as_json())
    content["caveats"] = [
        *map(suppress_words, content["caveats"]),
        *(item.describe() for item in attempts.failed),
    ]
    record = RunRecord(
        **content, parts=plain_parts, failed=[item.as_json() for item in attempts.failed]
    )
    return record, figures


def _describe_analysis(loaded: LoadedAnalysis) -> dict[str, Any]:
    """Describe question, outcome and participants."""
    analysis = loaded.analysis
    counts = loaded.outcomes.left_out
    return {
        "analysis": loaded.resolved.name,
        "description": analysis.description,
        "origin": loaded.tables.origin,
        "endpoint": analysis.endpoint.describe(),
        "event": analysis.endpoint.outcome_words.event,
        "estimand": describe_estimand(loaded),
        "participants": tabulate_participants(loaded),
        "left_out": {reason: suppress_count(count) for reason, count in counts.items()},
        "data_notes": [
            suppress_words(f"{item.place}: {item.finding}.")
            for item in group_findings(loaded.tables.findings)
        ],
        "arms": {arm.name: arm.label or arm.name for arm in analysis.arms},
    }


def _describe_validation(
    loaded: LoadedAnalysis, measured: TrainingFigures, across: str | None
) -> dict[str, Any]:
    """Describe the finding, the choice, and the performance of candidates and procedure."""
    validated, chosen = measured.validated, measured.chosen
    external, permutations = measured.find(External), measured.find(Permutations)
    return {
        "finding": write_finding(
            chosen,
            validated.procedure,
            validated.differences,
            has_choice=bool(validated.against_chosen),
            is_simulated=loaded.tables.origin == "simulated",
            has_arms=loaded.sample.has_arms,
            across=across,
            external=None if external is None else external.headline,
            anything=None if permutations is None else permutations.anything,
            missing=describe_missing(loaded),
            words=loaded.analysis.endpoint.outcome_words,
            labels={
                name: read.value.label or name for name, read in loaded.resolved.candidates.items()
            },
        ),
        "chosen": chosen,
        "choice": validated.choice.rule,
        "candidates": {
            name: {"description": item.description, **item.as_json()}
            for name, item in validated.candidates.items()
        },
        "differences": _tabulate_differences(validated),
        "procedure": measured.procedure.as_json(),
        "designs": _describe_designs(loaded, chosen),
    }


def _describe_settings(loaded: LoadedAnalysis, chosen: str, tuned: TunedModel) -> str:
    """Say which settings cross-validation took for the model that is kept."""
    settings = [_describe_setting(key, value) for key, value in tuned.setting.items()]
    if settings:
        return f"{', '.join(settings)} ({_describe_tuning(loaded, chosen)})"
    return _describe_tuning(loaded, chosen)


def _describe_tuning(loaded: LoadedAnalysis, chosen: str) -> str:
    """Say what is tuned, for the chosen candidate first."""
    candidates, folds = loaded.resolved.candidates, loaded.analysis.validation
    tuned = [name for name, read in candidates.items() if read.value.search]
    how = f"tuned by {folds.inner_folds}-fold cross-validation inside each training part"
    unit = _describe_inner(folds.pooled.unit)
    if chosen in tuned:
        return f"settings of {chosen} {how}{unit}"
    words = f"{chosen} has no settings that cross-validation tunes"
    return f"{words}; those of {', '.join(tuned)} are {how}{unit}" if tuned else words


def _describe_setting(name: str, value: object) -> str:
    return f"{name} {value:.4g}" if isinstance(value, int | float) else f"{name} {value}"


def _tabulate_differences(validated: CrossValidation) -> list[dict[str, Any]]:
    return [
        {
            "candidate": item.candidate,
            "against": item.against,
            "value": item.log_loss.value,
            "low": item.log_loss.low,
            "high": item.log_loss.high,
            "is_better": item.is_better,
        }
        for item in validated.differences
    ]


def _name_left_out(across: str | None) -> str | None:
    return None if across is None else across.split("_")[2]


def _list_caveats(loaded: LoadedAnalysis, validated: CrossValidation) -> list[str]:
    caveats = []
    if loaded.tables.origin == "simulated":
        caveats.append("Agreement with published predictors is by construction.")
    failed = [item.name for item in validated.candidates.values() if item.error is not None]
    caveats += [f"The candidate {name} failed and has no figures." for name in failed]
    caveats += [
        f"Not validated inside trial {trial}: {reason}."
        for trial, reason in loaded.plan.infeasible.items()
    ]
    return caveats


def _tabulate_directions(loaded: LoadedAnalysis) -> list[dict[str, Any]]:
    features = loaded.resolved.feature_set.value.features
    sources = {
        feature.name: loaded.resolved.dictionary.value.find(feature.variable).direction
        for feature in features
    }
    return [
        {
            "feature": item.feature,
            "label": item.label,
            "stated": item.stated,
            "source": stated.source,
            "concordance": item.concordance.as_json(),
            "verdict": item.verdict,
        }
        for item in judge_directions(loaded.sample)
        for stated in [sources[item.feature]]
        if stated is not None
    ]


def _describe_method(name: str, attributions: Attributions) -> str:
    return (
        f"What {name} used: {attributions.method}, on the scale of the {attributions.scale}. "
        "Values are of held-out participants, from the models of cross-validation that never saw "
        "them, averaged over repetitions; each row adds up to the prediction to "
        f"{ADDITIVITY_TOLERANCE:g}, checked at every run."
    )


def _describe_designs(loaded: LoadedAnalysis, chosen: str) -> dict[str, str]:
    design = loaded.analysis.validation
    words = {
        "pooled": f"{_describe_folds(design.pooled)} over all participants, "
        f"{_describe_split(design.pooled)}; {_describe_tuning(loaded, chosen)}. "
        "The estimate is of the expected performance of the procedure at "
        f"n = {_count_training(loaded, 'pooled')}, the size of a training part."
        f"{_describe_one_class(loaded, 'pooled')}"
    }
    if design.inside is not None:
        words["inside"] = (
            f"{_describe_folds(design.inside)} within each trial alone, "
            f"{_describe_split(design.inside)}: see Trial by trial."
            f"{_describe_one_class(loaded, 'inside')}"
        )
    if design.across is not None:
        unit = design.across.split("_")[2]
        words["across"] = (
            f"Each {unit} left out once, predicted by a model trained on the others, whose tuning "
            f"leaves {unit}s out in turn as well: the expected performance of the procedure in a "
            f"new {unit} at n = {_count_training(loaded, 'across')}, the mean size of a training "
            f"part. {_describe_new_trial(loaded, unit)} Intervals are of the mean over such "
            f"{unit}s; a prediction interval for a new {unit} is under Trial by trial."
            f"{_describe_one_class(loaded, 'across')}"
        )
    return words


def _describe_folds(design: RepeatedFolds) -> str:
    times = "One repetition" if design.repeats == 1 else f"{design.repeats} repetitions"
    return f"{times} of {design.folds}-fold cross-validation"


def _describe_split(design: RepeatedFolds) -> str:
    if design.unit == "participant":
        return "stratified by trial and arm"
    return f"whole {design.unit}s to a fold, outcomes as evenly as they allow"


def _describe_inner(unit: str) -> str:
    return "" if unit == "participant" else f", whole {unit}s to a fold"


def _count_training(loaded: LoadedAnalysis, design: str) -> int:
    sizes = [len(fold.train) for fold in loaded.plan.folds if fold.design == design]
    return round(float(np.mean(sizes)))


def _describe_one_class(loaded: LoadedAnalysis, design: str) -> str:
    """Say what becomes of held-out parts without both classes."""
    mine = [fold for fold in loaded.plan.folds if fold.design == design]
    alone = sum(min(count_classes(loaded.sample.labels[fold.test])) == 0 for fold in mine)
    if not alone:
        return ""
    return (
        f" {alone} of {len(mine)} held-out parts hold one class: they have no pairs for a "
        "concordance, and count in all other measures."
    )


def _describe_new_trial(loaded: LoadedAnalysis, unit: str) -> str:
    """Say with which intercept a new trial starts."""
    centred = any(
        read.value.settings.get("centring") == "trial"
        for name, read in loaded.resolved.candidates.items()
        if name not in loaded.resolved.references
    )
    words = (
        f"No candidate that could be chosen has a separate intercept for each {unit}: a new "
        f"{unit} gets the common one, and a different rate of response there appears as a "
        "calibration intercept."
    )
    if centred:
        words += (
            " Features that are centred within trial are centred at the mean over trials in a new "
            "trial."
        )
    return words
