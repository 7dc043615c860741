"""The bias-corrected figure, where the truth is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from glabella.validation.comparison.bootstrap_correction import correct_choice, measure_optimism
from glabella.validation.comparison.choice import choose_candidate
from glabella.validation.measures.performance import measure_performance


def _fold(n, repeats=2, folds=4):
    rows = []
    for repeat in range(repeats):
        order = np.random.default_rng(repeat).permutation(n)
        rows += [(row, repeat, place % folds) for place, row in enumerate(order)]
    return pd.DataFrame(rows, columns=["row", "repeat", "fold"]).assign(group="")


def _predict(sample, signals, repeats=2):
    """Give each candidate predictions that follow its signal, the same in each repetition."""
    frame = _fold(sample.n, repeats)
    rows = frame["row"].to_numpy()
    return {
        f"c{index:02d}": frame.assign(
            responded=sample.expected[rows], probability=expit(signal)[rows]
        )
        for index, signal in enumerate(signals)
    }


@pytest.fixture
def make_null(make_sample):
    """Outcomes by a fair coin, and candidates that know nothing of them."""

    def make(number, n=100, candidates=15):
        draw = np.random.default_rng([3, number])
        sample = make_sample(n, seed=number + 1, trials=("T1",), with_arms=False)
        coin = (draw.random(n) < 0.5).astype(np.int8)
        signals = 0.6 * draw.normal(size=(candidates, n))
        return replace(sample, outcomes=coin[None]), signals

    return make


def _correct(sample, predictions, references=(), **changed):
    return correct_choice(
        list(predictions), references, predictions, sample,
        **{"seed": np.random.SeedSequence(5), "resamples": 60, **changed},
    )  # fmt: skip


def test_of_many_that_know_nothing_the_best_is_optimistic_and_the_corrected_figure_is_not(
    make_null,
):
    # Truth: concordance 0.5; log loss E[log(1 + exp(s)) - s / 2] for s normal with deviation 0.6.
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    truth = float((weights @ np.log1p(np.exp(0.6 * nodes))) / weights.sum())
    found = []
    for number in range(12):
        sample, signals = make_null(number)
        found.append(_correct(sample, _predict(sample, signals), resamples=20))

    def spread(values):
        return np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))

    naive, naive_error = spread([item.naive_auc for item in found])
    corrected, error = spread([item.auc.value for item in found])
    assert naive - 0.5 > 10 * naive_error and naive > 0.57
    assert abs(corrected - 0.5) < 3 * error and error < 0.025
    naive, naive_error = spread([item.naive_log_loss for item in found])
    corrected, error = spread([item.log_loss.value for item in found])
    assert truth - naive > 10 * naive_error
    assert abs(corrected - truth) < 3 * error and error < 0.01


def test_one_that_knows_the_truth_is_chosen_and_keeps_its_figure(make_null):
    sample, signals = make_null(0, n=200, candidates=4)
    signals[2] = 2.0 * (2.0 * sample.outcomes[0] - 1) + signals[2]
    predictions = _predict(sample, signals)
    found = _correct(sample, predictions)
    assert found.chosen == {"c00": 0, "c01": 0, "c02": 60, "c03": 0}
    own = measure_performance(predictions["c02"], sample)
    assert found.naive_auc == pytest.approx(own.estimates["auc"].value)
    assert found.naive_log_loss == pytest.approx(own.estimates["log_loss"].value)
    assert found.auc.value == pytest.approx(found.naive_auc, abs=0.01)
    assert found.auc.low <= found.auc.value <= found.auc.high


def test_the_headline_is_that_of_measure_performance_with_trials_and_arms(make_sample):
    sample = make_sample(120)
    signals = np.random.default_rng(1).normal(size=(2, 120))
    predictions = _predict(sample, signals)
    best = max(
        measure_performance(table, sample).estimates["auc"].value for table in predictions.values()
    )
    assert _correct(sample, predictions).naive_auc == pytest.approx(best)


def test_the_rule_that_is_replayed_is_the_declared_one(make_null):
    sample, signals = make_null(1, n=60, candidates=3)
    predictions = _predict(sample, signals)
    found = _correct(sample, predictions, references=("c00",))
    assert "c00" not in found.chosen
    assert sum(found.chosen.values()) == 60
    assert choose_candidate(list(predictions), ("c00",), predictions).name in found.chosen


def test_the_order_of_rows_does_not_matter_and_the_seed_alone_decides(make_null):
    sample, signals = make_null(2, n=60, candidates=3)
    predictions = _predict(sample, signals)
    shuffled = {
        name: table.sample(frac=1, random_state=index)
        for index, (name, table) in enumerate(predictions.items())
    }
    assert _correct(sample, predictions) == _correct(sample, shuffled)


def test_all_periods_of_a_person_are_drawn_or_left_out_together(make_null):
    # Each outcome stands twice. With rows as units the copy that is drawn would tell of the other.
    sample, signals = make_null(3, n=120, candidates=12)
    outcomes = np.repeat(sample.outcomes[:, :60], 2, axis=1)
    doubled = replace(sample, outcomes=outcomes, person=np.repeat(np.arange(60), 2))
    predictions = _predict(doubled, np.repeat(signals[:, :60], 2, axis=1))
    as_persons = _correct(doubled, predictions)
    as_rows = _correct(replace(doubled, person=None), predictions)
    assert as_persons.auc.value < as_rows.auc.value


def test_constant_predictions_have_a_concordance_of_one_half(make_null):
    sample, signals = make_null(4, candidates=2)
    found = _correct(sample, _predict(sample, 0.0 * signals))
    assert found.auc.value == found.naive_auc == 0.5
    assert found.log_loss.value == pytest.approx(np.log(2))


@pytest.mark.parametrize("responders", [0, 4, 96, 100])
def test_too_few_of_a_class_have_no_figure(make_null, responders):
    sample, signals = make_null(5, candidates=2)
    outcomes = (np.arange(100) < responders).astype(np.int8)
    found = _correct(replace(sample, outcomes=outcomes[None]), _predict(sample, signals))
    assert found.auc.value is None and found.log_loss.reason == "under 5 of a class"
    assert found.naive_auc is None


def test_four_persons_in_eight_rows_are_four(make_null):
    sample, signals = make_null(3, n=40)
    outcomes = np.zeros((1, 40), dtype=np.int8)
    outcomes[0, :8] = 1
    persons = replace(sample, outcomes=outcomes, person=np.repeat(np.arange(20), 2))
    assert _correct(persons, _predict(persons, signals)).auc.value is None
    rows = replace(persons, person=None)
    assert _correct(rows, _predict(rows, signals)).auc.value is not None


def test_ten_participants_are_enough_for_a_figure(make_null):
    sample, signals = make_null(6, n=10, candidates=2)
    outcomes = (np.arange(10) % 2).astype(np.int8)
    sample = replace(sample, outcomes=outcomes[None])
    found = _correct(sample, _predict(sample, signals))
    assert 0 <= found.auc.low <= found.auc.high <= 1 or found.auc.reason


def test_no_candidate_is_refused(make_null):
    sample, _ = make_null(7, n=20)
    with pytest.raises(ValueError, match="there must be a candidate"):
        correct_choice([], (), {}, sample, seed=np.random.SeedSequence(1))


def test_a_model_that_has_learnt_its_participants_by_heart_is_optimistic(make_null):
    sample, signals = make_null(8, candidates=1)
    [predictions] = _predict(sample, signals).values()
    validated = measure_performance(predictions, sample)
    found = measure_optimism(np.where(sample.labels == 1, 0.9, 0.1), validated, sample)
    assert found.apparent.estimates["auc"].value == 1.0
    assert found.optimism["auc"] == pytest.approx(1.0 - validated.estimates["auc"].value)
    assert found.optimism["log_loss"] < 0
    # Where predictions separate the classes there is no slope, and so no optimism of it.
    assert "calibration_slope" not in found.optimism
