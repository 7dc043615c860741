"""What folds and measures need to know of the participants."""

from dataclasses import replace

import numpy as np
import pytest

from glabella.data.endpoints.imputation import OutcomeImputation
from glabella.validation.folds.sample import complete_measured
from glabella.validation.folds.seeds import derive_seed


@pytest.fixture
def sample(make_sample):
    return make_sample(12)


class Drawn(OutcomeImputation):
    """Says of each participant whether the first covariate is above 0."""

    def __init__(self):
        self.asked = []

    def complete(self, rows, seed, covariates=None):
        self.asked.append((rows.tolist(), seed.spawn_key, covariates.shape))
        return (np.nan_to_num(covariates[None, :, 0]) > 0).astype(np.int8)


def test_responders_are_counted_over_all_imputations(sample):
    outcomes = np.zeros((4, 12), dtype=np.int8)
    outcomes[:, 0] = 1
    outcomes[:3, 1] = 1
    several = replace(sample, outcomes=outcomes)
    assert (several.n, several.events) == (12, 1.75)
    assert several.count_events(np.array([1, 2])) == 0.75
    assert several.expected[:3].tolist() == [1.0, 0.75, 0.0]
    np.testing.assert_array_equal(several.labels, outcomes[0])
    single = replace(sample, outcomes=outcomes[:1])
    assert single.events == 2 and isinstance(single.events, int)


def test_each_row_is_one_person_by_default(sample):
    assert sample.people.tolist() == list(range(12))
    twice = np.repeat(np.arange(6), 2)
    assert replace(sample, person=twice).people is twice


def test_participants_are_grouped_by_trial_or_site_and_else_split(sample):
    assert sample.group_by("participant") is None
    assert sample.group_by("trial") is sample.trial
    assert sample.group_by("site") is sample.site


def test_only_participants_of_the_same_trial_cohort_and_arm_share_a_stratum(sample):
    cohort = np.where(np.arange(12) < 6, "a", "b")
    several = replace(sample, cohort=cohort)
    wanted = list(zip(several.trial, cohort, several.arm, strict=True))
    for one in range(12):
        same = several.strata == several.strata[one]
        assert same.tolist() == [cell == wanted[one] for cell in wanted]


def test_the_background_has_every_trial_and_arm_in_its_proportion(make_sample):
    sample = replace(make_sample(200), background=20)
    rows = np.arange(0, 200, 3)
    chosen, weights = sample.choose_background(rows)
    assert set(chosen) <= set(rows) and len(set(chosen)) == len(chosen)
    assert len(chosen) <= 20 + 4
    assert weights.sum() == pytest.approx(1)
    for trial in ("T1", "T2"):
        for arm in ("active", "control"):
            inside = (sample.trial == trial) & (sample.arm == arm)
            assert weights[inside[chosen]].sum() == pytest.approx(inside[rows].mean())


def test_without_imputation_a_model_learns_the_outcomes_of_its_own_participants(sample):
    rows = np.array([3, 1, 7])
    learnt = sample.complete_training(rows, np.random.SeedSequence(1))
    np.testing.assert_array_equal(learnt, sample.outcomes[:, rows])


def test_with_imputation_outcomes_are_learnt_from_the_training_participants_alone(sample):
    drawn = Drawn()
    imputed = replace(sample, imputation=drawn)
    imputed.complete_training(np.array([3, 1, 7]), np.random.SeedSequence(1))
    [(rows, _, shape)] = drawn.asked
    assert rows == [3, 1, 7] and shape[0] == 3


def test_outcomes_that_are_measured_are_learnt_from_everybody_with_a_separate_seed(sample):
    drawn = Drawn()
    complete_measured(drawn, sample.features, 5)
    [(rows, key, _)] = drawn.asked
    assert rows == list(range(12))
    assert key == derive_seed(5, "impute", "measured").spawn_key


def test_exchanged_features_leave_outcomes_that_are_known(sample):
    order = np.roll(np.arange(12), 1)
    moved = sample.exchange(["severity"], order, seed=1)
    np.testing.assert_array_equal(
        moved.features.frame["severity"], sample.features.frame["severity"].to_numpy()[order]
    )
    assert moved.features.frame["sex"].equals(sample.features.frame["sex"])
    assert moved.outcomes is sample.outcomes


def test_an_active_arm_alone_is_no_comparison(make_sample, sample):
    assert sample.has_arms
    assert not make_sample(12, with_arms=False).has_arms
