import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from glabella.validation.measures.calibration import compute_calibration, group_calibration
from glabella.validation.measures.registry import compute_measure

_Z = 1.959963984540054


def _error(estimate):
    return (estimate.high - estimate.low) / 2 / _Z


def _calibrate(responded, probability):
    return compute_calibration(responded, probability, participant=np.arange(len(responded)))


def _assert_null(estimate):
    assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
    assert estimate.reason


class TestAgainstR:
    """R 4.2.2's glm with an offset, rms 6.5.0 and sandwich 3.0.2: validation_reference.json."""

    @pytest.mark.parametrize("part", ["one_repetition", "repetitions"])
    def test_slope_and_intercept_are_those_of_glm(self, reference, reference_predictions, part):
        single = part == "one_repetition"
        data = reference_predictions.query("repetition == 0") if single else reference_predictions
        expected = reference[part]

        found = compute_calibration(
            data["responded"], data["probability"], participant=data["participant"]
        )

        assert found.slope.value == pytest.approx(expected["calibration_slope"], abs=1e-6)
        assert found.intercept.value == pytest.approx(
            expected["calibration_in_the_large"], abs=1e-6
        )
        assert _error(found.slope) == pytest.approx(expected["calibration_slope_se"], abs=1e-6)
        assert _error(found.intercept) == pytest.approx(
            expected["calibration_in_the_large_se"], abs=1e-6
        )

    def test_slope_is_that_of_val_prob(self, reference, reference_predictions):
        data = reference_predictions.query("repetition == 0")

        slope = _calibrate(data["responded"], data["probability"]).slope.value

        assert slope == pytest.approx(
            reference["one_repetition"]["rms_val_prob"]["slope"], abs=1e-6
        )

    @pytest.mark.parametrize("part", ["one_repetition", "repetitions"])
    def test_observed_over_expected_and_its_error_are_those_of_the_delta_method(
        self, measures_reference, reference_predictions, part
    ):
        # car 3.1.1 and sandwich 3.0.2: measures_reference.json.
        data = reference_predictions
        data = data.query("repetition == 0") if part == "one_repetition" else data
        expected = measures_reference[part]["log_observed_expected"]

        found = compute_measure(
            "observed_expected",
            data["responded"],
            data["probability"],
            participant=data["participant"],
        )

        assert np.log(found.value) == pytest.approx(expected["value"], abs=1e-12)
        assert found.scale == "log"
        assert found.standard_error == pytest.approx(expected["se"], rel=1e-9)

    def test_wilson_bounds_are_those_of_prop_test(self, reference):
        for expected in reference["wilson"]:
            responded = [1] * expected["events"] + [0] * (expected["n"] - expected["events"])

            (group,) = group_calibration(responded, np.linspace(0.4, 0.5, expected["n"]), groups=1)

            assert group.low == pytest.approx(expected["low"], abs=1e-9)
            assert group.high == pytest.approx(expected["high"], abs=1e-9)


class TestKnownTruth:
    @pytest.mark.parametrize(
        ("slope", "shift"), [(1.0, 0.0), (0.5, 0.0), (1.6, 0.0), (1.0, 0.7), (1.0, -1.1)]
    )
    def test_a_large_sample_gives_back_slope_and_intercept(self, slope, shift):
        random = np.random.default_rng(5)
        log_odds = random.normal(0, 1.2, 40_000)
        responded = random.random(40_000) < expit(shift + slope * log_odds)

        found = _calibrate(responded, expit(log_odds))

        assert found.slope.value == pytest.approx(slope, abs=0.05)
        assert found.slope.low < slope < found.slope.high
        if slope == 1.0:
            assert found.intercept.value == pytest.approx(shift, abs=0.05)
            assert found.intercept.low < shift < found.intercept.high

    def test_the_interval_of_the_slope_covers_it_in_new_samples(self):
        random = np.random.default_rng(31)
        covered = []
        for _ in range(400):
            log_odds = random.normal(0, 1.5, 200)
            responded = random.random(200) < expit(0.3 + 0.6 * log_odds)
            slope = _calibrate(responded, expit(log_odds)).slope
            covered.append(slope.low <= 0.6 <= slope.high)

        assert 0.92 <= np.mean(covered) <= 0.98

    def test_repeated_predictions_are_not_new_participants(self):
        random = np.random.default_rng(6)
        log_odds = random.normal(size=100)
        responded, probability = random.random(100) < expit(log_odds), expit(2 * log_odds)

        once = _calibrate(responded, probability)
        repeated = compute_calibration(
            np.tile(responded, 10),
            np.tile(probability, 10),
            participant=np.tile(np.arange(100), 10),
        )

        for name in ("slope", "intercept"):
            first, second = getattr(once, name), getattr(repeated, name)
            assert second.value == pytest.approx(first.value, abs=1e-6)
            assert _error(second) == pytest.approx(_error(first), rel=0.02)


class TestNullWithAReason:
    """Warnings are errors in this suite, so each of these also shows that there is none."""

    @pytest.mark.parametrize(("responders", "others"), [(4, 30), (30, 4), (0, 10), (10, 0), (0, 0)])
    def test_under_five_of_a_class(self, responders, others):
        n = responders + others
        found = _calibrate([1] * responders + [0] * others, np.linspace(0.2, 0.8, n))

        _assert_null(found.slope)
        _assert_null(found.intercept)
        assert found.slope.reason.endswith("under 5 of a class")

    def test_four_responders_in_many_repetitions_are_four(self):
        random = np.random.default_rng(8)
        found = compute_calibration(
            np.tile([1] * 4 + [0] * 30, 10),
            random.random(340),
            participant=np.tile(np.arange(34), 10),
        )

        _assert_null(found.slope)

    @pytest.mark.parametrize("level", [0.01, 0.4, 0.9])
    def test_the_same_prediction_for_all_has_an_intercept_and_no_slope(self, level):
        responded = np.tile([1, 0, 0, 1, 0], 10)

        found = _calibrate(responded, np.full(50, level))

        _assert_null(found.slope)
        assert found.slope.reason == "the prediction is the same for all"
        assert found.intercept.value == pytest.approx(
            np.log(0.4 / 0.6) - np.log(level / (1 - level))
        )

    @pytest.mark.parametrize("rising", [True, False])
    def test_predictions_that_separate_the_classes(self, rising):
        probability = np.r_[np.linspace(0.1, 0.3, 10), np.linspace(0.6, 0.9, 10)]
        responded = np.repeat([0, 1] if rising else [1, 0], 10)

        found = _calibrate(responded, probability)

        _assert_null(found.slope)
        assert found.slope.reason == "the predictions separate the classes"

    def test_predictions_that_separate_all_but_a_tie(self):
        # Both classes hold a prediction of exactly one half; otherwise they do not overlap, so
        # the likelihood has no maximum (Albert and Anderson, Biometrika 1984;71:1-10).
        probability = np.r_[np.linspace(0.1, 0.5, 10), np.linspace(0.5, 0.9, 10)]

        _assert_null(_calibrate(np.repeat([0, 1], 10), probability).slope)

    def test_two_predictions_of_which_one_is_always_right(self):
        # All with the higher prediction responded: quasi-complete separation again, where the
        # iteration stops at some slope that means nothing.
        probability = np.r_[np.full(15, 0.2), np.full(5, 0.8)]

        _assert_null(_calibrate([0] * 10 + [1] * 10, probability).slope)

    def test_certainty_that_is_always_right_or_wrong(self):
        responded = np.repeat([0, 1], 10)

        for probability in (responded, 1 - responded):
            found = _calibrate(responded, probability.astype(float))
            _assert_null(found.slope)


class TestObservedExpected:
    def _measure(self, responded, probability):
        return compute_measure(
            "observed_expected", responded, probability, participant=np.arange(len(responded))
        )

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.lists(st.tuples(st.booleans(), st.integers(1, 100)), max_size=40))
    def test_its_interval_is_symmetric_on_the_log_scale(self, rows):
        responded = np.array([row[0] for row in rows] + [True] * 5 + [False] * 5)
        probability = np.array([row[1] for row in rows] + [30] * 10) / 100

        found = self._measure(responded, probability)

        assert found.value == pytest.approx(responded.sum() / probability.sum())
        assert 0 < found.low <= found.value <= found.high
        assert found.low * found.high == pytest.approx(found.value**2)

    def test_certainty_that_is_right_is_one_and_says_nothing_of_others(self):
        responded = np.repeat([1, 0], 10)

        found = self._measure(responded, responded.astype(float))

        assert (found.value, found.low, found.high) == (1, None, None)
        assert found.reason == "every participant adds the same, so no interval can be formed"

    def test_certainty_of_no_response_has_no_ratio(self):
        found = self._measure(np.repeat([1, 0], 10), np.zeros(20))

        _assert_null(found)
        assert found.reason == "no response is predicted"

    @pytest.mark.parametrize(("responders", "others"), [(4, 30), (30, 4), (0, 0)])
    def test_under_five_of_a_class(self, responders, others):
        responded = np.repeat([1, 0], [responders, others])
        _assert_null(self._measure(responded, np.full(len(responded), 0.5)))


class TestGroups:
    def test_groups_of_distinct_predictions_are_of_equal_size_and_in_order(self):
        random = np.random.default_rng(3)
        probability = random.permutation(np.linspace(0.05, 0.95, 100))
        responded = random.random(100) < probability

        groups = group_calibration(responded, probability, groups=10)

        assert [group.n for group in groups] == [10] * 10
        predicted = [group.predicted for group in groups]
        assert predicted == sorted(predicted)
        order = np.argsort(probability).reshape(10, 10)
        assert predicted == pytest.approx(probability[order].mean(axis=1).tolist())
        assert [group.observed for group in groups] == pytest.approx(
            responded[order].mean(axis=1).tolist()
        )

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(
        st.lists(st.tuples(st.booleans(), st.integers(1, 99)), min_size=1, max_size=60),
        st.integers(1, 10),
    )
    def test_nobody_is_lost_or_counted_twice(self, rows, wanted):
        responded = np.array([row[0] for row in rows])
        probability = np.array([row[1] / 100 for row in rows])

        groups = group_calibration(responded, probability, groups=wanted)

        assert len(groups) <= wanted
        assert sum(group.n for group in groups) == len(rows)
        assert sum(group.n * group.observed for group in groups) == pytest.approx(responded.sum())
        assert sum(group.n * group.predicted for group in groups) == pytest.approx(
            probability.sum()
        )
        for group in groups:
            assert 0 <= group.low <= group.observed + 1e-12
            assert group.observed - 1e-12 <= group.high <= 1

    def test_one_prediction_for_all_makes_one_group_of_all(self):
        (group,) = group_calibration([1] * 12 + [0] * 28, np.full(40, 0.4), groups=10)

        assert (group.n, group.observed) == (40, 0.3)
        assert group.predicted == pytest.approx(0.4)

    @pytest.mark.parametrize("sizes", [(50, 50), (45, 55), (30, 30, 40), (20, 30, 40)])
    def test_predictions_that_differ_widely_are_not_merged_where_there_are_few_of_them(self, sizes):
        # A model that knows only the arm has two predictions; one group of both shows nothing.
        levels = [0.2, 0.7, 0.9][: len(sizes)]
        probability = np.repeat(levels, sizes)
        responded = np.arange(sum(sizes)) % 2

        groups = group_calibration(responded, probability, groups=10)

        assert [group.n for group in groups] == list(sizes)
        assert [group.predicted for group in groups] == pytest.approx(levels)
