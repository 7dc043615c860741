"""Net benefit against dcurves, its bounds, and where it is not estimable."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.validation.measures.estimation.rubin import pool_estimates
from glabella.validation.measures.net_benefit import compute_net_benefit, measure_net_benefit


def _predict(sample, probability, repeats=1):
    return pd.concat(
        [
            pd.DataFrame({"row": np.arange(sample.n), "repeat": at, "probability": probability})
            for at in range(repeats)
        ],
        ignore_index=True,
    )


@st.composite
def _predicted(draw):
    n = draw(st.integers(1, 40))
    responded = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    percent = draw(st.lists(st.integers(0, 100), min_size=n, max_size=n))
    return np.array(responded), np.array(percent) / 100, draw(st.integers(1, 99)) / 100


class TestOneThreshold:
    def test_it_is_that_of_dcurves(self, net_benefit_reference, reference_predictions):
        # dcurves 1.1.7: net_benefit_reference.json. Some thresholds tie with predictions.
        data = reference_predictions.query("repetition == 0 and arm == 'active'")
        everybody = np.ones(len(data))

        for threshold, model, treat_all in zip(
            *(net_benefit_reference[name] for name in ("threshold", "model", "treat_all")),
            strict=True,
        ):
            of = {"responded": data["responded"], "threshold": threshold}
            found = compute_net_benefit(probability=data["probability"], **of)
            assert found == pytest.approx(model, abs=1e-12)
            assert compute_net_benefit(probability=everybody, **of) == pytest.approx(treat_all)

    @given(_predicted())
    def test_it_is_at_most_the_rate_and_at_least_treating_the_others_alone(self, data):
        responded, probability, threshold = data

        found = compute_net_benefit(responded, probability, threshold=threshold)

        rate = responded.mean()
        assert -(1 - rate) * threshold / (1 - threshold) - 1e-12 <= found <= rate + 1e-12

    @given(_predicted(), st.randoms(use_true_random=False))
    def test_the_order_of_rows_changes_nothing(self, data, random):
        responded, probability, threshold = data
        order = list(range(len(responded)))
        random.shuffle(order)

        assert compute_net_benefit(
            responded[order], probability[order], threshold=threshold
        ) == pytest.approx(compute_net_benefit(responded, probability, threshold=threshold))

    def test_knowing_the_outcome_gains_the_rate_and_acting_on_nobody_nothing(self):
        responded = np.repeat([True, False], [3, 7])

        assert compute_net_benefit(responded, responded, threshold=0.7) == pytest.approx(0.3)
        assert compute_net_benefit(responded, np.zeros(10), threshold=0.01) == 0

    @pytest.mark.parametrize("threshold", [0.0, 1.0, -0.1, 1.5, float("nan")])
    def test_a_threshold_outside_0_and_1_is_refused(self, threshold):
        with pytest.raises(ValueError, match=r"a threshold lies inside \(0, 1\)"):
            compute_net_benefit([True, False], [0.4, 0.6], threshold=threshold)

    @pytest.mark.parametrize(("responded", "probability"), [([True], [0.4, 0.6]), ([], [])])
    def test_other_or_no_people_are_refused(self, responded, probability):
        with pytest.raises(ValueError, match="the same people, at least one"):
            compute_net_benefit(responded, probability, threshold=0.5)


class TestCurve:
    @pytest.fixture
    def sample(self, make_sample):
        return make_sample(200, seed=3)

    @pytest.fixture
    def probability(self, sample):
        return np.clip(np.random.default_rng(2).normal(0.35 + 0.25 * sample.labels, 0.2), 0, 1)

    def test_it_is_of_the_active_arm_against_the_better_of_all_and_none(self, sample, probability):
        curve = measure_net_benefit(_predict(sample, probability), sample)

        active = sample.active
        assert (curve.n, curve.events) == (active.sum(), sample.labels[active].sum())
        assert len(curve.points) == 99
        for point in curve.points:
            of = {"responded": sample.labels[active], "threshold": point.threshold}
            model = compute_net_benefit(probability=probability[active], **of)
            treat_all = compute_net_benefit(probability=np.ones(active.sum()), **of)
            assert point.model.value == pytest.approx(model)
            assert point.treat_all.value == pytest.approx(treat_all)
            assert point.gain.value == pytest.approx(model - max(treat_all, 0), abs=1e-12)

    def test_the_interval_is_that_of_a_mean(self, sample, probability):
        curve = measure_net_benefit(_predict(sample, probability), sample, thresholds=[0.4])

        active = sample.active
        worth = np.where(sample.labels[active] == 1, 1, -0.4 / 0.6)
        worth = worth * (probability[active] >= 0.4)
        error = worth.std(ddof=1) / np.sqrt(active.sum())
        model = curve.points[0].model
        assert model.high - model.value == pytest.approx(1.959963984540054 * error)

    def test_repetitions_add_no_certainty(self, sample, probability):
        once = measure_net_benefit(_predict(sample, probability), sample).frame()
        often = measure_net_benefit(_predict(sample, probability, repeats=5), sample).frame()

        np.testing.assert_allclose(once, often, atol=1e-12)

    def test_without_arms_everybody_counts(self, make_sample):
        sample = make_sample(60, with_arms=False)

        assert measure_net_benefit(_predict(sample, np.linspace(0, 1, 60)), sample).n == 60

    def test_rules_that_treat_alike_have_a_gain_of_0_without_an_interval(self, sample):
        curve = measure_net_benefit(
            _predict(sample, np.full(sample.n, 0.5)), sample, thresholds=[0.01, 0.99]
        )

        for point in curve.points:
            assert (point.gain.value, point.gain.low) == (0.0, None)
            assert point.gain.reason == "both rules treat the same participants"
        assert curve.points[1].model.low is None
        assert curve.points[0].model.low < curve.points[0].model.value

    def test_imputed_outcomes_are_pooled(self, sample, probability):
        random = np.random.default_rng(5)
        drawn = np.stack(
            [np.where(random.random(200) < 0.1, 1 - sample.labels, sample.labels) for _ in range(3)]
        ).astype(np.int8)
        predictions = _predict(sample, probability)

        pooled = measure_net_benefit(predictions, replace(sample, outcomes=drawn), thresholds=[0.3])

        each = [
            measure_net_benefit(
                predictions, replace(sample, outcomes=one[None]), thresholds=[0.3]
            ).points[0]
            for one in drawn
        ]
        wanted = pool_estimates([point.gain for point in each], units=pooled.n)
        assert pooled.points[0].gain == wanted

    def test_an_active_arm_with_four_of_a_class_gives_a_reason(self, make_sample):
        sample = make_sample(60)
        labels = np.zeros(60, dtype=np.int8)
        labels[np.flatnonzero(sample.active)[:4]] = 1
        labels[~sample.active] = 1

        curve = measure_net_benefit(
            _predict(sample, np.linspace(0, 1, 60)), replace(sample, outcomes=labels[None])
        )

        assert curve.points == ()
        assert "under 5 of a class" in curve.reason
        assert curve.frame().empty

    def test_a_threshold_outside_0_and_1_is_refused(self, sample, probability):
        with pytest.raises(ValueError, match="and 1 does not"):
            measure_net_benefit(_predict(sample, probability), sample, thresholds=[0.5, 1.0])
