from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.metrics import log_loss

from glabella.models.build import build_model
from glabella.models.candidate import Candidate
from glabella.models.space import Space
from glabella.validation.fitting import trainer
from glabella.validation.fitting.nested import collect_predictions, validate_candidates
from glabella.validation.fitting.runner import Runner
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.fitting.training_part import TunedModel
from glabella.validation.fitting.workers import Workers
from glabella.validation.folds.seeds import derive_seed, draw_state
from glabella.validation.folds.splits import (
    Fold,
    make_left_out_folds,
    make_repeated_folds,
    split_stratified,
)
from glabella.validation.measures.discrimination import compute_concordance
from glabella.validation.measures.performance import measure_performance

RIDGE = Candidate(
    kind="candidate",
    description="Ridge",
    estimator="ridge",
    search={"c": Space(log=(0.001, 10.0))},
    draws=3,
)
TREES = Candidate(
    kind="candidate",
    description="Trees",
    estimator="xgboost",
    settings={"n_trees": 12, "subsample": 0.7},
    search={"max_depth": Space(integer=(1, 2)), "learning_rate": Space(log=(0.05, 0.5))},
    draws=2,
)
SEVERITY = Candidate(kind="candidate", description="Severity", estimator="severity")
ARM_ONLY = Candidate(kind="candidate", description="Arm", estimator="arm_only", role="reference")
PREVALENCE = Candidate(
    kind="candidate", description="Rates", estimator="prevalence", role="reference"
)
ALL = {
    "arm_only": ARM_ONLY,
    "prevalence": PREVALENCE,
    "severity": SEVERITY,
    "ridge": RIDGE,
    "xgboost": TREES,
}


def _folds(sample, *, folds=3, repeats=1):
    made = make_repeated_folds(
        [sample.arm, sample.trial],
        sample.labels,
        folds=folds,
        repeats=repeats,
        seed=np.random.SeedSequence(5),
    )
    return [*made, *make_left_out_folds(sample.trial)]


def _validate(candidates, sample, folds, **changes):
    trainer = Trainer(sample, changes.pop("inner_folds", 2), changes.pop("seed", 17))
    runner = Runner(Workers(changes.pop("workers", 1)), changes.pop("progress", None))
    return validate_candidates(candidates, trainer, folds, runner=runner, **changes)


def _assert_same(first, second):
    """Bit by bit: what was chosen, what was predicted and why."""
    assert [(r.candidate, r.fold.key) for r in first] == [(r.candidate, r.fold.key) for r in second]
    for one, two in zip(first, second, strict=True):
        assert one.error is None
        assert two.error is None
        assert one.setting == two.setting
        assert one.probability.tobytes() == two.probability.tobytes()
        assert one.contributions.values.tobytes() == two.contributions.values.tobytes()
        assert one.contributions.base.tobytes() == two.contributions.base.tobytes()


@pytest.fixture(scope="module")
def sample(make_sample):
    return make_sample(90)


@pytest.fixture(scope="module")
def alone(sample):
    """Every candidate on every fold, by one worker."""
    return _validate(ALL, sample, _folds(sample))


class TestSameSeedSameResult:
    def test_whatever_the_number_of_workers(self, sample, alone):
        _assert_same(alone, _validate(ALL, sample, _folds(sample), workers=2))

    def test_when_run_again(self, sample, alone):
        _assert_same(alone, _validate(ALL, sample, _folds(sample)))

    def test_whatever_other_candidates_and_folds_there_are(self, sample, alone):
        folds = _folds(sample)

        fewer = _validate({"xgboost": TREES, "ridge": RIDGE}, sample, folds[1:3])

        kept = [
            result
            for name in ("xgboost", "ridge")
            for result in alone
            if result.candidate == name and result.fold.key in {f.key for f in folds[1:3]}
        ]
        _assert_same(kept, fewer)

    def test_another_seed_gives_other_trees(self, sample):
        folds = _folds(sample)[:1]
        fixed = TREES.model_copy(update={"search": {}})

        first, second = (
            _validate({"xgboost": fixed}, sample, folds, seed=seed)[0].probability
            for seed in (17, 18)
        )

        assert first.tolist() != second.tolist()

    def test_results_come_candidate_by_candidate_in_the_order_of_folds(self, sample, alone):
        keys = [fold.key for fold in _folds(sample)]

        assert [(result.candidate, result.fold.key) for result in alone] == [
            (name, key) for name in ALL for key in keys
        ]

    def test_predictions_are_probabilities_of_the_held_out(self, alone):
        for result in alone:
            assert result.probability.shape == result.fold.test.shape
            assert ((result.probability > 0) & (result.probability < 1)).all()

    def test_contributions_add_to_the_log_odds_of_the_probability(self, alone):
        for result in alone:
            added = result.contributions.values.sum(axis=1) + result.contributions.base
            # XGBoost computes in single precision.
            tolerance = 1e-4 if result.candidate == "xgboost" else 1e-9
            assert added == pytest.approx(logit(result.probability), abs=tolerance)

    def test_contributions_are_not_all_zero(self, alone):
        for result in alone:
            if result.candidate in ("ridge", "xgboost", "severity"):
                assert np.abs(result.contributions.values).max() > 0.01

    def test_the_tuned_setting_is_one_of_those_searched(self, alone):
        for result in alone:
            if result.candidate == "ridge":
                assert result.setting["c"] in (0.001, 0.1, 10.0)
            elif result.candidate == "xgboost":
                assert result.setting["max_depth"] in (1, 2)
                assert 0.05 <= result.setting["learning_rate"] <= 0.5
            else:
                assert result.setting == {}


class TestNothingIsLearntFromTheHeldOut:
    @pytest.mark.parametrize("name", ["prevalence", "ridge", "xgboost"])
    @pytest.mark.parametrize("position", [0, 3])
    def test_their_outcomes_change_nothing_in_their_predictions(self, make_sample, name, position):
        sample = make_sample(90)
        fold = _folds(sample)[position]
        responded = sample.labels.copy()
        responded[fold.test] = 1 - responded[fold.test]

        _assert_same(
            _validate({name: ALL[name]}, sample, [fold]),
            _validate(
                {name: ALL[name]}, replace(sample, outcomes=responded.astype(np.int8)[None]), [fold]
            ),
        )

    @pytest.mark.parametrize("name", ["ridge", "xgboost"])
    def test_their_features_change_nothing_in_the_predictions_of_others(self, make_sample, name):
        sample = make_sample(90)
        fold = _folds(sample)[0]
        frame = sample.features.frame.copy()
        frame.loc[fold.test[0], ["age_years", "severity"]] = [1e4, -1e4]
        changed = replace(sample, features=replace(sample.features, frame=frame))

        first, second = (
            _validate({name: ALL[name]}, data, [fold])[0] for data in (sample, changed)
        )

        assert first.setting == second.setting
        assert first.probability[1:].tobytes() == second.probability[1:].tobytes()

    def test_training_outcomes_do_change_predictions(self, make_sample):
        sample = make_sample(90)
        fold = _folds(sample)[0]
        responded = sample.labels.copy()
        responded[fold.train] = 1 - responded[fold.train]

        first, second = (
            _validate({"ridge": RIDGE}, data, [fold])[0].probability
            for data in (sample, replace(sample, outcomes=responded.astype(np.int8)[None]))
        )

        assert not np.allclose(first, second)


class TestFailures:
    def test_a_candidate_that_fails_is_recorded_with_its_reason_and_others_go_on(self, make_sample):
        sample = make_sample(80, with_severity=False)

        results = _validate({"severity": SEVERITY, "ridge": RIDGE}, sample, _folds(sample))

        failed = [result for result in results if result.candidate == "severity"]
        assert len(failed) == 5
        for result in failed:
            assert result.error == "the feature set lacks the endpoint's own variable at baseline"
            assert result.probability is None
            assert result.contributions is None
        for result in results:
            if result.candidate == "ridge":
                assert result.error is None
                assert result.probability is not None

    def test_a_candidate_that_needs_arms_says_that_there_are_none(self, make_sample):
        sample = make_sample(80, with_arms=False)

        (result,) = _validate({"arm_only": ARM_ONLY}, sample, _folds(sample)[:1])

        assert result.error == "the analysis declares no arms"

    def test_predictions_that_are_no_number_are_a_failure(self, make_sample, monkeypatch):
        sample = make_sample(40)
        nothing = SimpleNamespace(predict_proba=lambda frame: np.full((len(frame), 2), np.nan))
        tuned = TunedModel(nothing, {})
        monkeypatch.setattr(Trainer, "fit", lambda *args, **named: tuned)

        results = _validate({"severity": SEVERITY}, sample, _folds(sample)[:2])

        assert {result.error for result in results} == {
            "the fitted model gives some participants no probability"
        }

    @pytest.mark.parametrize("name", ["prevalence", "ridge", "xgboost"])
    def test_a_training_part_of_one_class_fails_with_that_reason(self, make_sample, name):
        sample = make_sample(60)
        responders = np.flatnonzero(sample.labels == 1)
        rest = np.flatnonzero(sample.labels == 0)
        fold = Fold("across", 0, 0, "T9", responders, rest)

        (result,) = _validate({name: ALL[name]}, sample, [fold])

        assert result.error == "the training rows hold one class only"

    @pytest.mark.parametrize("responders", [1, 2, 3])
    def test_few_of_a_class_in_training_still_give_predictions(self, make_sample, responders):
        sample = make_sample(60)
        responded = np.zeros(60, dtype=int)
        responded[[0, 20, 39, 45, 59][:responders]] = 1
        sample = replace(sample, outcomes=responded.astype(np.int8)[None])
        fold = Fold("pooled", 0, 0, None, np.arange(40), np.arange(40, 60))

        (result,) = _validate({"ridge": RIDGE}, sample, [fold], inner_folds=5)

        assert result.error is None
        assert (result.setting == {}) == (responders == 1)

    def test_a_setting_that_the_estimator_refuses_is_recorded(self, make_sample):
        sample = make_sample(60)
        broken = Candidate(
            kind="candidate", description="Broken", estimator="ridge", settings={"c": -1.0}
        )

        (result,) = _validate({"broken": broken}, sample, _folds(sample)[:1])

        assert result.error
        assert "\n" not in result.error


class TestShuffledOutcomes:
    @pytest.mark.parametrize("name", ["ridge", "xgboost"])
    def test_give_a_concordance_near_one_half(self, make_sample, name):
        candidate = ALL[name].model_copy(update={"search": {}})
        found = []
        for seed in range(6):
            sample = make_sample(200, seed=seed, shuffled=True)
            folds = make_repeated_folds(
                [sample.arm],
                sample.labels,
                folds=4,
                repeats=1,
                seed=np.random.SeedSequence(seed),
            )
            predictions = collect_predictions(_validate({name: candidate}, sample, folds), sample)
            found.append(measure_performance(predictions, sample).estimates["auc_all"].value)

        # Each has a standard error of about 0.04, so that of their mean is 0.017.
        assert np.mean(found) == pytest.approx(0.5, abs=0.05)

    def test_and_true_outcomes_do_not(self, make_sample):
        sample = make_sample(200)
        folds = make_repeated_folds(
            [sample.arm], sample.labels, folds=4, repeats=1, seed=np.random.SeedSequence(1)
        )

        predictions = collect_predictions(_validate({"ridge": RIDGE}, sample, folds), sample)

        assert measure_performance(predictions, sample).estimates["auc"].low > 0.5


class TestCollectPredictions:
    def test_each_prediction_has_its_participant_fold_and_outcome(self, make_sample):
        sample = make_sample(60)
        folds = _folds(sample, repeats=2)
        results = _validate({"prevalence": PREVALENCE}, sample, folds)

        table = collect_predictions(results, sample)

        assert table["row"].tolist() == np.concatenate([fold.test for fold in folds]).tolist()
        assert (table["responded"] == sample.labels[table["row"]]).all()
        assert table["probability"].tolist() == [p for r in results for p in r.probability]
        assert table.groupby(["design", "repeat"])["row"].nunique().tolist() == [60, 60, 60]
        across = table[table["design"] == "across"]
        assert (across["group"] == sample.trial[across["row"]]).all()
        assert (table.loc[table["design"] == "pooled", "group"] == "").all()

    def test_the_table_gives_the_concordance_of_its_predictions(self, make_sample):
        sample = make_sample(60)
        table = collect_predictions(
            _validate({"ridge": RIDGE}, sample, make_left_out_folds(sample.trial)), sample
        )

        estimate, _ = compute_concordance(
            table["responded"],
            table["probability"],
            strata=table["group"],
            participant=table["row"],
        )

        assert measure_performance(table, sample).estimates["auc_all"] == estimate


def test_progress_is_told_of_every_fold_in_fits(make_sample):
    sample = make_sample(60)
    folds = _folds(sample)
    told = []

    _validate(
        {"arm_only": ARM_ONLY, "prevalence": PREVALENCE},
        sample,
        folds,
        progress=lambda stage, done, total: told.append((stage, done, total)),
    )

    assert told == [("validating", 2 * (index + 1), 2 * len(folds)) for index in range(len(folds))]


def test_predictions_keep_no_participant_but_by_position(make_sample):
    sample = make_sample(60)
    table = collect_predictions(
        _validate({"arm_only": ARM_ONLY}, sample, make_left_out_folds(sample.trial)), sample
    )

    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == [
        "row", "design", "repeat", "fold", "group", "responded", "probability",
    ]  # fmt: skip


class TestInnerFolds:
    def _watch(self, monkeypatch):
        seen = []
        real = trainer.split_inner

        def record(*args, **named):
            seen.append(real(*args, **named))
            return seen[-1]

        monkeypatch.setattr(trainer, "split_inner", record)
        return seen

    def test_where_trials_are_left_out_tuning_leaves_trials_out(self, make_sample, monkeypatch):
        sample = make_sample(120, trials=("T1", "T2", "T3"))
        seen = self._watch(monkeypatch)
        folds = make_left_out_folds(sample.trial, "trial")
        _validate({"ridge": RIDGE}, sample, folds, inner_folds=4)
        assert len(seen) == 3
        for fold, splits in zip(folds, seen, strict=True):
            trials = sample.trial[fold.train]
            assert len(splits) == 2
            for train, test in splits:
                assert not set(trials[train]) & set(trials[test])

    def test_with_one_trial_left_tuning_splits_participants(self, make_sample, monkeypatch):
        sample = make_sample(120)
        seen = self._watch(monkeypatch)
        _validate({"ridge": RIDGE}, sample, make_left_out_folds(sample.trial, "trial"))
        assert [len(splits) for splits in seen] == [2, 2]

    def test_candidates_share_their_inner_folds(self, make_sample, monkeypatch):
        sample = make_sample(120)
        seen = self._watch(monkeypatch)
        folds = _folds(sample)[:1]
        _validate({"ridge": RIDGE, "xgboost": TREES}, sample, folds)
        for first, second in zip(*seen, strict=True):
            np.testing.assert_array_equal(first[1], second[1])

    def test_who_has_nothing_to_tune_is_weighed_where_there_is_a_choice(self, make_sample):
        sample = make_sample(120)
        folds = _folds(sample)[:1]
        reference = SEVERITY.model_copy(update={"role": "reference"})
        [alone] = _validate({"severity": reference}, sample, folds)
        [weighed] = _validate({"severity": reference}, sample, folds, weighed=["severity"])
        assert alone.inner is None
        assert len(weighed.inner.losses) == len(weighed.inner.sizes) == 2
        assert sum(weighed.inner.sizes) == len(folds[0].train)
        np.testing.assert_array_equal(alone.probability, weighed.probability)

    def test_inner_losses_are_of_fits_that_did_not_see_who_is_measured(self, make_sample):
        sample = make_sample(120)
        fold = _folds(sample)[0]
        [result] = _validate({"severity": SEVERITY}, sample, [fold], weighed=["severity"])
        state = draw_state(derive_seed(17, "inner", *fold.key))
        splits = split_stratified(
            [sample.arm[fold.train]], sample.labels[fold.train], folds=2, seed=state,
            people=sample.people[fold.train],
        )  # fmt: skip
        for loss, (train, test) in zip(result.inner.losses, splits, strict=True):
            model = build_model(SEVERITY, sample.features.specs, random_state=0)
            model.fit(sample.features.take(fold.train[train]), sample.labels[fold.train[train]])
            held = fold.train[test]
            probability = model.predict_proba(sample.features.take(held))[:, 1]
            assert loss == pytest.approx(log_loss(sample.labels[held], probability))
