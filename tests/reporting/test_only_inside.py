"""What holds inside trials alone is said in the first sentence."""

import pytest

from glabella.reporting.finding import read_verdict, write_finding
from glabella.validation.comparison.candidate_result import CandidateResult
from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.performance import GroupPerformance, Performance
from glabella.validation.measures.registry import MEASURES


def _perform(estimate: Estimate) -> Performance:
    return Performance(100, 40, dict.fromkeys(MEASURES, estimate), 50, 50)


def make_procedure(
    inside: tuple[float, float], across: tuple[float, float], pooled: tuple[float, float]
) -> CandidateResult:
    def estimate(low: float, high: float) -> Estimate:
        middle = (low + high) / 2
        error = (high - low) / 4 / (middle * (1 - middle))
        return Estimate(middle, low, high, standard_error=error, scale="logit")

    trials = tuple(
        GroupPerformance(name, _perform(estimate(*inside))) for name in ("T1", "T2", "T3")
    )
    return CandidateResult(
        "ridge", "", "candidate", None, _perform(estimate(*pooled)), trials,
        _perform(estimate(*across)), (), 1.0,
    )  # fmt: skip


def write(procedure: CandidateResult) -> str:
    return write_finding(
        "ridge", procedure, [], has_choice=False, is_simulated=False, has_arms=True, across="trial"
    )


@pytest.mark.parametrize(
    ("across", "verdict"),
    [
        ((0.25, 0.45), "which is worse than chance"),
        ((0.4, 0.56), "which is compatible with chance"),
    ],
)
def test_strong_inside_trials_and_lost_in_a_new_one_comes_first(across, verdict):
    procedure = make_procedure((0.68, 0.76), across, (0.5, 0.6))
    assert read_verdict(procedure, []) == "only inside"
    text = write(procedure)
    first, second = text.split(". Over all")
    assert first.startswith(
        "Only inside its own trials: of a responder and a non-responder treated alike of the trial "
        "that it learnt from, ridge ranked 72 of 100 pairs rightly (95 % interval "
    )
    assert f"and of a new trial {100 * sum(across) / 2:.0f}"[:-1] in first
    assert f"{verdict}; this allows no statement about other patients" in first
    assert second.startswith(" trials pooled it ranked 55 of 100 pairs rightly (95 % interval 50 ")


@pytest.mark.parametrize(
    ("inside", "across"),
    [
        # As high as inside trials is within reach: trials are few, and that is all that is known.
        ((0.6, 0.7), (0.45, 0.75)),
        ((0.6, 0.7), (0.55, 0.65)),
        ((0.45, 0.6), (0.2, 0.4)),
    ],
)
def test_what_is_not_shown_to_be_lost_is_not_called_lost(inside, across):
    procedure = make_procedure(inside, across, (0.55, 0.68))
    assert read_verdict(procedure, []) == "better"
    assert not write(procedure).startswith("Only inside")
