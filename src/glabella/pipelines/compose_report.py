"""From a finished run to the record that the report is written from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from glabella.data.checks import group_findings
from glabella.explanation.attributions import ADDITIVITY_TOLERANCE, Attributions
from glabella.pipelines.analysis import RepeatedFolds
from glabella.pipelines.choice import Procedure
from glabella.pipelines.estimand import describe_estimand
from glabella.pipelines.explain import Explained, make_grouping
from glabella.pipelines.external import External
from glabella.pipelines.gate_figures import collect_gate_figures
from glabella.pipelines.learning_curve import ChosenLearningCurve
from glabella.pipelines.limits import Limits
from glabella.pipelines.load import LoadedAnalysis
from glabella.pipelines.permutations import Permutations
from glabella.pipelines.sensitivity import Sensitivity
from glabella.pipelines.stability import ChosenStability
from glabella.pipelines.validate import FoldPlan, Validated
from glabella.reporting.drawing import Drawn
from glabella.reporting.figures import (
    draw_calibration,
    draw_groups,
    draw_net_benefit,
    draw_roc,
)
from glabella.reporting.finding import format_estimate, write_finding
from glabella.reporting.learning_curve_figure import draw_learning_curve
from glabella.reporting.predictor_figures import draw_beeswarm, draw_dependence, draw_importance
from glabella.reporting.record import LEADING_PREDICTORS, RunRecord
from glabella.reporting.stability_figure import draw_stability
from glabella.tracking.history import History
from glabella.validation.calibration_curve import CalibrationCurve, measure_calibration_error
from glabella.validation.directions import hold_directions
from glabella.validation.nested import TunedModel
from glabella.validation.net_benefit import measure_net_benefit
from glabella.validation.performance import fit_curve
from glabella.validation.sample import Sample
from glabella.validation.splits import count_classes


def compose_record(
    loaded: LoadedAnalysis,
    validated: Validated,
    tuned: TunedModel,
    provenance: Mapping[str, Any],
    *,
    procedure: Procedure,
    explained: Explained,
    sensitivity: Sensitivity | None = None,
    limits: Limits | None = None,
    history: History | None = None,
    permutations: Permutations | None = None,
    stability: ChosenStability | None = None,
    external: External | None = None,
    learning_curve: ChosenLearningCurve | None = None,
) -> tuple[RunRecord, dict[str, bytes]]:
    """Gather what the report shows, and draw its figures.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    validated : Validated
        Figures, predictions and choice.
    tuned : TunedModel
        The last fit.
    provenance : mapping
        Hashes, seed and versions.
    procedure : Procedure
        The figures corrected for the choice, and the optimism of the last fit.
    explained : Explained
        The predictors of the chosen candidate.
    sensitivity : Sensitivity, optional
        The analysis under other definitions of its endpoint.
    limits : Limits, optional
        What rules that know the truth reach.
    history : History, optional
        Which training on the same outcome and data it is; the first unless stated.
    permutations : Permutations, optional
        Whether there is anything to find.
    stability : ChosenStability, optional
        The chosen candidate refitted to bootstrap samples.
    external : External, optional
        The trials that had no part in anything else.
    learning_curve : ChosenLearningCurve, optional
        What the chosen candidate reaches with fewer participants, and would with more.

    Returns
    -------
    tuple of RunRecord and dict of bytes
        The record, and the figures by file name.
    """
    resolved = loaded.resolved
    analysis, name = resolved.analysis.value, validated.choice.name
    is_simulated = loaded.tables.origin == "simulated"
    left_out = _name_left_out(analysis.validation.across)
    figures, captions = _draw(loaded, validated, explained, left_out or "trial")
    note = "SIMULATED DATA" if is_simulated else ""
    if stability is not None:
        drawn = draw_stability(stability.measured, title=name, note=note)
        figures.update(drawn.name_files("stability"))
        captions["stability.svg"] = (
            f"Stability of {name}: each participant's predictions by refits to bootstrap samples, "
            "tuning included, against the model's own; and how the refits' predictions are "
            "calibrated on the original participants."
        )
    if learning_curve is not None:
        drawn = draw_learning_curve(learning_curve.measured, title=name, note=note)
        figures.update(drawn.name_files("learning_curve"))
        captions["learning_curve.svg"] = (
            f"Learning curve of {name}: out-of-fold log loss and concordance by the participants "
            "learnt from, tuning included; bars are 95 % intervals over participants. Hollow: "
            "what would be expected with two and four times as many, where it can be said."
        )
    record = RunRecord(
        analysis=resolved.name,
        description=analysis.description,
        origin=loaded.tables.origin,
        endpoint=analysis.endpoint.describe(),
        estimand=describe_estimand(loaded),
        finding=write_finding(
            name,
            validated.procedure,
            validated.differences,
            has_choice=bool(validated.against_chosen),
            is_simulated=is_simulated,
            has_arms=loaded.sample.has_arms,
            across=left_out,
            external=None if external is None else external.headline,
        ),
        caveats=[
            *_list_caveats(loaded, validated),
            *([history.describe()] if history is not None and history.number > 1 else []),
        ],
        participants=_tabulate_participants(loaded),
        left_out=loaded.outcomes.left_out,
        data_notes=[
            f"{item.place}: {item.finding}." for item in group_findings(loaded.tables.findings)
        ],
        chosen=name,
        choice=validated.choice.rule,
        arms={arm.name: arm.label or arm.name for arm in analysis.arms},
        candidates={
            key: {"description": item.description, **item.as_json()}
            for key, item in validated.candidates.items()
        },
        differences=_tabulate_differences(validated),
        procedure=procedure.as_json(),
        sensitivity=None if sensitivity is None else sensitivity.as_json(),
        limits=None if limits is None else limits.as_json(),
        permutations=None if permutations is None else permutations.as_json(),
        stability=None if stability is None else stability.as_json(),
        external=None if external is None else external.as_json(),
        learning_curve=None if learning_curve is None else learning_curve.as_json(),
        explanation={
            **explained.as_json(),
            "method": _describe_method(name, explained.attributions),
        },
        directions=_tabulate_directions(loaded),
        left_out_unit=left_out or "trial",
        designs=_describe_designs(loaded, validated.plan, name),
        history=(history or History(1)).as_json(),
        provenance={
            **provenance,
            "setting": _describe_settings(loaded, name, tuned),
        },
        figures=captions,
        promotion=collect_gate_figures(loaded, validated),
    )
    return record, figures


def _describe_settings(loaded: LoadedAnalysis, chosen: str, tuned: TunedModel) -> str:
    """Say which settings cross-validation took for the model that is kept."""
    settings = [_describe_setting(key, value) for key, value in tuned.setting.items()]
    if settings:
        return f"{', '.join(settings)} ({_describe_tuning(loaded, chosen)})"
    return _describe_tuning(loaded, chosen)


def _describe_tuning(loaded: LoadedAnalysis, chosen: str) -> str:
    """Say what is tuned, for the chosen candidate first."""
    candidates, folds = loaded.resolved.candidates, loaded.resolved.analysis.value.validation
    tuned = [name for name, read in candidates.items() if read.value.search]
    how = f"tuned by {folds.inner_folds}-fold cross-validation inside each training part"
    unit = _describe_inner(folds.pooled.unit)
    if chosen in tuned:
        return f"settings of {chosen} {how}{unit}"
    words = f"{chosen} has no settings that cross-validation tunes"
    return f"{words}; those of {', '.join(tuned)} are {how}{unit}" if tuned else words


def _describe_setting(name: str, value: object) -> str:
    return f"{name} {value:.4g}" if isinstance(value, int | float) else f"{name} {value}"


def _tabulate_differences(validated: Validated) -> list[dict[str, Any]]:
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


def _draw(
    loaded: LoadedAnalysis, validated: Validated, explained: Explained, left_out: str
) -> tuple[dict[str, bytes], dict[str, str]]:
    sample, name = loaded.sample, validated.choice.name
    note = "SIMULATED DATA" if loaded.tables.origin == "simulated" else ""
    pooled = {key: validated.select(key, "pooled") for key in validated.predictions}
    curve = fit_curve(pooled[name], sample)
    calibration = draw_calibration(pooled[name], sample, curve, title=name, note=note)
    figures = {
        **draw_roc(pooled, sample, note=note).name_files("roc"),
        **calibration.name_files("calibration"),
    }
    captions = {
        "roc.svg": "ROC curves of the out-of-fold predictions of all repetitions together. What "
        "only knows arm or trial still bends a curve here, where trials and folds are mixed; the "
        "table's concordance compares like with like.",
        "calibration.svg": f"Calibration of {name}: the smooth curve is of every out-of-fold "
        "prediction, participants as clusters, and in groups and below a participant's predictions "
        f"are averaged over repetitions. {_describe_distance(curve)}",
    }
    net_benefit = draw_net_benefit(measure_net_benefit(pooled[name], sample), title=name, note=note)
    if net_benefit is not None:
        figures.update(net_benefit.name_files("net_benefit"))
        captions["net_benefit.svg"] = _describe_net_benefit(name, sample.has_arms)
    headline = "the procedure" if validated.against_chosen else name
    groups = draw_groups(validated.procedure, left_out=left_out, note=note)
    if groups is not None:
        figures.update(groups.name_files("groups"))
        captions["groups.svg"] = (
            f"Headline concordance of {headline} by {left_out}. A {left_out} with under five of a "
            "class has no figure. The diamond is the random-effects mean with each left out, the "
            f"lines below it what a new {left_out} will show, by each prior of the table."
        )
    importance = draw_importance(
        explained.predictors, explained.noise, scale=explained.attributions.scale, note=note
    )
    figures.update(importance.name_files("importance"))
    captions["importance.svg"] = (
        f"How much {name} uses each feature: the mean absolute attribution of held-out "
        f"participants{_describe_spread(explained)}. Hollow or grey: not told from noise, or no "
        "property of the patient."
    )
    figures.update(draw_beeswarm(explained.attributions, note=note).name_files("beeswarm"))
    captions["beeswarm.svg"] = (
        f"Attributions of {name}: a point a participant, held out by every model that explains "
        "it. Colour is the value's rank within the feature; grey where values have no order, and "
        "for the arm. The data are of bins of at least ten participants."
    )
    for stem, label, drawn in _draw_dependences(loaded, explained, note):
        figures.update(drawn.name_files(stem))
        captions[f"{stem}.svg"] = (
            f"{label}: what {name} makes of each value, for held-out participants. "
            "Vertical spread is other features' part and the differences between folds. "
            "The data are of bins of at least ten participants."
        )
    return figures, captions


def _draw_dependences(
    loaded: LoadedAnalysis, explained: Explained, note: str
) -> Iterator[tuple[str, str, Drawn]]:
    """Draw each leading predictor over its values; of a group, each of its features."""
    specs = {spec.name: spec for spec in loaded.sample.features.specs}
    grouping = make_grouping(loaded)
    for number, item in enumerate(explained.patient[:LEADING_PREDICTORS], 1):
        if not item.importance.value:
            continue
        members = grouping.list_members(item.feature)
        for place, name in enumerate(members, 1):
            drawn = draw_dependence(explained.members, loaded.sample, name, specs[name], note=note)
            stem = f"dependence_{number}" if len(members) == 1 else f"dependence_{number}_{place}"
            yield stem, specs[name].label, drawn


def _describe_spread(explained: Explained) -> str:
    noise = explained.noise
    words = (
        f", with the spread over {explained.refits} refits to bootstrap samples"
        if explained.refits
        else ""
    )
    if noise is not None and noise.threshold is not None:
        words += (
            f". In the grey band lies what the most important of features that tell nothing "
            f"reaches in 95 % of {noise.permutations} permutations"
        )
    return words


def _describe_distance(curve: CalibrationCurve) -> str:
    if curve.reason is not None:
        return f"There is no smooth curve: {curve.reason}."
    error = measure_calibration_error(curve)
    return (
        f"Mean distance of a prediction from the curve (ICI) {format_estimate(error.ici)}; half "
        f"are within {format_estimate(error.e50)} (E50) and nine in ten within "
        f"{format_estimate(error.e90)} (E90). The bounds are of the curves inside the band."
    )


def _describe_net_benefit(name: str, has_arms: bool) -> str:
    among = "the participants of the active arm" if has_arms else "the participants"
    return (
        f"Net benefit of treating whom {name} gives at least the threshold, in responders treated "
        f"per participant, among {among}: who would not respond and is treated counts threshold / "
        "(1 - threshold) against. Bands are pointwise, at 95 %, with participants as the unit. "
        f"{name} is of use at thresholds where the gain is above 0 (Vickers and Elkin 2006)."
    )


def _list_caveats(loaded: LoadedAnalysis, validated: Validated) -> list[str]:
    caveats = []
    if loaded.tables.origin == "simulated":
        caveats.append("Where ours agree with published predictors, that is by construction.")
    failed = [item.name for item in validated.candidates.values() if item.error is not None]
    caveats += [f"The candidate {name} failed and has no figures." for name in failed]
    caveats += [
        f"Not validated inside trial {trial}: {reason}."
        for trial, reason in validated.plan.infeasible.items()
    ]
    return caveats


def _tabulate_participants(loaded: LoadedAnalysis) -> list[dict[str, Any]]:
    table = loaded.tables.participants[["studyid"]].copy()
    table["responded"] = loaded.expected
    arms = loaded.resolved.analysis.value.arms
    names = {code: arm.label or arm.name for arm in arms for code in arm.all_codes}
    table["arm"] = loaded.tables.participants["arm"].map(names) if arms else "all"
    is_imputed = loaded.outcomes.imputation is not None
    rows = []
    for (trial, arm), group in table.groupby(["studyid", "arm"], sort=False)["responded"]:
        rows.append(
            {
                "trial": str(trial),
                "arm": str(arm),
                "n": int(group.notna().sum()),
                "events": round(float(group.sum()), 1) if is_imputed else int(group.sum()),
                "left_out": int(group.isna().sum()),
            }
        )
    return rows


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
            "concordance": {
                "value": item.concordance.value,
                "low": item.concordance.low,
                "high": item.concordance.high,
                "reason": item.concordance.reason,
            },
            "verdict": item.verdict,
        }
        for item in hold_directions(loaded.sample)
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


def _describe_designs(loaded: LoadedAnalysis, plan: FoldPlan, chosen: str) -> dict[str, str]:
    design = loaded.resolved.analysis.value.validation
    words = {
        "pooled": f"{_describe_folds(design.pooled)} over all participants, "
        f"{_describe_split(design.pooled)}; {_describe_tuning(loaded, chosen)}. "
        "The estimate is of the expected performance of the procedure at "
        f"n = {_count_training(plan, 'pooled')}, the size of a training part."
        f"{_describe_one_class(loaded.sample, plan, 'pooled')}"
    }
    if design.inside is not None:
        words["inside"] = (
            f"{_describe_folds(design.inside)} within each trial alone, "
            f"{_describe_split(design.inside)}: see Trial by trial."
            f"{_describe_one_class(loaded.sample, plan, 'inside')}"
        )
    if design.across is not None:
        unit = design.across.split("_")[2]
        words["across"] = (
            f"Each {unit} left out once, predicted by a model trained on the others, whose tuning "
            f"leaves {unit}s out in turn as well: the expected performance of the procedure in a "
            f"new {unit} at n = {_count_training(plan, 'across')}, the mean size of a training "
            f"part. {_describe_new_trial(loaded, unit)} The interval is of these {unit}s' "
            f"participants; how much a new {unit} may differ is not in it."
            f"{_describe_one_class(loaded.sample, plan, 'across')}"
        )
    return words


def _describe_folds(design: RepeatedFolds) -> str:
    times = "One repetition" if design.repeats == 1 else f"{design.repeats} repetitions"
    return f"{times} of {design.folds}-fold cross-validation"


def _describe_split(design: RepeatedFolds) -> str:
    if design.unit == "participant":
        return "stratified by trial, arm and outcome"
    return f"whole {design.unit}s to a fold, outcomes as evenly as they allow"


def _describe_inner(unit: str) -> str:
    return "" if unit == "participant" else f", whole {unit}s to a fold"


def _count_training(plan: FoldPlan, design: str) -> int:
    sizes = [len(fold.train) for fold in plan.folds if fold.design == design]
    return round(float(np.mean(sizes)))


def _describe_one_class(sample: Sample, plan: FoldPlan, design: str) -> str:
    """Say what becomes of held-out parts without both classes."""
    mine = [fold for fold in plan.folds if fold.design == design]
    alone = sum(min(count_classes(sample.labels[fold.test])) == 0 for fold in mine)
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
        f"No candidate that could be chosen has an intercept of its own for a {unit}: a new one "
        "receives the common one, and its own rate of response shows as a calibration intercept."
    )
    if centred:
        words += (
            " Where features are centred within trial, a new trial's are centred at the mean over "
            "trials."
        )
    return words
