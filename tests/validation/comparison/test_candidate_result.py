"""What validation came to in plain values, without counts that tell of somebody."""

import json

import pytest

from glabella.domain.small_counts import SUPPRESSED
from glabella.validation.comparison.candidate_result import (
    CandidateResult,
    describe_groups,
    describe_performance,
    name_gains,
    name_metrics,
)
from glabella.validation.comparison.gain import Gain
from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.performance import GroupPerformance, Performance
from glabella.validation.measures.registry import MEASURES

MISSING = Estimate(reason="one class only")


def perform(n=60, events=25, **more):
    estimates = dict.fromkeys(MEASURES, Estimate(0.7, 0.6, 0.8, standard_error=0.05)) | more
    return Performance(n, events, estimates, pairs=120, pairs_control=80)


def test_a_measure_has_its_interval_and_what_is_missing_its_reason():
    plain = describe_performance(perform(auc=MISSING))
    assert (plain["brier"], plain["brier_low"], plain["brier_high"]) == (0.7, 0.6, 0.8)
    assert plain["auc"] is None
    assert plain["reasons"] == {"auc": "one class only"}
    assert (plain["n"], plain["events"], plain["pairs"], plain["pairs_control"]) == (
        60,
        25,
        120,
        80,
    )


@pytest.mark.parametrize(
    ("n", "events", "hidden"),
    [
        (60, 9, {"events", "pairs", "pairs_control"}),
        (60, 51, {"events", "pairs", "pairs_control"}),
        (9, 4, {"n", "events", "pairs", "pairs_control"}),
    ],
)
def test_a_small_count_is_hidden_with_the_pairs_that_would_give_it_away(n, events, hidden):
    plain = describe_performance(perform(n, events))
    assert {name for name in ("n", "events", "pairs", "pairs_control") if plain[name] is None} == (
        hidden
    )
    assert plain["reasons"] == dict.fromkeys(hidden, SUPPRESSED)
    assert plain["auc"] == 0.7


def test_a_second_group_is_hidden_where_the_rest_would_give_a_small_one_away():
    groups = [
        GroupPerformance(name, perform(50, events))
        for name, events in (("T1", 20), ("T2", 15), ("T3", 3))
    ]
    plain = describe_groups(groups)
    assert [(one["group"], one["events"]) for one in plain] == [
        ("T1", 20),
        ("T2", None),
        ("T3", None),
    ]


def test_pairs_are_named_for_whole_designs_of_enough_participants_alone():
    assert name_metrics("pooled", perform())["pooled.pairs"] == 120.0
    assert "T1.pairs" not in name_metrics("T1", perform())
    assert "pooled.pairs" not in name_metrics("pooled", perform(60, 9))


def test_what_cannot_be_estimated_has_no_metric():
    named = name_metrics("pooled", perform(auc=MISSING))
    assert not [name for name in named if name in ("pooled.auc", "pooled.auc_low")]
    assert (named["pooled.brier"], named["pooled.brier_low"]) == (0.7, 0.6)


def test_a_gain_is_named_by_its_design_measure_and_reference():
    gain = Gain("ridge", "severity", {"auc": Estimate(0.05, 0.01, 0.09), "log_loss": MISSING})
    assert name_gains("across", [gain]) == {
        "across.gain_auc_over_severity": 0.05,
        "across.gain_auc_over_severity_low": 0.01,
        "across.gain_auc_over_severity_high": 0.09,
    }


def test_a_failed_candidate_has_its_reason_and_no_estimates():
    failed = CandidateResult("ridge", "x", "candidate", "one class only", None, None, None, (), 1.0)
    plain = failed.as_json()
    assert (plain["status"], plain["error"]) == ("failed", "one class only")
    assert (plain["pooled"], plain["inside"], plain["across"]) == (None, None, None)
    assert (plain["arms"], plain["gains"]) == ([], {})


def test_a_result_is_strict_json_with_gains_by_design_and_reference():
    gain = Gain(
        "ridge",
        "severity",
        {"auc": Estimate(0.05, 0.01, 0.09), "log_loss": Estimate(0.02, 0.01, 0.03)},
        p_value=0.01,
        p_holm=0.02,
    )
    result = CandidateResult(
        "ridge", "x", "candidate", None, perform(), None, None, (), 1.0, {"pooled": (gain,)}
    )
    plain = json.loads(json.dumps(result.as_json(), allow_nan=False))
    told = plain["gains"]["pooled"]["severity"]
    assert (told["auc"], told["log_loss_low"]) == (0.05, 0.01)
    assert (told["p"], told["p_holm"], told["is_better"]) == (0.01, 0.02, True)
    assert plain["status"] == "ok"
