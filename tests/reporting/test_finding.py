"""The sentence at the top says what was found, and first of all what was not."""

import re
from dataclasses import replace

import pytest

from glabella.domain.outcome_words import OutcomeWords
from glabella.reporting.finding import read_verdict, write_finding
from glabella.validation.comparison.candidate_result import CandidateResult
from glabella.validation.comparison.choice import Difference
from glabella.validation.comparison.gain import Gain
from glabella.validation.comparison.permutation import PermutationTest
from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.performance import GroupPerformance, Performance
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


def write(auc, differences=(), left_out=None, **more):
    stated = {"has_choice": False, "is_simulated": False, "has_arms": True, "across": None} | more
    return write_finding("ridge", make_candidate(auc, left_out), list(differences), **stated)


def test_a_model_that_is_not_shown_to_be_better_is_reported_as_that_first_with_its_gain():
    text = write(GOOD, [make_difference(-0.05, 0.01)])
    assert text == (
        "Not shown to be better than severity: its gain in log loss is 0.020 (-0.010 to 0.050). "
        "Of a responder and a non-responder treated alike, it ranked 68 of 100 pairs rightly "
        "(95 % interval 60 to 75; a coin 50)."
    )


def test_better_than_one_reference_and_not_shown_to_be_than_another_says_both():
    text = write(GOOD, [make_difference(-0.05, 0.01), make_difference(-0.08, -0.02, "arm_only")])
    assert text.startswith("Not shown to be better than severity: its gain")
    assert text.endswith(
        "It predicted better than arm_only: its gain in log loss is 0.050 (0.020 to 0.080)."
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
    text = write(auc, [make_difference(-0.09, -0.01)], anything=test)
    words = "which a permutation test does not distinguish from chance (p = 0.120)"
    assert (words in text) == is_said
    if is_said:
        assert f"rightly (95 % interval 60 to 75; a coin 50), {words}." in text


def test_a_model_at_chance_is_reported_as_that_first():
    text = write(Estimate(0.52, 0.44, 0.6), [make_difference(-0.09, -0.01)])
    assert text == (
        "Not distinguished from chance: of a responder and a non-responder treated alike, ridge "
        "ranked 52 of 100 pairs rightly (95 % interval 44 to 60; a coin 50). It predicted better "
        "than severity over all arms: its gain in log loss is 0.050 (0.010 to 0.090)."
    )


def test_a_model_at_chance_and_not_shown_to_be_better_says_both():
    text = write(Estimate(0.47, 0.33, 0.62), [make_difference(-0.05, 0.01)])
    assert text.startswith("Not distinguished from chance: of a responder")
    assert text.endswith(
        "It is not shown to predict better than severity: its gain in log loss is 0.020 (-0.010 to "
        "0.050)."
    )


def test_missing_outcomes_come_right_after_the_first_sentence():
    missing = "43 of 503 participants (9 %) had no score at the endpoint."
    text = write(GOOD, [make_difference(-0.09, -0.01)], missing=missing)
    first, second, *_ = text.split(". ")
    assert first.startswith("Ridge predicted better than severity")
    assert second == missing[:-1]


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
    text = write(GOOD, [make_difference(-0.09, -0.01)], Estimate(0.55, 0.4, 0.7), across="trial")
    assert text == (
        "Ridge predicted better than severity: its gain in log loss is 0.050 (0.010 to 0.090). Of "
        "a responder and a non-responder treated alike, it ranked 68 of 100 pairs rightly (95 % "
        "interval 60 to 75; a coin 50). With each trial left out in turn it ranked 55 of 100 pairs "
        "rightly (95 % interval 40 to 70), which is compatible with chance."
    )


def make_transported(gains, aucs, slope=1.0):
    def perform(auc):
        estimates = {
            **dict.fromkeys(MEASURES, Estimate()),
            "auc": Estimate(auc, auc - 0.1, auc + 0.1, standard_error=0.2, scale="logit"),
            "calibration_slope": Estimate(slope, slope - 0.2, slope + 0.2, standard_error=0.1),
        }
        return Performance(100, 40, estimates, 50, 50)

    each = [(f"T{at}", Estimate(gain, standard_error=0.004)) for at, gain in enumerate(gains)]
    gain = Gain("ridge", "severity", {"log_loss": Estimate(0.02)}, groups=tuple(each))
    groups = tuple(GroupPerformance(f"T{at}", perform(auc)) for at, auc in enumerate(aucs))
    return replace(
        make_candidate(GOOD, Estimate(0.66, 0.6, 0.72)), groups=groups, gains={"across": (gain,)}
    )


def write_transported(procedure):
    return write_finding(
        "ridge", procedure, [make_difference(-0.09, -0.01)],
        has_choice=False, is_simulated=False, has_arms=True, across="trial",
    )  # fmt: skip


def test_better_within_these_trials_and_not_in_a_new_one_begins_with_that():
    procedure = make_transported([0.05, -0.03, 0.02, -0.04], [0.7, 0.6, 0.65, 0.55], slope=0.3)
    text = write_transported(procedure)
    assert text.startswith(
        "Better within these trials, and not shown to be better in a new trial: ridge predicted "
        "better than severity in pooled cross-validation (its gain in log loss is 0.050 (0.010 to "
        "0.090)), and with each trial left out its gain is "
    )
    assert "Its predictions there are too extreme: the calibration slope is 0.30" in text
    assert read_verdict(procedure, [make_difference(-0.09, -0.01)]) == "not shown in new trials"


def test_better_in_new_trials_too_is_called_better_and_says_what_to_expect():
    procedure = make_transported([0.05, 0.04, 0.05, 0.04], [0.7, 0.68, 0.69, 0.71])
    text = write_transported(procedure)
    assert text.startswith("Ridge predicted better than severity: its gain")
    found = re.search(r"it ranked (\d+) of 100 pairs rightly \(95 % interval (\d+) to (\d+)\); in "
                      r"a new trial, (\d+) to (\d+) are to be expected", text)  # fmt: skip
    mean, low, high, least, most = map(int, found.groups())
    assert least <= low < mean < high <= most
    assert "too extreme" not in text


def test_three_trials_are_said_to_be_too_few():
    text = write_transported(make_transported([0.05] * 3, [0.7, 0.68, 0.69]))
    assert text.endswith("Three trials cannot show how much a new one may differ.")


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
        (Estimate(1.0, reason="the value is 1"), "100 of 100 pairs rightly (no interval: the value "
         "is 1)."),
        (Estimate(0.3, 0.2, 0.45), "30 of 100 pairs rightly (95 % interval 20 to 45), which is "
         "worse than chance."),
        (Estimate(0.6, 0.52, 0.7), "60 of 100 pairs rightly (95 % interval 52 to 70)."),
        (Estimate(0.5, reason="none"), "50 of 100 pairs rightly (no interval: none), which is "
         "compatible with chance."),
    ],
)  # fmt: skip
def test_the_verdict_on_transport_is_what_the_interval_says(across, words):
    text = write(GOOD, (), across, across="site")
    assert text.endswith(f"With each site left out in turn it ranked {words}")


def test_a_model_below_chance_is_reported_as_that_first():
    text = write(Estimate(0.35, 0.25, 0.46), has_arms=False)
    assert text.startswith("Worse than chance: of a responder and a non-responder, ridge ranked 35")


def test_with_a_choice_the_figures_are_of_the_procedure():
    text = write(GOOD, [make_difference(-0.09, -0.01)], has_choice=True)
    assert text.startswith("The procedure that chose ridge predicted better than severity: ")


def test_the_words_of_the_analysis_and_the_labels_of_candidates_are_used():
    text = write_finding(
        "boosted_forest", make_candidate(GOOD, Estimate(0.55, 0.4, 0.7)),
        [make_difference(-0.09, -0.01)],
        has_choice=True, is_simulated=False, has_arms=True, across="trial",
        words=OutcomeWords("birth at term"),
        labels={"boosted_forest": "boosted forests", "severity": "arm and baseline severity"},
    )  # fmt: skip
    assert text.startswith("The procedure that chose boosted forests predicted better than arm and")
    assert "Of a participant with birth at term and a participant without birth at term" in text
    assert "respon" not in text
    assert "_" not in text
