from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from glabella.validation.comparison.choice import compare_losses
from glabella.validation.measures.calibration_curve import measure_calibration_error
from glabella.validation.measures.discrimination import compute_concordance
from glabella.validation.measures.estimation.rubin import pool_estimates
from glabella.validation.measures.performance import (
    fit_curve,
    measure_by_group,
    measure_performance,
)
from glabella.validation.measures.registry import MEASURES, compute_measure


def _predict(sample, probability, *, folds=3, repeats=1, group=""):
    """A table as `collect_predictions` makes it, with folds dealt out in turn."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "row": np.arange(sample.n),
                    "design": "pooled",
                    "repeat": repeat,
                    "fold": (np.arange(sample.n) + repeat) % folds,
                    "group": group,
                    "responded": sample.labels,
                    "probability": probability,
                }
            )
            for repeat in range(repeats)
        ],
        ignore_index=True,
    )


@pytest.fixture
def sample(make_sample):
    return make_sample(180)


@pytest.fixture
def probability(sample):
    return expit(np.random.default_rng(3).normal(size=sample.n) + sample.labels)


def test_the_headline_is_concordance_within_trial_cohort_arm_and_fold_of_the_active_arm(
    sample, probability
):
    cohort = np.where(np.arange(sample.n) % 4 < 2, "30 U", "50 U")
    sample = replace(sample, cohort=cohort)
    predictions = _predict(sample, probability, repeats=2)
    predictions["probability"] += np.where(predictions["repeat"] == 1, 0.001, 0.0)
    rows = predictions["row"].to_numpy()
    strata = [
        f"{sample.trial[r]}/{sample.cohort[r]}/{sample.arm[r]}/{repeat}/{fold}"
        for r, repeat, fold in zip(rows, predictions["repeat"], predictions["fold"], strict=True)
    ]

    found = measure_performance(predictions, sample)

    for active, name, pairs in (
        (True, "auc", found.pairs),
        (False, "auc_control", found.pairs_control),
    ):
        chosen = sample.active[rows] == active
        expected, expected_pairs = compute_concordance(
            predictions["responded"][chosen],
            predictions["probability"][chosen],
            strata=np.array(strata)[chosen],
            participant=rows[chosen],
            repeats=2,
        )
        assert found.estimates[name] == expected
        assert pairs == expected_pairs


def test_what_the_arm_or_trial_alone_tells_is_no_discrimination_in_the_headline(sample):
    arm_and_trial = 0.3 + 0.3 * sample.active + 0.1 * (sample.trial == "T1")

    found = measure_performance(_predict(sample, arm_and_trial), sample).estimates

    assert found["auc"].value == 0.5
    assert found["auc_control"].value == 0.5
    assert found["auc_all"].value > 0.55


def test_participants_of_two_folds_are_not_compared(sample):
    # Each fold's model has its own level; the level alone must not discriminate.
    predictions = _predict(sample, 0.5)
    predictions["probability"] = 0.2 + 0.3 * predictions["fold"]
    predictions["fold"] = np.where(sample.labels, predictions["fold"], 2 - predictions["fold"])
    predictions["probability"] = 0.2 + 0.3 * predictions["fold"]

    assert measure_performance(predictions, sample).estimates["auc_all"].value == 0.5


def test_every_measure_is_there_with_an_interval(sample, probability):
    found = measure_performance(_predict(sample, probability), sample)

    assert tuple(found.estimates) == tuple(MEASURES)
    for estimate in found.estimates.values():
        assert estimate.low < estimate.value < estimate.high
    assert (found.n, found.events) == (sample.n, sample.labels.sum())


def test_repetitions_do_not_add_participants_pairs_or_certainty(sample, probability):
    once = measure_performance(_predict(sample, probability, folds=1), sample)
    often = measure_performance(_predict(sample, probability, folds=1, repeats=8), sample)

    assert (often.n, often.events) == (once.n, once.events)
    assert (often.pairs, often.pairs_control) == (once.pairs, once.pairs_control)
    for name in MEASURES:
        first, second = once.estimates[name], often.estimates[name]
        # The knots of a calibration curve are at quantiles of all predictions.
        near = 5e-4 if name == "ici" else 1e-6
        assert second.value == pytest.approx(first.value, abs=near)
        assert second.high - second.low == pytest.approx(first.high - first.low, rel=0.02)


def test_without_arms_there_is_no_mirror_and_a_reason(make_sample):
    sample = make_sample(90, with_arms=False)

    found = measure_performance(_predict(sample, np.linspace(0.1, 0.9, 90)), sample)

    assert found.estimates["auc_control"].value is None
    assert found.estimates["auc_control"].reason == "the analysis has no control arm"
    assert found.pairs_control == 0
    assert found.estimates["auc"].value is not None


def test_a_small_trial_has_reasons_instead_of_numbers(make_sample):
    sample = make_sample(90, trials=("T1", "T2", "T3"))
    rows = np.concatenate(
        [np.flatnonzero(sample.trial != "T3"), np.flatnonzero(sample.trial == "T3")[:6]]
    )
    predictions = _predict(sample, np.linspace(0.1, 0.9, 90)).iloc[rows]
    predictions = predictions.assign(group=sample.trial[rows])

    groups = measure_by_group(predictions, sample)

    assert [group.group for group in groups] == ["T1", "T2", "T3"]
    assert [group.performance.n for group in groups] == [30, 30, 6]
    for estimate in groups[2].performance.estimates.values():
        assert estimate.value is None
        assert estimate.reason


def test_trials_are_measured_as_if_each_were_alone(sample, probability):
    predictions = _predict(sample, probability).assign(group=sample.trial)

    for group in measure_by_group(predictions, sample):
        alone = predictions[predictions["group"] == group.group]
        assert group.performance == measure_performance(alone, sample)


def test_participants_of_two_trials_validated_inside_are_not_compared(sample):
    # Folds are numbered from 0 in each trial, so that a number alone does not tell them apart.
    predictions = _predict(sample, 0.2 + 0.5 * (sample.trial == "T1"), folds=1)
    responded = sample.labels.copy()
    responded[np.flatnonzero(sample.trial == "T1")[:40]] = 1
    sample = replace(sample, outcomes=responded.astype(np.int8)[None])
    predictions = predictions.assign(group=sample.trial, responded=responded)

    assert measure_performance(predictions, sample).estimates["auc_all"].value == 0.5


def test_figures_of_imputed_outcomes_are_those_of_each_set_pooled(make_sample):
    sample = make_sample(n=120, seed=5)
    random = np.random.default_rng(6)
    drawn = np.stack(
        [np.where(random.random(120) < 0.15, 1 - sample.labels, sample.labels) for _ in range(5)]
    ).astype(np.int8)
    imputed = replace(sample, outcomes=drawn)
    rows = np.arange(120)
    predictions = pd.DataFrame(
        {
            "row": rows,
            "repeat": 0,
            "fold": rows % 5,
            "group": "",
            "responded": imputed.expected,
            "probability": random.uniform(0.1, 0.9, 120),
        }
    )
    each = [measure_performance(predictions, replace(sample, outcomes=one[None])) for one in drawn]
    pooled = measure_performance(predictions, imputed)
    assert pooled.events == drawn.sum() / 5
    for measure in MEASURES:
        if measure != "ici":
            wanted = pool_estimates([one.estimates[measure] for one in each], units=120)
            assert pooled.estimates[measure] == wanted
    # A distance has no sign: it is taken from the pooled curve.
    assert pooled.estimates["ici"] == measure_calibration_error(fit_curve(predictions, imputed)).ici
    assert pooled.pairs == round(np.mean([one.pairs for one in each]))


def test_the_difference_of_two_candidates_is_pooled_too(make_sample):
    sample = make_sample(n=80, seed=5)
    random = np.random.default_rng(7)
    drawn = np.stack(
        [np.where(random.random(80) < 0.2, 1 - sample.labels, sample.labels) for _ in range(4)]
    ).astype(np.int8)
    rows = np.arange(80)
    tables = {
        name: pd.DataFrame(
            {
                "row": rows,
                "repeat": 0,
                "fold": rows % 5,
                "responded": drawn.mean(axis=0),
                "probability": random.uniform(0.2, 0.8, 80),
            }
        )
        for name in ("a", "b")
    }
    pooled = compare_losses("a", "b", tables, drawn)
    each = [
        compare_losses("a", "b", {k: v.assign(responded=one) for k, v in tables.items()}).log_loss
        for one in drawn
    ]
    assert pooled.log_loss == pool_estimates(each, units=5)
    # The loss is linear in the outcome: the mean is that of the mean outcome.
    assert pooled.log_loss.value == pytest.approx(compare_losses("a", "b", tables).log_loss.value)


def test_the_threshold_is_that_of_the_analysis_in_each_trial_too(sample, probability):
    predictions = _predict(sample, probability).assign(group=sample.trial)

    found = measure_performance(predictions, sample, threshold=0.7)

    assert found.threshold == 0.7
    assert found.estimates["sensitivity"] == compute_measure(
        "sensitivity", sample.labels, probability, threshold=0.7, participant=np.arange(sample.n)
    )
    for group in measure_by_group(predictions, sample, threshold=0.7):
        assert group.performance.threshold == 0.7


def test_ten_participants_and_one_prediction_for_all_have_numbers_or_reasons(make_sample):
    sample = replace(
        make_sample(10, with_arms=False), outcomes=np.array([[1, 0] * 5], dtype=np.int8)
    )

    for probability in (0.5, np.linspace(0.1, 0.9, 10), sample.labels.astype(float)):
        found = measure_performance(_predict(sample, probability, folds=1), sample)
        for estimate in found.estimates.values():
            figures = (estimate.value, estimate.low, estimate.high)
            assert all(figure is None or np.isfinite(figure) for figure in figures)
            assert estimate.reason or None not in figures
