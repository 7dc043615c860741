"""A part of a training that fails is named in the report, and the run goes on to its model."""

import html
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import glabella
from glabella.bundle.load import load_bundle
from glabella.pipelines.training import attempts, optimism, results, train
from glabella.pipelines.training.parts import permutation_tests
from glabella.pipelines.training.run_report import figures, report
from glabella.validation.measures import calibration_curve, performance
from glabella.validation.measures.registry import MEASURES

SINGULAR = np.linalg.LinAlgError("Singular matrix")


def _fail(error):
    def fail(*args, **how):
        raise error

    return fail


@pytest.fixture(scope="module")
def broken(tmp_path_factory, make_small_project):
    """A training of which everything fails that it can do without."""
    project = make_small_project(tmp_path_factory.mktemp("broken"))
    path = project / "pipelines" / "small.yaml"
    text = path.read_text().replace(
        "[prevalence, arm_only, severity, ridge, xgboost]", "[arm_only, severity, ridge]"
    )
    text = text.replace(
        "validation:\n", "validation:\n  permutations: 19\n  stability: {refits: 20}\n"
    )
    path.write_text(text)
    patched = pytest.MonkeyPatch()
    with patched.context() as patch:
        patch.setattr(performance, "fit_calibration_curve", _fail(SINGULAR))
        patch.setattr(calibration_curve, "fit_calibration_curve", _fail(SINGULAR))
        failing = replace(MEASURES["brier"], compute=_fail(ZeroDivisionError("division")))
        patch.setitem(MEASURES, "brier", failing)
        patch.setattr(optimism, "correct_for_choice", _fail(FloatingPointError("overflow")))
        patch.setattr(permutation_tests, "run_permutations", _fail(UserWarning("did not converge")))
        patch.setattr(results, "refit_chosen", _fail(ValueError("constant")))
        patch.setattr(results, "explain_chosen", _fail(TypeError("a fault of the program")))
        patch.setattr(figures, "draw_roc", _fail(IndexError("out of range")))
        patch.setattr(report, "judge_directions", _fail(SINGULAR))
        patch.setattr(train, "refit_for_uncertainty", _fail(SINGULAR))
        yield glabella.train("small", project=project, workers=1)


def test_a_part_that_fails_is_named_with_its_kind_and_the_run_goes_on(broken):
    failed = {item.part: item.failure.kind for item in broken.failed}
    assert failed == {
        "permutation tests": "UserWarning",
        "refits to bootstrap samples": "ValueError",
        "explanation": "TypeError",
        "refits for the bundle": "LinAlgError",
        "figure roc": "IndexError",
        "directions stated beforehand": "LinAlgError",
    }
    assert broken.explained is None
    assert (broken.parts["permutations"], broken.parts["stability"]) == (None, None)
    assert load_bundle(Path(broken.bundle)).manifest.candidate == "ridge"
    assert broken.model_uri


def test_the_report_says_what_is_missing_and_why(broken):
    page = html.unescape(Path(broken.report).read_text(encoding="utf-8"))
    assert (
        "The part 'permutation tests' is missing: it could not be computed (UserWarning: did not "
        "converge)" in page
    )
    assert "The chosen model is not explained: it could not be computed (TypeError:" in page
    plain = json.loads(json.dumps(broken.as_json(), allow_nan=False))
    assert {item["part"] for item in plain["failed"]} == {item.part for item in broken.failed}


def test_a_measure_that_fails_is_null_with_its_reason_and_others_are_there(broken):
    pooled = broken.candidates["ridge"].pooled.estimates
    assert pooled["brier"].reason == "it could not be computed (ZeroDivisionError: division)"
    assert pooled["ici"].reason == "it could not be computed (LinAlgError: Singular matrix)"
    assert pooled["auc"].value is not None
    corrected = broken.figures.procedure.corrected.auc
    assert corrected.reason == "it could not be computed (FloatingPointError: overflow)"
    page = html.unescape(Path(broken.report).read_text(encoding="utf-8"))
    assert "it could not be computed (ZeroDivisionError: division)" in page


def test_what_is_no_number_is_noted_and_left_out():
    noted = attempts.Attempts()
    found = noted.drop_non_finite(
        {"a": {"b": [1.0, float("nan")], "c": 2}, "d": (float("inf"), "x"), "e": (1, 2)}
    )
    assert found == {"a": {"b": [1.0, None], "c": 2}, "d": [None, "x"], "e": (1, 2)}
    assert [item.part for item in noted.failed] == ["a b", "d"]
    json.dumps(found, allow_nan=False)
