"""Brier score and log loss against R and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import brier_score_loss, log_loss

from glabella.validation.measures.overall import compute_losses
from glabella.validation.measures.registry import compute_measure

_Z = 1.959963984540054
_PROPERTY = settings(max_examples=60, deadline=None, derandomize=True)


class TestAgainstR:
    """rms 6.5.0 and sandwich 3.0.2: validation_reference.json."""

    def test_brier_score_and_log_loss_are_those_of_r(self, reference, reference_predictions):
        data = reference_predictions.query("repetition == 0")
        expected = reference["one_repetition"]
        arguments = (data["responded"], data["probability"])

        brier = compute_measure("brier", *arguments, participant=data["participant"])
        loss = compute_measure("log_loss", *arguments, participant=data["participant"])

        assert brier.value == pytest.approx(expected["brier"], abs=1e-12)
        assert brier.value == pytest.approx(expected["rms_val_prob"]["brier"], abs=1e-12)
        assert loss.value == pytest.approx(expected["log_loss"], abs=1e-12)

    @pytest.mark.parametrize("name", ["brier", "log_loss"])
    def test_errors_over_repetitions_are_the_cluster_robust_ones_of_sandwich(
        self, reference, reference_predictions, name
    ):
        data = reference_predictions
        expected = reference["repetitions"][name]

        estimate = compute_measure(
            name, data["responded"], data["probability"], participant=data["participant"]
        )

        assert estimate.value == pytest.approx(expected["value"], abs=1e-12)
        assert (estimate.high - estimate.low) / 2 / _Z == pytest.approx(expected["se"], rel=1e-9)


class TestErrors:
    def test_brier_score_and_log_loss_equal_scikit_learn(self):
        random = np.random.default_rng(2)
        responded, probability = random.integers(0, 2, 80), random.random(80)
        people = np.arange(80)

        assert compute_measure(
            "brier", responded, probability, participant=people
        ).value == pytest.approx(brier_score_loss(responded, probability))
        assert compute_measure(
            "log_loss", responded, probability, participant=people
        ).value == pytest.approx(log_loss(responded, probability))

    def test_one_half_for_all_costs_a_quarter_and_the_logarithm_of_two(self):
        responded, probability = [1] * 6 + [0] * 9, [0.5] * 15

        assert compute_measure("brier", responded, probability, participant=range(15)).value == 0.25
        assert compute_measure(
            "log_loss", responded, probability, participant=range(15)
        ).value == pytest.approx(np.log(2))

    def test_certainty_that_is_wrong_costs_much_and_is_finite(self):
        losses = compute_losses([1, 0, 1, 0], [0.0, 1.0, 1.0, 0.0])

        assert losses[:2] == pytest.approx(-np.log(1e-12), rel=1e-4)
        assert losses[2:] == pytest.approx(0.0, abs=1e-11)


class TestScaledBrier:
    @staticmethod
    def _measure(responded, probability):
        return compute_measure(
            "scaled_brier", responded, probability, participant=np.arange(len(responded))
        )

    @pytest.mark.parametrize("part", ["one_repetition", "repetitions"])
    def test_value_and_error_are_those_of_the_delta_method(
        self, measures_reference, reference_predictions, part
    ):
        # car 3.1.1 and sandwich 3.0.2: measures_reference.json.
        data = reference_predictions
        data = data.query("repetition == 0") if part == "one_repetition" else data
        expected = measures_reference[part]["scaled_brier"]

        found = compute_measure(
            "scaled_brier", data["responded"], data["probability"], participant=data["participant"]
        )

        assert found.value == pytest.approx(expected["value"], abs=1e-12)
        assert found.standard_error == pytest.approx(expected["se"], rel=1e-9)

    @_PROPERTY
    @given(st.integers(0, 10_000))
    def test_it_is_the_same_for_the_other_class_and_in_any_order(self, seed):
        random = np.random.default_rng(seed)
        responded, score = random.permutation(np.arange(30) % 3 == 0), random.normal(size=30)
        probability, order = expit(score), random.permutation(30)

        found = self._measure(responded, probability)

        for other in (
            self._measure(~responded, 1 - probability),
            self._measure(responded[order], probability[order]),
        ):
            assert (other.value, other.low, other.high) == (
                pytest.approx(found.value),
                pytest.approx(found.low),
                pytest.approx(found.high),
            )
        assert found.value <= 1

    def test_the_rate_for_all_gains_nothing_and_the_outcome_everything(self):
        responded = np.repeat([1, 0], [12, 28])

        assert self._measure(responded, np.full(40, 0.3)).value == pytest.approx(0)
        assert self._measure(responded, responded).value == 1
        assert self._measure(responded, 1 - responded).value == pytest.approx(1 - 1 / 0.21)

    @pytest.mark.parametrize(("responders", "others"), [(4, 30), (30, 4), (0, 0)])
    def test_under_five_of_a_class_gives_a_reason(self, responders, others):
        responded = np.repeat([1, 0], [responders, others])
        found = self._measure(responded, np.full(len(responded), 0.5))

        assert found.value is None
        assert "under 5 of a class" in found.reason
