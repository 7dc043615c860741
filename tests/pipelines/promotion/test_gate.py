"""Each criterion of the gate, met and not met."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from glabella.analysis.policy import PromotionDefinition
from glabella.pipelines.promotion.gate import judge
from glabella.reporting.record import read_record

DEFAULTS = PromotionDefinition().model_dump(mode="json")


@pytest.fixture
def record(trained_twice):
    return read_record(Path(trained_twice[1].report).parent / "record")[0]


def judged(record, name, **policy):
    nothing = dict.fromkeys(DEFAULTS)
    promotion = {**record.promotion, "policy": {**nothing, **policy}}
    [criterion] = judge(replace(record, promotion=promotion))
    assert criterion.name == name
    return criterion


def with_pooled(record, **figures):
    pooled = {**record.procedure["pooled"], **figures}
    return replace(record, procedure={**record.procedure, "pooled": pooled})


@pytest.mark.parametrize(
    ("low", "high", "is_met"),
    [(0.6, 1.4, True), (0.5, 1.5, True), (0.49, 1.4, False), (0.6, 1.51, False), (1.1, 1.9, False)],
)
def test_the_whole_interval_of_the_slope_lies_inside_the_bounds(record, low, high, is_met):
    figures = {"calibration_slope_all_low": low, "calibration_slope_all_high": high}
    found = judged(
        with_pooled(record, **figures), "calibration_slope", calibration_slope=[0.5, 1.5]
    )
    assert found.passed is is_met
    assert f"({low:.2f} to {high:.2f})" in found.figure
    assert found.bound == "the whole interval inside 0.5 to 1.5"


def test_a_slope_without_an_interval_is_not_met_and_says_what_to_do(record):
    lacking = with_pooled(
        record, calibration_slope_all_low=None, calibration_slope_all_high=None,
        reasons={"calibration_slope_all": "2 responders and 9 others: under 5 of a class"},
    )  # fmt: skip
    found = judged(lacking, "calibration_slope", calibration_slope=[0.5, 1.5])
    assert not found.passed
    assert found.figure == "not measured: 2 responders and 9 others: under 5 of a class"
    assert "promotion: {calibration_slope: null}" in found.remedy


@pytest.mark.parametrize(("gain", "is_met"), [(0.021, True), (0.02, False), (-0.1, False)])
def test_net_benefit_is_the_procedures_and_above_what_is_asked(record, gain, is_met):
    assert set(record.promotion["net_benefit"]["by_candidate"]) == {
        "severity", "ridge", "procedure",
    }  # fmt: skip
    figures = record.promotion["net_benefit"]["by_candidate"]["procedure"]
    figures["gain"] = gain
    assert judged(record, "net_benefit", net_benefit=0.02).passed is is_met


def test_net_benefit_is_taken_at_the_threshold_of_the_validation(record):
    assert record.promotion["net_benefit"]["threshold"] == 0.5
    assert "from 0.5 on" in judged(record, "net_benefit", net_benefit=0.0).bound


@pytest.mark.parametrize(("low", "is_met"), [(0.61, True), (0.6, False), (0.5, False)])
def test_the_lower_bound_across_trials_is_above_the_reference(record, low, is_met):
    record.procedure["across"]["auc_low"] = low
    record.candidates["severity"]["across"]["auc"] = 0.6
    found = judged(record, "across_above", across_above="severity")
    assert found.passed is is_met
    assert "of severity" in found.figure


def test_without_the_design_or_the_reference_it_is_not_met_and_says_what_to_do(record):
    no_design = replace(record, procedure={**record.procedure, "across": None})
    found = judged(no_design, "across_above", across_above="severity")
    assert (found.passed, found.figure) == (False, "not measured: no trial was left out")
    assert "validation: {across: leave_one_trial_out}" in found.remedy
    other = judged(record, "across_above", across_above="arm_only")
    assert (other.passed, other.figure) == (False, "not measured: arm_only was no candidate")
    assert other.remedy.startswith("List arm_only in `models:`")


@pytest.mark.parametrize(
    ("stops", "doubted", "asked", "is_met"),
    [
        (0, [], "stop", True),
        (0, ["x:1"], "stop", True),
        (0, [], "warn", True),
        (0, ["x:1"], "warn", False),
        (1, [], "stop", False),
    ],
)
def test_leakage_is_judged_by_stops_or_by_warnings(record, stops, doubted, asked, is_met):
    record.promotion["leakage"] = {"stops": stops, "doubted": doubted}
    assert judged(record, "leakage", leakage=asked).passed is is_met


@pytest.mark.parametrize(
    ("name", "figure", "bound", "met", "unmet"),
    [
        ("prediction_error", "mean_absolute_error", 0.1, 0.1, 0.11),
        ("flips", "flips", 0.2, 0.2, 0.21),
        ("agreement", "agreement", 0.6, 0.6, 0.59),
    ],
)
def test_stability_is_judged_where_it_was_measured(record, name, figure, bound, met, unmet):
    for value, is_met in ((met, True), (unmet, False)):
        measured = replace(record, parts={"stability": {figure: value}})
        assert judged(measured, name, **{name: bound}).passed is is_met
    lacking = judged(replace(record, parts={"stability": None}), name, **{name: bound})
    assert not lacking.passed
    assert "validation: {stability: {refits: 100}}" in lacking.remedy
    assert f"promotion: {{{name}: null}}" in lacking.remedy


def test_by_default_five_criteria_are_asked_and_none_when_all_are_null(record):
    assert [item.name for item in judge(record)] == [
        "calibration_slope", "net_benefit", "across_above", "leakage", "prediction_error",
    ]  # fmt: skip
    none = {**record.promotion, "policy": dict.fromkeys(DEFAULTS)}
    assert judge(replace(record, promotion=none)) == ()


def test_a_record_of_an_earlier_version_has_nothing_to_judge(record):
    with pytest.raises(ValueError, match="nothing to judge"):
        judge(replace(record, promotion=None))


def test_bounds_that_leave_out_a_perfect_slope_are_refused():
    with pytest.raises(ValidationError, match="from below 1, which is perfect"):
        PromotionDefinition.model_validate_json('{"calibration_slope": [1.1, 1.5]}')
