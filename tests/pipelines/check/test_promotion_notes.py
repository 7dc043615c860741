"""What the gate will not measure is said by `check`, before anything is fitted."""

import re

import pytest

import glabella

ASKED = "explanation: {refits: 0, permutations: 0}"
MODELS = "[prevalence, arm_only, severity, ridge, xgboost]"


def _write(project, *, models="[arm_only, severity, ridge]", without=(), more=""):
    path = project / "pipelines" / "small.yaml"
    text = path.read_text().replace(MODELS, models)
    for line in without:
        text = text.replace(line, "")
    path.write_text(text + more)
    return project


def _find(project, **how):
    findings = glabella.check("small", project=_write(project, **how)).findings
    return {
        item.place: item for item in findings if re.match("promotion|claims|explan", item.place)
    }


def test_an_analysis_that_the_gate_can_judge_has_nothing_to_say(small_project):
    assert _find(small_project, without=[ASKED]) == {}


def test_a_reference_that_is_no_candidate_is_said_beforehand(small_project):
    found = _find(small_project, models="[arm_only, ridge]", without=[ASKED])
    assert set(found) == {"promotion.across_above", "claims beyond severity"}
    lacking = found["promotion.across_above"]
    assert lacking.finding.startswith("severity is no candidate, so this criterion of the gate")
    assert lacking.remedy == (
        "List severity in `models:`, or hold the model against another: "
        "`promotion: {across_above: arm_only}`."
    )
    assert lacking.severity == "warn"
    assert "List severity" in found["claims beyond severity"].remedy


def test_a_design_that_leaves_nothing_out_is_said_beforehand(small_project):
    found = _find(small_project, without=[ASKED, "  across: leave_one_trial_out\n"])
    assert found["promotion.across_above"].finding.startswith("no trial or site is left out")
    assert found["promotion.across_above"].remedy == (
        "Ask for `validation: {across: leave_one_trial_out}`."
    )


def test_refits_that_no_one_makes_are_said_beforehand(small_project):
    found = _find(small_project)
    assert list(found) == ["promotion.prediction_error"]
    assert "stability: {refits: 100}" in found["promotion.prediction_error"].remedy


def test_what_is_switched_off_is_not_asked_for(small_project):
    more = "promotion: {across_above: null, prediction_error: null}\n"
    assert set(_find(small_project, models="[arm_only, ridge]", more=more)) == {
        "claims beyond severity"
    }


@pytest.mark.parametrize(
    "how",
    [
        {"models": "[arm_only, ridge]"},
        {"without": ["  across: leave_one_trial_out\n"]},
        {"models": "[arm_only, ridge]", "without": [ASKED, "  across: leave_one_trial_out\n"]},
    ],
)
def test_whatever_the_gate_does_not_measure_was_said_beforehand(small_project, how):
    said = {place.removeprefix("promotion.") for place in _find(small_project, **how)}
    glabella.train("small", project=small_project, workers=1)
    judged = glabella.promote("small", project=small_project, dry_run=True)
    lacking = {item.name for item in judged.criteria if item.figure.startswith("not measured")}
    assert lacking
    assert lacking <= said


def test_of_simulated_data_nothing_is_said_of_promotion(checkout):
    found = glabella.check("predictive", project=checkout).findings
    assert not [item for item in found if item.place.startswith("promotion")]


def test_the_shipped_analysis_of_a_real_table_can_be_judged(checkout, tables):
    folder = tables / "cdystonia_bont"
    found = glabella.check("cdystonia", project=checkout, data=folder).findings
    assert not [item for item in found if re.match("promotion|claims", item.place)]
