"""The figures of a report, each with what it shows in words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.domain.outcome_words import OutcomeWords
from glabella.features.spec import FeatureSpec
from glabella.pipelines.training.attempts import Attempts
from glabella.pipelines.training.cross_validation import CrossValidation
from glabella.pipelines.training.explanation import Explanation
from glabella.pipelines.training.results import TrainingFigures
from glabella.reporting.figures.captioned import Captioned, PlannedFigure
from glabella.reporting.figures.drawing import drop_figures
from glabella.reporting.figures.predictors import draw_beeswarm, draw_dependence, draw_importance
from glabella.reporting.figures.training import (
    draw_calibration,
    draw_groups,
    draw_net_benefit,
    draw_roc,
)
from glabella.reporting.finding import format_estimate
from glabella.reporting.record import LEADING_PREDICTORS
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.calibration_curve import (
    CalibrationCurve,
    measure_calibration_error,
)
from glabella.validation.measures.net_benefit import measure_net_benefit
from glabella.validation.measures.performance import fit_curve


def draw_figures(
    loaded: LoadedAnalysis, measured: TrainingFigures, attempts: Attempts, *, left_out: str
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Draw every figure that there are numbers for.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    measured : TrainingFigures
        All figures.
    attempts : Attempts
        A figure that can't be drawn is noted there.
    left_out : str
        What is left out of training across: ``trial`` or ``site``.

    Returns
    -------
    tuple of dict of bytes and dict of str
        Images and the data behind them, and the captions of images, by file name.
    """
    note = "SIMULATED DATA" if loaded.tables.origin == "simulated" else ""
    figures: dict[str, bytes] = {}
    captions: dict[str, str] = {}
    for wanted in (
        *_draw_validation(loaded, measured.validated, left_out, note),
        *_draw_explanation(loaded, measured, note),
        *_plan_parts(measured, note),
    ):
        item = attempts.run(f"figure {wanted.stem}", wanted.draw, lambda failure: drop_figures())
        if item is not None:
            figures.update(item.drawn.name_files(wanted.stem))
            captions[f"{wanted.stem}.svg"] = item.caption
    return figures, captions


def _draw_validation(
    loaded: LoadedAnalysis, validated: CrossValidation, left_out: str, note: str
) -> Iterator[PlannedFigure]:
    sample, name = loaded.sample, validated.choice.name
    words = loaded.endpoint.outcome_words
    pooled = {key: validated.select(key, "pooled") for key in validated.predictions}
    if validated.against_chosen:
        pooled["the procedure"] = validated.select_procedure("pooled", sample)
    yield PlannedFigure(
        "roc",
        lambda: Captioned(
            draw_roc(pooled, sample, note=note, words=words),
            "ROC curves of the out-of-fold predictions of all repetitions together. Trials and "
            "folds are mixed here, so that knowing the arm or the trial raises a curve; the "
            "concordance in the table compares within them.",
        ),
    )
    headline = "the procedure" if validated.against_chosen else name
    mine = validated.select_procedure("pooled", sample)
    yield PlannedFigure(
        "calibration", lambda: _draw_calibration(mine, sample, headline, note, words)
    )
    yield PlannedFigure(
        "net_benefit", lambda: _draw_net_benefit(mine, sample, headline, note, words)
    )
    yield PlannedFigure("groups", lambda: _draw_groups(validated, headline, left_out, note))


def _draw_calibration(
    predictions: pd.DataFrame, sample: Sample, name: str, note: str, words: OutcomeWords
) -> Captioned:
    curve = fit_curve(predictions, sample)
    return Captioned(
        draw_calibration(predictions, sample, curve, title=name, note=note, words=words),
        f"Calibration of {name}{' within the active arms' if sample.has_arms else ''}. The smooth "
        "curve uses every out-of-fold prediction, with participants as clusters; for the groups, "
        "and for the predictions shown below the curve, each participant's predictions are "
        f"averaged over repetitions. {_describe_distance(curve)}",
    )


def _draw_net_benefit(
    predictions: pd.DataFrame, sample: Sample, name: str, note: str, words: OutcomeWords
) -> Captioned | None:
    curve = measure_net_benefit(predictions, sample)
    drawn = draw_net_benefit(curve, title=name, note=note, words=words)
    if drawn is None:
        return None
    return Captioned(drawn, _describe_net_benefit(name, words, has_arms=sample.has_arms))


def _draw_groups(
    validated: CrossValidation, headline: str, left_out: str, note: str
) -> Captioned | None:
    drawn = draw_groups(validated.procedure, left_out=left_out, note=note)
    if drawn is None:
        return None
    return Captioned(
        drawn,
        f"Headline concordance of {headline} by {left_out}. A {left_out} with fewer than five of a "
        "class has no estimate. The diamond is the random-effects mean with each left out; the "
        f"lines below it are the prediction intervals for a new {left_out}, one for each prior.",
    )


def _draw_explanation(
    loaded: LoadedAnalysis, measured: TrainingFigures, note: str
) -> Iterator[PlannedFigure]:
    explained, name = measured.explained, measured.chosen
    if explained is None:
        return
    attributions = explained.attributions
    yield PlannedFigure(
        "importance",
        lambda: Captioned(
            draw_importance(
                explained.predictors, explained.noise, scale=attributions.scale, note=note
            ),
            f"How much {name} uses each feature: the mean absolute attribution of held-out "
            f"participants{_describe_spread(explained)}. Hollow or grey: not distinguished "
            "from noise, or no property of the patient.",
        ),
    )
    yield PlannedFigure(
        "beeswarm",
        lambda: Captioned(
            draw_beeswarm(attributions, note=note),
            f"Attributions of {name}: one point for each participant, from models that did not "
            "learn from this participant. Colour is the value's rank within the feature; grey if "
            "values have no order, and for the arm. The data are of bins of at least ten "
            "participants.",
        ),
    )
    specs = {spec.name: spec for spec in loaded.sample.features.specs}
    grouping = loaded.grouping
    for number, item in enumerate(explained.patient[:LEADING_PREDICTORS], 1):
        if not item.importance.value:
            continue
        # Of a group, each of its features over its own values.
        members = grouping.list_members(item.feature)
        for place, member in enumerate(members, 1):
            yield PlannedFigure(
                f"dependence_{number}" if len(members) == 1 else f"dependence_{number}_{place}",
                partial(_draw_dependence, explained, loaded.sample, specs[member], name, note),
            )


def _draw_dependence(
    explained: Explanation, sample: Sample, spec: FeatureSpec, name: str, note: str
) -> Captioned:
    return Captioned(
        draw_dependence(explained.members, sample, spec.name, spec, note=note),
        f"{spec.label}: attributions of {name} by value, for held-out participants. Vertical "
        "scatter comes from other features and from differences between folds. "
        "The data are of bins of at least ten participants.",
    )


def _plan_parts(measured: TrainingFigures, note: str) -> Iterator[PlannedFigure]:
    for part in measured.parts.values():
        if part is not None:
            yield from part.plan_figures(measured.chosen, note)


def _describe_spread(explained: Explanation) -> str:
    noise = explained.noise
    words = (
        f", with the range over {explained.refits} refits to bootstrap samples"
        if explained.refits
        else ""
    )
    if noise is not None and noise.threshold is not None:
        words += (
            f". The grey band contains the importance of the most important permuted feature in "
            f"95 % of {noise.permutations} permutations"
        )
    return words


def _describe_distance(curve: CalibrationCurve) -> str:
    if curve.reason is not None:
        return f"There is no smooth curve: {curve.reason}."
    error = measure_calibration_error(curve)
    return (
        f"Mean distance of a prediction from the curve (ICI) {format_estimate(error.ici)}; half "
        f"are within {format_estimate(error.e50)} (E50) and nine in ten within "
        f"{format_estimate(error.e90)} (E90). The bounds come from the curves inside the band."
    )


def _describe_net_benefit(name: str, words: OutcomeWords, *, has_arms: bool) -> str:
    among = "the participants of the active arm" if has_arms else "the participants"
    return (
        f"Net benefit of treating the participants whose prediction by {name} is at least the "
        f"threshold, among {among}: {words.having} treated per participant, minus treated "
        f"{words.lacking} weighted by threshold / (1 - threshold). Bands are pointwise, at 95 %, "
        f"with participants as the unit. {name} is useful at thresholds at which the gain is above "
        "0 (Vickers and Elkin 2006)."
    )
