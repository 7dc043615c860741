"""Bootstrap refits: what is unstable is shown to be, and what is not is not."""

from dataclasses import replace

import numpy as np
import pytest

from glabella.models.candidate import Candidate
from glabella.validation.adequacy.stability import (
    Refit,
    describe_refit,
    measure_stability,
    refit_on_resamples,
)
from glabella.validation.fitting.runner import Runner
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.fitting.workers import Workers
from glabella.validation.folds.seeds import derive_seed

RIDGE = Candidate(kind="candidate", description="Ridge", estimator="ridge", settings={"c": 1.0})
TUNED = Candidate(
    kind="candidate",
    description="Ridge",
    estimator="ridge",
    search={"c": {"choice": (0.001, 1.0)}},
    draws=2,
)
RATES = Candidate(kind="candidate", description="Rates by arm", estimator="arm_only")


def _fit(candidate, sample):
    return Trainer(sample, 2, 1).fit(candidate, np.arange(sample.n), seed=derive_seed(1, "fit"))


def _refit(candidate, sample, **changed):
    trainer = Trainer(sample, 2, changed.pop("seed", 9))
    asked = {"refits": 30, **changed}
    return refit_on_resamples(candidate, trainer, describe_refit, **asked)


@pytest.fixture
def sample(make_sample):
    return make_sample(160)


def test_refits_that_are_the_model_itself_are_perfectly_stable(sample):
    tuned = _fit(RIDGE, sample)
    found = measure_stability(tuned, [describe_refit(tuned.model, sample)] * 5, sample)
    assert (found.mean_error, found.mean_flips, found.median_width) == (0.0, 0.0, 0.0)
    assert found.agreement == 1.0
    assert np.ptp(found.slopes) == np.ptp(found.intercepts) == 0.0
    assert [item.is_leading for item in found.features] == [
        item.leading == 1.0 for item in found.features
    ]


def test_error_range_and_flips_are_those_computed_by_hand(sample):
    tuned = _fit(RIDGE, sample)
    own = describe_refit(tuned.model, sample)
    shifted = [
        Refit(np.clip(own.probability + shift, 0.001, 0.999), own.importance)
        for shift in (-0.05, 0.0, 0.1)
    ]
    found = measure_stability(tuned, shifted, sample, threshold=0.5)
    inside = (own.probability > 0.06) & (own.probability < 0.89)
    assert found.error[inside] == pytest.approx(0.05)
    assert (found.high - found.low)[inside] == pytest.approx(0.95 * 0.15, abs=0.01)
    flips = ((own.probability >= 0.5) & (own.probability < 0.55)) | (
        (own.probability < 0.5) & (own.probability >= 0.4)
    )
    assert found.flips == pytest.approx(flips / 3)


def test_fewer_participants_and_more_parameters_are_less_stable(make_sample):
    def measure(candidate, n):
        sample = make_sample(n)
        return measure_stability(_fit(candidate, sample), _refit(candidate, sample), sample)

    large, small, simple = measure(RIDGE, 500), measure(RIDGE, 60), measure(RATES, 60)
    assert large.median_width < small.median_width
    assert large.mean_error < small.mean_error
    assert simple.mean_error < small.mean_error
    assert large.agreement > 0.8


def test_the_spread_of_refits_is_that_of_new_samples(make_sample):
    # The bootstrap is worth something only if it scatters as models of other participants do.
    sample = make_sample(200, seed=1)
    drawn = np.stack([item.probability for item in _refit(RIDGE, sample, refits=60)])
    others = np.stack(
        [
            _fit(RIDGE, make_sample(200, seed=seed)).model.predict_proba(sample.features.frame)[
                :, 1
            ]
            for seed in range(2, 62)
        ]
    )
    ratio = drawn.std(axis=0).mean() / others.std(axis=0).mean()
    assert 0.75 < ratio < 1.3


def test_the_number_of_workers_changes_nothing(sample):
    first, second = (
        _refit(TUNED, sample, refits=6, runner=Runner(Workers(workers))) for workers in (1, 2)
    )
    for one, two in zip(first, second, strict=True):
        assert (one.probability == two.probability).all()
        assert one.importance == two.importance


def test_refits_calibrated_on_their_own_sample_are_too_extreme_on_the_original(make_sample):
    sample = make_sample(80)
    weak = Candidate(kind="candidate", description="", estimator="ridge", settings={"c": 100.0})
    found = measure_stability(_fit(weak, sample), _refit(weak, sample), sample)
    assert np.median(found.slopes) < 1.0
    assert len(found.slopes) == found.refits == 30


# scikit-learn's Newton solver warns where nothing can be learnt, and hands over to another.
@pytest.mark.filterwarnings("ignore:Line search of Newton solver")
def test_a_model_that_uses_no_patient_has_nothing_to_disagree_on(make_sample):
    sample = make_sample(80, with_arms=False)
    same = sample.features.frame.assign(age_years=40.0, severity=20.0)
    same["sex"] = same["sex"].where(same["sex"] == "F", "F")
    constant = replace(sample, features=replace(sample.features, frame=same))
    found = measure_stability(_fit(RIDGE, constant), _refit(RIDGE, constant), constant)
    assert found.agreement == 1.0
    assert not any(item.is_leading or item.used for item in found.features)
    assert len(found.slopes) == 0 and len(found.intercepts) == 30


def test_samples_of_one_class_are_counted_as_failed(make_sample):
    sample = make_sample(10)
    outcomes = (np.arange(10) == 3).astype(np.int8)
    rare = replace(sample, outcomes=outcomes[None])
    refits = _refit(RIDGE, rare)
    failed = sum(item is None for item in refits)
    assert 0 < failed < 30
    found = measure_stability(_fit(RIDGE, rare), refits, rare)
    assert (found.refits, found.failed) == (30 - failed, failed)
    assert f"{failed} samples gave no model" in found.describe()
    assert measure_stability(_fit(RIDGE, rare), [None], rare) is None


def test_a_threshold_outside_is_refused(sample):
    with pytest.raises(ValueError, match="is not inside"):
        measure_stability(_fit(RIDGE, sample), [None], sample, threshold=1.0)


def test_the_sentence_states_what_was_found(sample):
    tuned = _fit(RIDGE, sample)
    text = measure_stability(tuned, [describe_refit(tuned.model, sample)] * 4, sample).describe()
    assert text.startswith("Refitted to 4 bootstrap samples, the model gives the median")
    assert text.endswith("Of the leading features, refits share 100 %.")


def test_samples_of_trials_hold_whole_trials_and_those_of_participants_each_trial(make_sample):
    sample = make_sample(160)
    sizes = {trial: int((sample.trial == trial).sum()) for trial in np.unique(sample.trial)}

    def count(resampled):
        drawn = refit_on_resamples(
            RATES, Trainer(sample, 2, 3), _list_rows, refits=12, resampled=resampled
        )
        trials = [sample.trial[rows] for rows in drawn]
        return [{name: int((mine == name).sum()) for name in sizes} for mine in trials]

    assert all(found == sizes for found in count("participants"))
    of_trials = count("trials")
    assert all(found[name] % size == 0 for found in of_trials for name, size in sizes.items())
    assert any(0 in found.values() for found in of_trials)
    assert any(found == sizes for found in of_trials)


def test_where_trials_differ_samples_of_trials_differ_more(make_sample):
    sample = make_sample(160)
    first = sample.trial == sample.trial[0]
    outcomes = np.where(first, 1, sample.outcomes)
    outcomes[0, np.flatnonzero(first)[:4]] = 0
    differing = replace(sample, outcomes=outcomes.astype(np.int8))
    spread = {
        resampled: np.std(
            [
                refit.probability.mean()
                for refit in _refit(RATES, differing, resampled=resampled)
                if refit is not None
            ]
        )
        for resampled in ("participants", "trials")
    }
    assert spread["trials"] > 3 * spread["participants"]


def _list_rows(model, sample, drawn):
    return drawn
