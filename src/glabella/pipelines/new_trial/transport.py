"""How a model does in a new trial, and where a difference from its training comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import expit

from glabella.bundle.load import Bundle
from glabella.domain.outcome_words import OutcomeWords
from glabella.domain.small_counts import FEWEST_TOLD
from glabella.pipelines.new_trial.read_table import NewTrial
from glabella.pipelines.new_trial.results import TrialValidation
from glabella.reporting.verdict import PredictionInterval, write_verdict
from glabella.validation.across_trials.case_mix import (
    CaseMix,
    TrialLikeness,
    compute_expected_concordance,
    measure_likeness,
)
from glabella.validation.across_trials.recalibration import UpdateChoice, choose_update
from glabella.validation.measures.performance import Performance, measure_performance


def validate_trial(
    trial: NewTrial, bundle: Bundle, promised: PredictionInterval
) -> TrialValidation:
    """Measure a model in a new trial, and compare it with its training.

    Parameters
    ----------
    trial : NewTrial
        Participants with predictions.
    bundle : Bundle
        The model.
    promised : PredictionInterval
        What its training said of a new trial.

    Returns
    -------
    TrialValidation
        With a verdict.
    """
    performance = measure_performance(trial.predict(), trial.sample)
    update, reason = _choose_update(trial, bundle)
    case_mix = _find_case_mix(trial, bundle, performance, update)
    return TrialValidation(
        trial=trial,
        performance=performance,
        case_mix=case_mix,
        likeness=_find_likeness(trial, bundle),
        promise=promised.judge(performance.estimates["auc"]),
        update=update,
        update_reason=reason,
        verdict=write_verdict(
            performance,
            case_mix,
            promised,
            has_arms=bool(bundle.manifest.arms),
            words=OutcomeWords(bundle.manifest.event),
        ),
    )


def _choose_update(trial: NewTrial, bundle: Bundle) -> tuple[UpdateChoice | None, str]:
    """Choose an update, or say why none can be chosen."""
    if len(trial.sample.outcomes) > 1:
        return None, "outcomes are imputed, and what is tested is one set of them"
    try:
        features = encode_features(trial, bundle)
        return choose_update(trial.log_odds, trial.sample.labels, features=features), ""
    except ValueError as error:
        return None, str(error)


def encode_features(trial: NewTrial, bundle: Bundle) -> np.ndarray:
    """Encode the patient's features and the arm as numbers.

    Parameters
    ----------
    trial : NewTrial
        Participants.
    bundle : Bundle
        The model, whose training says how.

    Returns
    -------
    array of float, shape (n, n_columns)
        Without columns that are constant here.
    """
    matrix = bundle.domain.encoding.transform(trial.sample.features.frame)
    arms = [item.name for item in bundle.manifest.arms][1:]
    columns = np.column_stack(
        [matrix, *((trial.sample.arm == name).astype(float) for name in arms)]
    )
    return np.asarray(columns[:, np.ptp(columns, axis=0) > 0.0], dtype=float)


def read_prediction_interval(performance: Mapping[str, Any]) -> PredictionInterval:
    """Read what training said of the concordance in a new trial.

    Parameters
    ----------
    performance : mapping
        Of a manifest.

    Returns
    -------
    PredictionInterval
        The first of its prediction intervals; without ends where no trial was left out.
    """
    across = performance.get("across") or {}
    pooled = (across.get("random_effects") or {}).get("auc") or {}
    for item in pooled.get("predictions") or ():
        return PredictionInterval(float(item["low"]), float(item["high"]), str(item["method"]))
    return PredictionInterval(None, None, "")


def _find_case_mix(
    trial: NewTrial, bundle: Bundle, performance: Performance, update: UpdateChoice | None
) -> CaseMix:
    sample = trial.sample
    active, cells = sample.active, sample.strata
    pooled = bundle.manifest.performance.get("pooled") or {}
    recalibrated = None
    if update is not None:
        recalibrated = compute_expected_concordance(
            expit(update.logistic.apply(trial.log_odds))[active], cells[active]
        )
    return CaseMix(
        promised=pooled.get("auc"),
        expected=compute_expected_concordance(trial.probability[active], cells[active]),
        expected_recalibrated=recalibrated,
        observed=performance.estimates["auc"],
    )


def _find_likeness(trial: NewTrial, bundle: Bundle) -> tuple[TrialLikeness, ...]:
    """Compare the mean of the new trial with that of each of training, by their names.

    A trial of fewer than ten participants has no mean in the bundle, and one whose number is
    suppressed is left out.
    """
    counted = _count_trials(bundle.manifest.training)
    matrix = bundle.domain.encoding.transform(trial.sample.features.frame)
    means = zip(bundle.domain.names, bundle.domain.trials, strict=False)
    return tuple(
        TrialLikeness(
            name,
            measure_likeness(
                float(distance.measure(matrix.mean(axis=0)[None])[0] ** 2),
                columns=matrix.shape[1],
                n=len(matrix),
                n_training=n_training,
            ),
        )
        for name, distance in means
        if (n_training := counted.get(name)) is not None
    )


def _count_trials(training: Mapping[str, Any]) -> dict[str, int | None]:
    """Count the participants of the training trials; None for a suppressed number."""
    if "trials" in training:
        return {str(item["trial"]): item["n"] for item in training["trials"]}
    counted: dict[str, int] = {}
    for cell in training["cells"]:
        counted[str(cell["trial"])] = counted.get(str(cell["trial"]), 0) + int(cell["n"])
    return {name: counted[name] for name in sorted(counted) if counted[name] >= FEWEST_TOLD}
