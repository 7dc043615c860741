"""The sentence at the top says what was found, and first of all what was not."""

import pytest

from glabella.domain.outcome_words import OutcomeWords
from glabella.reporting.finding import write_finding
from glabella.validation.comparison.candidate_result import CandidateResult
from glabella.validation.comparison.choice import Difference
from glabella.validation.comparison.permutation import PermutationTest
from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.performance import Performance
from glabella.validation.measures.registry import MEASURES


def make_candidate(auc: Estimate, across: Estimate | None = None) -> CandidateResult:
    def performance(estimate: Estimate) -> Performance:
        return Performance(100, 40, {**dict.fromkeys(MEASURES, estimate)}, 50, 50)

    return CandidateResult(
        "ridge", "", "candidate", None, performance(auc), None,
        None if across is None else performance(across), (), 1.0,
    )  # fmt: skip


def make_difference(low: float, high: float, against: str = "severity") -> Difference:
    return Difference("ridge", against, Estimate((low + high) / 2, low, high))


GOOD = Estimate(0.68, 0.6, 0.75)


def test_a_model_no_better_than_its_reference_is_reported_as_that_first():
    text = write_finding(
        "ridge", make_candidate(GOOD), [make_difference(-0.05, 0.01)],
        has_choice=False, is_simulated=False, has_arms=True, across=None,
    )  # fmt: skip
    assert text.startswith(
        "No better than its reference: ridge did not predict better than severity"
    )


@pytest.mark.parametrize(
    ("auc", "p_value", "is_said"),
    [
        (GOOD, 0.12, True),
        (GOOD, 0.05, False),
        (GOOD, None, False),
        # What is at chance by its own interval needs no test to say so.
        (Estimate(0.52, 0.44, 0.6), 0.12, False),
    ],
)
def test_a_permutation_test_that_finds_nothing_is_said_beside_the_figure(auc, p_value, is_said):
    test = PermutationTest("nothing", 0.6, "ridge", 3, 39, 39, p_value)
    text = write_finding(
        "ridge", make_candidate(auc), [make_difference(-0.09, -0.01)],
        has_choice=False, is_simulated=False, has_arms=True, across=None, anything=test,
    )  # fmt: skip
    words = "which a permutation test does not distinguish from chance (p = 0.120)"
    assert (words in text) == is_said
    if is_said:
        assert f"0.68 (0.60 to 0.75), {words}, and predicted better than severity" in text


def test_a_model_at_chance_is_reported_as_that_first():
    text = write_finding(
        "ridge", make_candidate(Estimate(0.52, 0.44, 0.6)), [make_difference(-0.09, -0.01)],
        has_choice=False, is_simulated=False, has_arms=True, across=None,
    )  # fmt: skip
    assert text == (
        "At chance: ridge did not distinguish responders from non-responders within the active "
        "arm: "
        "its concordance is 0.52 (0.44 to 0.60), although it predicted better than severity "
        "over all "
        "arms."
    )


def test_a_model_at_chance_and_no_better_than_its_reference_says_both():
    text = write_finding(
        "ridge", make_candidate(Estimate(0.47, 0.33, 0.62)), [make_difference(-0.05, 0.01)],
        has_choice=False, is_simulated=False, has_arms=True, across=None,
    )  # fmt: skip
    assert text == (
        "At chance: ridge did not distinguish responders from non-responders within the active "
        "arm: "
        "its concordance is 0.47 (0.33 to 0.62), and did not predict better than severity."
    )


def test_simulated_data_are_named_before_all_else():
    text = write_finding(
        "ridge",
        make_candidate(GOOD),
        [],
        has_choice=False,
        is_simulated=True,
        has_arms=True,
        across=None,
    )
    assert text.startswith("Simulated data: this says nothing about real patients.")


def test_a_good_model_is_stated_with_its_interval_and_its_transport():
    text = write_finding(
        "ridge", make_candidate(GOOD, Estimate(0.55, 0.4, 0.7)), [make_difference(-0.09, -0.01)],
        has_choice=False, is_simulated=False, has_arms=True, across="trial",
    )  # fmt: skip
    assert text == (
        "Ridge distinguished responders from non-responders within the active arm with a "
        "concordance "
        "of 0.68 (0.60 to 0.75), and predicted better than severity. With each trial left out in "
        "turn, it is 0.55 (0.40 to 0.70), which is compatible with chance."
    )


@pytest.mark.parametrize("has_arms", [True, False])
def test_what_is_not_estimable_is_said_with_its_reason(has_arms):
    text = write_finding(
        "ridge", make_candidate(Estimate(reason="under 5 of a class")), [],
        has_choice=False, is_simulated=False, has_arms=has_arms, across=None,
    )  # fmt: skip
    assert "not estimable (under 5 of a class)" in text


@pytest.mark.parametrize(
    ("across", "words"),
    [
        (Estimate(1.0, reason="the value is 1"), "it is 1.00."),
        (Estimate(0.3, 0.2, 0.45), "it is 0.30 (0.20 to 0.45), which is below chance."),
        (Estimate(0.6, 0.52, 0.7), "it is 0.60 (0.52 to 0.70)."),
        (
            Estimate(0.5, reason="no difference"),
            "it is 0.50, which is compatible with chance.",
        ),
    ],
)
def test_the_verdict_on_transport_is_what_the_interval_says(across, words):
    text = write_finding(
        "ridge",
        make_candidate(GOOD, across),
        [],
        has_choice=False,
        is_simulated=False,
        has_arms=True,
        across="site",
    )
    assert text.endswith(f"With each site left out in turn, {words}")


def test_a_model_below_chance_is_reported_as_that_first():
    text = write_finding(
        "ridge", make_candidate(Estimate(0.35, 0.25, 0.46)), [], has_choice=False,
        is_simulated=False, has_arms=False, across=None,
    )  # fmt: skip
    assert text.startswith(
        "Below chance: ridge did not distinguish responders from non-responders among the"
    )


def test_with_a_choice_the_figures_are_of_the_procedure():
    text = write_finding(
        "ridge", make_candidate(GOOD), [make_difference(-0.09, -0.01)],
        has_choice=True, is_simulated=False, has_arms=True, across=None,
    )  # fmt: skip
    assert text.startswith(
        "The procedure that chose ridge distinguished responders from non-responders"
    )
    behind = write_finding(
        "ridge", make_candidate(GOOD), [make_difference(-0.05, 0.01)],
        has_choice=True, is_simulated=False, has_arms=True, across=None,
    )  # fmt: skip
    assert "the procedure that chose ridge did not predict better than severity" in behind


def test_the_words_of_the_analysis_and_the_labels_of_candidates_are_used():
    text = write_finding(
        "boosted_forest", make_candidate(GOOD, Estimate(0.55, 0.4, 0.7)),
        [make_difference(-0.09, -0.01)],
        has_choice=True, is_simulated=False, has_arms=True, across="trial",
        words=OutcomeWords("birth at term"),
        labels={"boosted_forest": "boosted forests", "severity": "arm and baseline severity"},
    )  # fmt: skip
    assert text.startswith(
        "The procedure that chose boosted forests distinguished participants with birth at term "
        "from participants without birth at term"
    )
    assert "better than arm and baseline severity" in text
    assert "respon" not in text
    assert "_" not in text
