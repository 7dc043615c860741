"""Learning curves: nested subsets, a known fall, and silence where nothing can be said."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from glabella.errors import AnalysisError
from glabella.models.candidate import Candidate
from glabella.validation.adequacy.learning_curve import (
    FACTORS,
    draw_subsets,
    measure_learning_curve,
)
from glabella.validation.fitting.nested import collect_predictions, validate_candidates
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.folds.splits import make_repeated_folds
from glabella.validation.measures.overall import compute_losses
from glabella.validation.measures.performance import measure_performance

RIDGE = Candidate(kind="candidate", description="Ridge", estimator="ridge", settings={"c": 1.0})


def _make_folds(sample, *, folds=5, repeats=2):
    return make_repeated_folds(
        [sample.arm, sample.trial],
        sample.labels,
        folds=folds,
        repeats=repeats,
        seed=derive_seed(3, "pooled"),
        people=sample.people,
    )


def _draw(sample, points=5, **asked):
    return draw_subsets(Trainer(sample, 2, 3), _make_folds(sample, **asked), points=points)


def _measure(sample, subsets):
    results = validate_candidates(
        {"ridge": RIDGE},
        Trainer(sample, 2, 3),
        [fold for item in subsets for fold in item.folds],
    )
    count = len(subsets[0].folds)
    predictions = {
        item.size: collect_predictions(results[at * count : (at + 1) * count], sample)
        for at, item in enumerate(subsets)
    }
    return measure_learning_curve(subsets, predictions, sample, seed=3)


def _predict(sample, subsets, make_probability):
    """Invent the predictions of each size."""
    tables = {}
    for at, item in enumerate(subsets):
        parts = [
            pd.DataFrame(
                {
                    "row": fold.test,
                    "design": fold.design,
                    "repeat": fold.repeat,
                    "fold": fold.number,
                    "group": "",
                    "responded": sample.labels[fold.test],
                    "probability": make_probability(at)[fold.test],
                }
            )
            for fold in item.folds
        ]
        tables[item.size] = pd.concat(parts, ignore_index=True)
    return tables


def test_subsets_hold_each_other_and_end_with_the_whole(make_sample):
    sample = make_sample(200)
    subsets = _draw(sample)
    assert [item.size for item in subsets] == [20, 34, 57, 95, 160]
    assert [item.is_full for item in subsets] == [False] * 4 + [True]
    for small, large in pairwise(subsets):
        for inner, outer in zip(small.folds, large.folds, strict=True):
            assert set(inner.train) < set(outer.train)
            assert np.array_equal(inner.test, outer.test)
    for fold, whole in zip(_make_folds(sample), subsets[-1].folds, strict=True):
        assert np.array_equal(fold.train, whole.train)


def test_each_subset_has_outcome_trial_and_arm_in_their_shares(make_sample):
    sample = make_sample(300)
    subsets = _draw(sample)
    for item in subsets[:-1]:
        for fold, whole in zip(item.folds, subsets[-1].folds, strict=True):
            share = len(fold.train) / len(whole.train)
            for outcome in (0, 1):
                of_outcome = sample.labels == outcome
                expected = share * of_outcome[whole.train].sum()
                assert abs(of_outcome[fold.train].sum() - expected) < 1.01
                for trial in ("T1", "T2"):
                    for arm in ("active", "control"):
                        cell = of_outcome & (sample.trial == trial) & (sample.arm == arm)
                        expected = share * cell[whole.train].sum()
                        assert abs(cell[fold.train].sum() - expected) < 2.01


def test_the_smallest_size_has_five_of_each_class_in_every_fold(make_sample):
    sample = make_sample(160)
    rare = np.zeros(160, dtype=np.int8)
    rare[:: 160 // 16] = 1
    sample = replace(sample, outcomes=rare[None])
    smallest = _draw(sample)[0]
    counts = [sample.labels[fold.train].sum() for fold in smallest.folds]
    assert min(counts) == 5
    assert smallest.size > 128 / 8


def test_all_rows_of_a_person_go_together(make_sample):
    sample = make_sample(200)
    person = np.repeat(np.arange(100), 2)
    sample = replace(sample, person=person)
    for item in _draw(sample):
        for fold in item.folds:
            inside = np.isin(person, person[fold.train])
            assert np.array_equal(np.flatnonzero(inside), fold.train)
            assert len(fold.train) == 2 * item.size


def test_the_curve_falls_and_says_what_twice_as_many_really_reach(make_sample):
    sample = make_sample(150, seed=2)
    curve = _measure(sample, _draw(sample))
    losses = [point.log_loss.value for point in curve.points]
    assert losses[0] - losses[-1] > 0.02
    found = curve.extrapolations["log_loss"]
    twice = found.projections[0]
    assert (twice.factor, twice.size) == (2, 240)
    new = make_sample(5000, seed=99)
    reached = []
    for number in range(20):
        fresh = make_sample(240, seed=500 + number)
        seed = derive_seed(1, "fit", number)
        tuned = Trainer(fresh, 2, 1).fit(RIDGE, np.arange(240), seed=seed)
        probability = tuned.model.predict_proba(new.features.frame)[:, 1]
        reached.append(compute_losses(new.labels, probability).mean())
    assert twice.value.low < np.mean(reached) < twice.value.high
    assert [item.factor for item in found.projections] == list(FACTORS) == [2, 4]
    law = found.limit + found.excess * 4.0**-found.rate
    assert found.projections[1].value.value == pytest.approx(law)


def test_the_bootstrap_agrees_with_the_variance_over_participants(make_sample):
    # At the first size everybody is given one half, so all that varies is the last one.
    sample = make_sample(400)
    subsets = _draw(sample, repeats=1)
    informed = np.random.default_rng(5).uniform(0.2, 0.6, 400) + 0.2 * sample.labels
    tables = _predict(
        sample, subsets, lambda at: informed if at == len(subsets) - 1 else np.full(400, 0.5)
    )
    curve = measure_learning_curve(subsets, tables, sample, seed=3)
    exact = measure_performance(tables[subsets[-1].size], sample).estimates
    for measure, without in (("log_loss", np.log(2.0)), ("auc", 0.5)):
        found, known = curve.extrapolations[measure].gained, exact[measure]
        assert found.value == pytest.approx(known.value - without)
        assert found.high - found.low == pytest.approx(known.high - known.low, rel=0.12)


def test_a_flat_curve_is_not_carried_on(make_sample):
    sample = make_sample(200)
    subsets = _draw(sample)
    same = np.random.default_rng(5).uniform(0.3, 0.7, 200)
    curve = measure_learning_curve(
        subsets, _predict(sample, subsets, lambda at: same), sample, seed=3
    )
    for found in curve.extrapolations.values():
        assert "flat within its interval: 160 participants" in found.reason
        assert found.projections == ()
        assert found.limit is None


def test_a_curve_that_turns_is_not_carried_on(make_sample):
    sample = make_sample(400)
    subsets = _draw(sample)
    towards = np.where(sample.labels == 1, 1.0, -1.0)
    good = (0.0, 0.1, 0.2, 0.4, 0.25)
    curve = measure_learning_curve(
        subsets, _predict(sample, subsets, lambda at: 0.5 + good[at] * towards), sample, seed=3
    )
    assert "320 participants are worse to learn from than 190" in (
        curve.extrapolations["log_loss"].reason
    )


def test_a_size_without_predictions_says_why_and_may_leave_too_few(make_sample):
    sample = make_sample(200)
    subsets = _draw(sample, points=4)
    informed = 0.5 + 0.2 * np.where(sample.labels == 1, 1.0, -1.0)
    tables = _predict(sample, subsets, lambda at: informed - 0.02 * (3 - at) * (informed - 0.5))
    tables[subsets[0].size] = "2 of 10 fits failed"
    curve = measure_learning_curve(subsets, tables, sample, seed=3)
    assert curve.points[0].reason == curve.points[0].auc.reason == "2 of 10 fits failed"
    assert curve.extrapolations["log_loss"].reason == ("3 sizes were measured, and the law needs 4")


class _Thin:
    """An imputation that can't be learnt from fewer than fifty."""

    def check_thin(self, rows, part):
        if len(rows) < 50:
            raise AnalysisError(f"{part} holds {len(rows)} scores", remedy="None.")


def test_a_size_too_thin_to_impute_from_is_named(make_sample):
    subsets = _draw(replace(make_sample(200), imputation=_Thin()))
    assert [item.reason for item in subsets] == [
        "a subset of 20 participants holds 20 scores",
        "a subset of 34 participants holds 34 scores",
        None,
        None,
        None,
    ]
