"""The permutation test: valid under the null, exact in its counting, settled early."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from glabella.validation.comparison.permutation import (
    permute_given,
    permute_within,
    run_permutation_test,
)
from glabella.validation.fitting.runner import Runner
from glabella.validation.fitting.workers import Workers
from glabella.validation.folds.seeds import derive_seed


def _correlate(outcome, features):
    """Make a procedure that takes no time: the covariance of each feature with the outcome."""

    def evaluate(order):
        centered = features[order] - features.mean(axis=0)
        values = centered.T @ (outcome - outcome.mean())
        return {f"feature {index}": float(value) for index, value in enumerate(values)}

    return evaluate


def _fit_slope(feature, responded):
    return float(LogisticRegression(C=1e6, tol=1e-8).fit(feature[:, None], responded).coef_[0, 0])


def _shuffle(n):
    return lambda draw: draw.permutation(n)


def _test(outcome, features, **changed):
    n = len(outcome)
    asked = {"permutations": 99, "seed": 3, "hypothesis": "nothing is related", **changed}
    return run_permutation_test(_correlate(outcome, features), _shuffle(n), n=n, **asked)


@pytest.fixture
def noise():
    draw = np.random.default_rng(8)
    return draw.random(30) < 0.4, draw.normal(size=(30, 4))


class TestTheTest:
    def test_a_strong_relation_gets_the_smallest_p_there_is(self, noise):
        outcome, features = noise
        found = _test(outcome, np.column_stack([features, 9.0 * outcome]))
        assert (found.p_value, found.exceeding, found.permutations) == (0.01, 0, 99)
        assert found.best == "feature 4"
        assert found.rejects and not found.was_stopped
        assert found.describe() == (
            "0 of 99 permutations did at least as well as the participants as they are, with the "
            "whole procedure repeated in each (p = 0.01, the smallest value that so many "
            "permutations can give). This speaks against the hypothesis that nothing is related."
        )

    def test_noise_is_settled_at_the_tenth_that_does_as_well(self, noise):
        found = _test(*noise, permutations=5000)
        assert found.exceeding == 10 and found.permutations < 5000
        assert found.p_value == 10 / found.permutations
        assert found.was_stopped and not found.rejects
        assert "stopped early, with 5000 asked for" in found.describe()
        assert "that it is true does not follow" in found.describe()

    def test_the_number_of_workers_changes_nothing(self, noise):
        assert _test(*noise) == _test(*noise, runner=Runner(Workers(2)))

    def test_more_permutations_begin_with_the_same_ones(self, noise):
        # Stopped at the same permutation, whatever was asked for and however they are batched.
        first, second = _test(*noise, permutations=500), _test(*noise, permutations=2000)
        assert first.permutations == second.permutations

    def test_what_never_differs_is_never_rejected(self, noise):
        outcome, features = noise
        found = _test(outcome, np.ones_like(features))
        assert (found.p_value, found.permutations) == (1.0, 10)

    def test_one_class_is_compatible_with_everything(self, noise):
        assert _test(np.ones(30), noise[1]).p_value == 1.0

    def test_no_statistic_is_null_with_a_reason(self):
        found = run_permutation_test(
            lambda order: {"ridge": float("nan")},
            _shuffle(5),
            n=5,
            hypothesis="nothing is related",
            permutations=9,
            seed=1,
        )
        assert found.p_value is None and not found.rejects and not found.was_stopped
        assert found.describe() == (
            "Not tested that nothing is related: no candidate has the statistic."
        )

    def test_a_candidate_that_fails_on_some_permutations_does_not_count_there(self, noise):
        outcome, features = noise
        inner = _correlate(outcome, features)

        def evaluate(order):
            return {**inner(order), "feature 0": float("nan")}

        with_nan = run_permutation_test(
            evaluate, _shuffle(30), n=30, hypothesis="", permutations=50, seed=3
        )
        without = _test(outcome, features[:, 1:], permutations=50)
        assert (with_nan.p_value, with_nan.exceeding) == (without.p_value, without.exceeding)

    @pytest.mark.parametrize("wrong", [{"permutations": 0}, {"fewest": 0}])
    def test_no_permutations_are_refused(self, noise, wrong):
        with pytest.raises(ValueError, match="at least one permutation"):
            _test(*noise, **wrong)

    def test_under_the_null_the_level_is_kept_by_the_maximum_over_candidates(self):
        # 400 data sets of noise, eight candidates each: at 0.05 and 0.2 p must not be too small too
        # often. Bounds: the binomial's 99.9th percentile.
        p_values = []
        for number in range(400):
            draw = np.random.default_rng(derive_seed(1, "null", number))
            outcome, features = draw.random(20) < 0.5, draw.normal(size=(20, 8))
            p_values.append(_test(outcome, features, permutations=39, seed=number).p_value)
        assert np.mean(np.array(p_values) <= 0.05) < 0.0875
        assert 0.14 < np.mean(np.array(p_values) <= 0.2) < 0.265


class TestPermuteWithin:
    @given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(0, 1000))
    def test_every_participant_keeps_the_stratum(self, strata, seed):
        strata = np.array(strata)
        order = permute_within(strata, np.random.default_rng(seed))
        assert sorted(order) == list(range(len(strata)))
        assert (strata[order] == strata).all()

    def test_periods_of_a_person_stay_together(self):
        people = np.array([0, 0, 1, 1, 2, 2, 3])
        strata = np.array(["a", "b", "b", "a", "a", "b", "a"])
        for seed in range(20):
            order = permute_within(strata, np.random.default_rng(seed), people=people)
            assert (strata[order] == strata).all()
            # Who has one period is no match for those who have two.
            assert order[6] == 6
            for person in range(3):
                assert len(set(people[order[people == person]])) == 1

    def test_all_orders_of_a_stratum_are_alike_likely(self):
        draw = np.random.default_rng(2)
        drawn = [tuple(permute_within([0, 0, 0], draw)) for _ in range(3000)]
        counts = [drawn.count(order) for order in itertools.permutations(range(3))]
        assert sum(counts) == 3000
        assert all(420 < count < 580 for count in counts)


class TestPermuteGiven:
    @given(
        st.lists(
            st.tuples(st.integers(0, 2), st.booleans(), st.floats(-30, 30)),
            min_size=1,
            max_size=25,
        ),
        st.integers(0, 1000),
    )
    def test_strata_are_kept_and_nobody_is_lost(self, cells, seed):
        strata, responded, log_odds = (np.array(part) for part in zip(*cells, strict=True))
        order = permute_given(strata, responded, log_odds, np.random.default_rng(seed))
        assert sorted(order) == list(range(len(strata)))
        assert (strata[order] == strata).all()

    def test_assignments_that_keep_the_sum_have_the_probability_that_the_model_gives_them(self):
        # Two strata; by enumeration the product of odds of every assignment within the bound.
        draw = np.random.default_rng(6)
        strata = np.repeat([0, 1], [6, 5])
        log_odds = np.array([-1.2, 0.3, 1.6, -0.4, 0.9, 0.1, 0.5, -0.8, 1.1, 0.0, -0.3])
        responded = np.isin(np.arange(11), [0, 2, 4, 7, 9])
        of_all = np.array(
            [
                (*first, *(6 + at for at in second))
                for first in itertools.combinations(range(6), 3)
                for second in itertools.combinations(range(5), 2)
            ]
        )
        sums = log_odds[of_all].sum(axis=1)
        kept = np.abs(sums - log_odds[responded].sum()) <= 0.25 * sums.std()
        likely = np.where(kept, np.exp(sums), 0.0) / np.exp(sums[kept]).sum()
        drawn = [
            tuple(sorted(permute_given(strata, responded, log_odds, draw)[responded]))
            for _ in range(8000)
        ]
        shares = np.array([drawn.count(tuple(each)) for each in of_all.tolist()]) / 8000
        assert 20 < kept.sum() < 100
        assert shares[~kept].sum() == 0
        assert shares == pytest.approx(likely, abs=0.009)

    def test_where_it_began_is_forgotten(self):
        draw = np.random.default_rng(8)
        strata, log_odds = np.repeat([0, 1], 100), 0.3 * draw.normal(size=200)
        responded = draw.random(200) < 0.4
        # Of the participants whose features go to responders, as many responded as of all.
        shares = [
            responded[permute_given(strata, responded, log_odds, draw)][responded].mean()
            for _ in range(60)
        ]
        of_all = np.array([responded[strata == each].mean() for each in (0, 1)])
        assert np.mean(shares) == pytest.approx((of_all**2).sum() / of_all.sum(), abs=0.04)

    def test_a_model_fitted_to_permuted_participants_comes_out_as_it_did(self):
        draw = np.random.default_rng(9)
        severity = draw.normal(size=300)
        responded = draw.random(300) < 1 / (1 + np.exp(-0.4 * severity))
        slope = _fit_slope(severity, responded)
        permuted = [
            _fit_slope(severity[order], responded)
            for order in (
                permute_given(np.zeros(300), responded, slope * severity, draw) for _ in range(40)
            )
        ]
        # Its standard error is 0.12.
        assert np.array(permuted) == pytest.approx(slope, abs=0.04)
        assert np.std(permuted) < 0.025

    def test_only_differences_within_a_stratum_matter(self):
        responded, strata = np.tile([True, False, False], 4), np.repeat([0, 1], 6)
        log_odds = np.random.default_rng(1).normal(size=12)
        first = permute_given(strata, responded, log_odds, np.random.default_rng(5))
        shifted = log_odds + np.where(strata == 0, 3.0, -2.0)
        second = permute_given(strata, responded, shifted, np.random.default_rng(5))
        assert (first == second).all()

    def test_the_relation_with_severity_is_no_finding(self):
        # Severity drives response, a feature follows severity and nothing else: plain permutation
        # finds the feature, permutation given severity must not.
        rejected = {"plain": 0, "given": 0}
        for number in range(60):
            draw = np.random.default_rng(derive_seed(2, "severity", number))
            severity = draw.normal(size=80)
            feature = severity + 0.5 * draw.normal(size=80)
            outcome = draw.random(80) < 1 / (1 + np.exp(-1.5 * severity))
            evaluate = _correlate(outcome, feature[:, None])
            schemes = {
                "plain": _shuffle(80),
                "given": lambda source, s=severity, y=outcome: permute_given(
                    np.zeros(80), y, 1.5 * s, source
                ),
            }
            for name, draw_order in schemes.items():
                found = run_permutation_test(
                    evaluate, draw_order, n=80, hypothesis="", permutations=39, seed=number
                )
                rejected[name] += found.rejects
        assert rejected["plain"] > 50
        assert rejected["given"] <= 8
