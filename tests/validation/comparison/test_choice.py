import numpy as np
import pandas as pd
import pytest

from glabella.validation.comparison.choice import (
    choose_by_losses,
    choose_candidate,
    compare_losses,
    number_folds,
)
from glabella.validation.measures.overall import compute_losses

# Two repetitions of two folds of three participants each.
_FOLDS = [(0, 0, (0, 1, 2)), (0, 1, (3, 4, 5)), (1, 0, (0, 2, 4)), (1, 1, (1, 3, 5))]


def _predict(losses, folds=_FOLDS):
    """Make predictions of responders whose mean log loss in each fold is as given."""
    rows = [
        (row, repeat, number, 1, np.exp(-loss))
        for loss, (repeat, number, members) in zip(losses, folds, strict=True)
        for row in members
    ]
    return pd.DataFrame(rows, columns=["row", "repeat", "fold", "responded", "probability"])


class TestCompareLosses:
    def test_the_corrected_interval_is_the_one_computed_by_hand(self):
        # Differences 0.1, 0.3, -0.1, 0.5: mean 0.2, variance (0.01 + 0.01 + 0.09 + 0.09) / 3.
        # Nadeau and Bengio: 1/4 + 3/3 instead of 1/4. t with 3 degrees of freedom: 3.182446.
        predictions = {
            "one": _predict([1.1, 1.3, 0.9, 1.5]),
            "two": _predict([1.0, 1.0, 1.0, 1.0]),
        }

        found = compare_losses("one", "two", predictions)

        error = np.sqrt((1 / 4 + 3 / 3) * 0.2 / 3)
        assert found.standard_error == pytest.approx(error)
        assert found.standard_error == pytest.approx(0.2886751)
        assert found.log_loss.value == pytest.approx(0.2)
        assert found.log_loss.low == pytest.approx(0.2 - 3.182446 * error, abs=1e-6)
        assert found.log_loss.high == pytest.approx(0.2 + 3.182446 * error, abs=1e-6)

    def test_five_folds_are_corrected_by_the_fifth_that_is_tested(self):
        # 1/5 + (2/10) / (8/10) = 0.45: the correction for one repetition of five folds.
        folds = [(0, number, (2 * number, 2 * number + 1)) for number in range(5)]
        differences = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
        predictions = {"one": _predict(1 + differences, folds), "two": _predict(np.ones(5), folds)}

        found = compare_losses("one", "two", predictions)

        assert found.standard_error == pytest.approx(np.sqrt(0.45 * differences.var(ddof=1)))

    @pytest.mark.parametrize(("shift", "better"), [(-0.5, True), (0.5, False), (0.0, False)])
    def test_below_zero_means_that_the_candidate_is_better(self, shift, better):
        wobble = np.array([0.01, -0.01, 0.02, -0.02])
        predictions = {"one": _predict(1 + shift + wobble), "two": _predict([1.0] * 4)}

        found = compare_losses("one", "two", predictions)

        assert np.sign(round(found.log_loss.value, 6)) == np.sign(shift)
        assert found.is_better is better

    def test_swapping_the_two_turns_the_sign_and_nothing_else(self):
        predictions = {"one": _predict([1.1, 1.3, 0.9, 1.5]), "two": _predict([1.2, 1.0, 1.0, 1.1])}

        there = compare_losses("one", "two", predictions)
        back = compare_losses("two", "one", predictions)

        assert (back.candidate, back.against) == ("two", "one")
        assert back.log_loss.value == pytest.approx(-there.log_loss.value)
        assert back.log_loss.low == pytest.approx(-there.log_loss.high)
        assert back.standard_error == pytest.approx(there.standard_error)

    def test_large_folds_weigh_more(self):
        folds = [(0, 0, (0, 1, 2)), (0, 1, (3,))]
        predictions = {"one": _predict([1.1, 1.5], folds), "two": _predict([1.0, 1.0], folds)}

        assert compare_losses("one", "two", predictions).log_loss.value == pytest.approx(
            (3 * 0.1 + 0.5) / 4
        )

    def test_the_order_of_rows_does_not_matter(self):
        predictions = {"one": _predict([1.1, 1.3, 0.9, 1.5]), "two": _predict([1.2, 1.0, 1.0, 1.1])}
        shuffled = {**predictions, "two": predictions["two"].sample(frac=1, random_state=1)}

        assert compare_losses("one", "two", shuffled) == compare_losses("one", "two", predictions)

    def test_equal_predictions_differ_by_nothing(self):
        predictions = {"one": _predict([1.0] * 4), "two": _predict([1.0] * 4)}

        found = compare_losses("one", "two", predictions)

        assert (found.log_loss.value, found.standard_error) == (0.0, 0.0)
        assert not found.is_better

    def test_one_fold_has_no_interval_and_says_so(self):
        folds = [(0, 0, (0, 1, 2))]
        predictions = {"one": _predict([0.2], folds), "two": _predict([1.0], folds)}

        found = compare_losses("one", "two", predictions)

        assert found.log_loss.value is None
        assert found.log_loss.reason == "there is one fold"
        assert np.isnan(found.standard_error)
        assert not found.is_better


class TestChooseCandidate:
    wobble = np.array([0.05, -0.05, 0.15, -0.15])

    def _losses(self, **levels):
        """The wobble is that of the difference from any candidate without it."""
        return {
            name: _predict(level + (self.wobble if name == "simple" else 0 * self.wobble))
            for name, level in levels.items()
        }

    def test_the_simplest_within_one_standard_error_is_chosen(self):
        # The difference's standard error is 0.144: sqrt(1.25 x 0.05 / 3).
        predictions = self._losses(simple=1.14, complex=1.0)

        choice = choose_candidate(["simple", "complex"], [], predictions)

        assert (choice.name, choice.best) == ("simple", "complex")
        assert "one standard error" in choice.rule

    def test_beyond_one_standard_error_the_best_is_chosen(self):
        predictions = self._losses(simple=1.15, complex=1.0)

        choice = choose_candidate(["simple", "complex"], [], predictions)

        assert (choice.name, choice.best) == ("complex", "complex")

    def test_the_best_is_not_given_up_for_a_more_complex_one(self):
        predictions = self._losses(simple=1.0, complex=1.01)

        assert choose_candidate(["simple", "complex"], [], predictions).name == "simple"

    def test_the_first_of_several_within_the_error_is_chosen(self):
        predictions = {
            name: _predict(level + np.roll(self.wobble, shift))
            for shift, (name, level) in enumerate(
                [("far", 2.0), ("first", 1.05), ("second", 1.02), ("best", 1.0)]
            )
        }

        choice = choose_candidate(["far", "first", "second", "best"], [], predictions)

        assert (choice.name, choice.best) == ("first", "best")

    def test_a_reference_is_not_chosen_even_where_it_is_best(self):
        predictions = self._losses(arm_only=0.5, ridge=1.0)

        choice = choose_candidate(["arm_only", "ridge"], ["arm_only"], predictions)

        assert (choice.name, choice.best) == ("ridge", "ridge")

    def test_references_are_eligible_where_there_is_nothing_else(self):
        predictions = self._losses(arm_only=1.0, prevalence=0.5)

        choice = choose_candidate(
            ["arm_only", "prevalence"], ["arm_only", "prevalence"], predictions
        )

        assert choice.name == "prevalence"

    def test_one_fold_gives_no_error_so_the_best_is_chosen(self):
        folds = [(0, 0, (0, 1, 2))]
        predictions = {"simple": _predict([1.001], folds), "complex": _predict([1.0], folds)}

        assert choose_candidate(["simple", "complex"], [], predictions).name == "complex"

    def test_equal_losses_leave_the_simplest(self):
        predictions = {"simple": _predict([1.0] * 4), "complex": _predict([1.0] * 4)}

        assert choose_candidate(["simple", "complex"], [], predictions).name == "simple"

    def test_nothing_validated_is_refused(self):
        with pytest.raises(ValueError, match="no candidate was validated"):
            choose_candidate([], [], {})


@pytest.mark.parametrize("seed", range(20))
def test_the_choice_of_losses_is_that_of_their_table(seed):
    random = np.random.default_rng(seed)
    levels = {name: 1.0 + 0.05 * random.normal(size=4) for name in ("first", "second", "third")}
    tables = {name: _predict(each) for name, each in levels.items()}
    losses = {
        name: compute_losses(table["responded"], table["probability"])
        for name, table in tables.items()
    }
    folds = number_folds(tables["first"])
    found = choose_by_losses(losses, folds, in_all=tables["first"]["row"].nunique())
    assert found == choose_candidate(list(tables), [], tables)
