"""The smooth calibration curve and its distance from the ideal, against R and known truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from glabella.validation.measures.calibration_curve import (
    CalibrationCurve,
    fit_calibration_curve,
    measure_calibration_error,
)
from glabella.validation.measures.estimation.estimate import Estimate, estimate_proportion
from glabella.validation.measures.estimation.rubin import pool_estimates


def _fit(responded, probability, participant=None):
    n = len(probability)
    return fit_calibration_curve(
        responded, probability, participant=np.arange(n) if participant is None else participant
    )


def _draw(n, seed, *, slope=1.0, shift=0.0):
    random = np.random.default_rng(seed)
    log_odds = random.normal(0, 1.2, n)
    return random.random(n) < expit(shift + slope * log_odds), expit(log_odds)


class TestAgainstR:
    """Hmisc 4.8.0's spline in glm, sandwich 3.0.2, rms 6.5.0: measures_reference.json."""

    @pytest.mark.parametrize("part", ["one_repetition", "repetitions"])
    def test_curve_and_band_are_those_of_glm_and_sandwich(
        self, measures_reference, reference_predictions, part
    ):
        data = reference_predictions
        data = data.query("repetition == 0") if part == "one_repetition" else data
        expected = measures_reference[part]["curve"]

        curve = _fit(data["responded"], data["probability"], data["participant"])

        assert curve.coefficients == 4
        at = np.searchsorted(curve.predicted, expected["predicted"])
        assert curve.predicted[at].tolist() == expected["predicted"]
        for name in ("observed", "low", "high"):
            assert getattr(curve, name)[at] == pytest.approx(expected[name], abs=1e-6)

    @pytest.mark.parametrize("part", ["one_repetition", "repetitions"])
    def test_distances_are_those_of_r(self, measures_reference, reference_predictions, part):
        data = reference_predictions
        data = data.query("repetition == 0") if part == "one_repetition" else data
        expected = measures_reference[part]["curve"]

        error = measure_calibration_error(
            _fit(data["responded"], data["probability"], data["participant"])
        )

        for name in ("ici", "e50", "e90"):
            assert getattr(error, name).value == pytest.approx(expected[name], abs=1e-6)

    def test_another_smoother_sees_much_the_same(self, measures_reference, reference_predictions):
        # val.prob's Eavg and E90 are from lowess without iterations.
        data = reference_predictions.query("repetition == 0")
        expected = measures_reference["one_repetition"]["rms_val_prob"]

        error = measure_calibration_error(_fit(data["responded"], data["probability"]))

        assert error.ici.value == pytest.approx(expected["eavg"], abs=0.02)
        assert error.e90.value == pytest.approx(expected["e90"], abs=0.02)


class TestKnownTruth:
    @pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.5, 0.0), (1.0, 0.7)])
    def test_a_large_sample_gives_back_the_curve_and_its_distance(self, slope, shift):
        responded, probability = _draw(40_000, 2, slope=slope, shift=shift)

        curve = _fit(responded, probability)

        truth = expit(shift + slope * logit(curve.predicted))
        assert np.abs(curve.observed - truth)[2000:-2000].max() < 0.02
        error = measure_calibration_error(curve)
        distance = np.abs(truth - curve.predicted)
        assert error.ici.value == pytest.approx(distance.mean(), abs=0.01)
        assert error.e90.value == pytest.approx(np.quantile(distance, 0.9), abs=0.02)

    def test_the_bounds_hold_the_true_distance(self):
        large = np.random.default_rng(1).normal(0, 1.2, 200_000)
        truth = np.abs(expit(0.6 * large) - expit(large)).mean()
        covered = []
        for seed in range(200):
            ici = measure_calibration_error(_fit(*_draw(150, seed, slope=0.6))).ici
            covered.append(ici.low <= truth <= ici.high)

        assert np.mean(covered) >= 0.95

    def test_the_band_covers_the_curve_at_a_point(self):
        covered = []
        for seed in range(300):
            curve = _fit(*_draw(200, seed, slope=0.7))
            at = int(np.argmin(np.abs(curve.predicted - 0.4)))
            truth = expit(0.7 * logit(curve.predicted[at]))
            covered.append(curve.low[at] <= truth <= curve.high[at])

        assert 0.91 <= np.mean(covered) <= 0.98

    def test_ideal_predictions_have_a_distance_of_almost_0_within_the_bounds(self):
        ici = measure_calibration_error(_fit(*_draw(300, 12))).ici

        assert ici.low < 0.005 < ici.value < ici.high < 0.15


class TestCurve:
    @given(st.integers(0, 10_000), st.integers(20, 120))
    def test_it_lies_inside_its_band_and_the_unit_interval(self, seed, n):
        responded, probability = _draw(n, seed)
        responded[:5], responded[5:10] = True, False

        curve = _fit(responded, probability)
        error = measure_calibration_error(curve)

        if curve.reason is not None:
            assert error.ici.reason == curve.reason
            return
        assert (curve.low >= 0).all()
        assert (curve.low <= curve.observed).all()
        assert (curve.observed <= curve.high).all()
        assert (curve.high <= 1).all()
        assert curve.count.sum() == n
        for each in (error.ici, error.e50, error.e90):
            assert 0 <= each.low <= each.value <= each.high <= 1

    @given(st.integers(0, 10_000))
    def test_exchanging_the_classes_turns_the_curve(self, seed):
        responded, probability = _draw(80, seed)
        responded[:10], responded[10:20] = True, False

        first = measure_calibration_error(_fit(responded, probability))
        second = measure_calibration_error(_fit(~responded, 1 - probability))

        for name in ("ici", "e50", "e90"):
            one, two = getattr(first, name), getattr(second, name)
            assert one.value is two.value is None or one.value == pytest.approx(two.value, abs=1e-5)

    def test_the_order_of_rows_changes_nothing(self):
        responded, probability = _draw(90, 5)
        order = np.random.default_rng(1).permutation(90)

        first = _fit(responded, probability).frame()
        second = _fit(responded[order], probability[order], order).frame()

        np.testing.assert_allclose(first, second, rtol=1e-6)

    def test_repetitions_add_no_certainty(self):
        responded, probability = _draw(120, 6)

        once = _fit(responded, probability)
        often = _fit(np.tile(responded, 8), np.tile(probability, 8), np.tile(np.arange(120), 8))

        assert often.observed == pytest.approx(once.observed, abs=1e-6)
        assert (often.high - often.low) == pytest.approx(once.high - once.low, rel=0.03)
        assert often.count.tolist() == [8] * 120

    @pytest.mark.parametrize(
        ("responders", "coefficients"), [(5, 2), (29, 2), (30, 3), (39, 3), (40, 4), (90, 4)]
    )
    def test_it_bends_as_often_as_the_rarer_class_allows(self, responders, coefficients):
        responded = np.repeat([1, 0], [responders, 100])
        probability = np.random.default_rng(3).uniform(0.1, 0.9, responders + 100)

        assert _fit(responded, probability).coefficients == coefficients

    @pytest.mark.parametrize("levels", [2, 3, 4, 6])
    def test_few_distinct_predictions_bend_less(self, levels):
        random = np.random.default_rng(levels)
        probability = np.linspace(0.2, 0.8, levels)[np.arange(240) % levels]

        curve = _fit(random.random(240) < probability, probability)

        assert curve.reason is None
        assert len(curve.predicted) == levels
        assert 2 <= curve.coefficients <= min(levels, 4)

    def test_imputed_outcomes_are_pooled_at_each_point(self):
        random = np.random.default_rng(8)
        responded, probability = _draw(150, 8)
        sets = np.stack(
            [np.where(random.random(150) < 0.15, ~responded, responded) for _ in range(4)]
        )

        pooled = _fit(sets, probability)

        each = [_fit(one, probability) for one in sets]
        for at in (0, 40, 149):
            parts = []
            for curve in each:
                value = curve.observed[at]
                error = (logit(curve.high[at]) - logit(value)) / 1.959963984540054
                parts.append(estimate_proportion(value, error * value * (1 - value)))
            wanted = pool_estimates(parts, units=150)
            assert (pooled.observed[at], pooled.low[at], pooled.high[at]) == pytest.approx(
                (wanted.value, wanted.low, wanted.high), abs=1e-6
            )


class TestDegenerate:
    @pytest.mark.parametrize("level", [0.01, 0.4, 0.9])
    def test_one_prediction_for_all_is_held_against_the_rate(self, level):
        curve = _fit(np.tile([1, 0, 0, 1, 0], 10), np.full(50, level))

        assert curve.observed == pytest.approx([0.4])
        error = measure_calibration_error(curve)
        for each in (error.ici, error.e50, error.e90):
            assert each.value == pytest.approx(abs(level - 0.4))

    @pytest.mark.parametrize("rising", [True, False])
    def test_predictions_that_separate_the_classes(self, rising):
        probability = np.r_[np.linspace(0.1, 0.3, 10), np.linspace(0.6, 0.9, 10)]

        curve = _fit(np.repeat([0, 1] if rising else [1, 0], 10), probability)

        assert curve.reason == "the predictions separate the classes"
        assert curve.frame().empty

    def test_a_tail_of_one_class_does_not_carry_the_curve_away(self):
        # Nobody above one half is of the other class: the bent curve may have no maximum there.
        random = np.random.default_rng(0)
        probability = np.r_[random.uniform(0.05, 0.5, 100), random.uniform(0.5, 0.95, 60)]
        responded = np.r_[random.random(100) < 0.3, np.ones(60, dtype=bool)]

        curve = _fit(responded, probability)

        assert curve.reason is None
        assert np.isfinite(curve.frame()).all(axis=None)

    @pytest.mark.parametrize("edge", [0.0, 1.0])
    def test_certainty_has_no_log_odds(self, edge):
        responded, probability = _draw(40, 1)

        curve = _fit(np.r_[responded, True], np.r_[probability, edge])

        assert curve.reason == "a prediction of exactly 0 or 1 has no log odds"
        assert measure_calibration_error(curve).ici == Estimate(reason=curve.reason)

    @pytest.mark.parametrize(("responders", "others"), [(4, 30), (30, 4), (0, 10), (0, 0)])
    def test_under_five_of_a_class(self, responders, others):
        n = responders + others
        curve = _fit(np.repeat([1, 0], [responders, others]), np.linspace(0.2, 0.8, n))

        assert "under 5 of a class" in curve.reason

    def test_ten_participants_have_a_straight_line(self):
        responded = [0, 1, 0, 0, 1, 1, 0, 1, 0, 1]

        curve = _fit(responded, np.linspace(0.2, 0.8, 10))

        assert isinstance(curve, CalibrationCurve)
        assert curve.coefficients == 2
