"""Nothing that is known only later can enter a feature: a refusal, not a warning."""

from pathlib import Path

import pytest

from glabella.data.dictionary import Dictionary
from glabella.definitions.locate import Project
from glabella.definitions.reader import Read, parse_definition
from glabella.errors import AnalysisError, ClockError, DefinitionError
from glabella.features.clock import check_clock
from glabella.features.feature_set import FeatureSet

DICTIONARY = parse_definition(
    """
kind: dictionary
description: x
variables:
  age_years: {label: Age, type: number, range: [18, 95]}
  grade_w2: {label: Grade, type: ordinal, range: [0, 3], timing: week 2}
  grade_w4: {label: Grade, type: ordinal, range: [0, 3], timing: week 4}
  completed: {label: Completed, type: category, codes: {Y: yes, N: no}, timing: end}
  twstrs: {label: Torticollis, type: score, scale: twstrs, timing: visit}
""",
    Dictionary,
    name="features/dictionary.yaml",
).value


def read(feature: str, predict_at: str = "baseline") -> Read[FeatureSet]:
    text = (
        f"kind: feature_set\ndescription: x\npredict_at: {predict_at}\nfeatures:\n"
        f"  - {{name: age_years}}\n  - {feature}\n"
    )
    return parse_definition(text, FeatureSet, name="features/early.yaml")


def check(feature: str, predict_at: str = "baseline") -> None:
    found = read(feature, predict_at)
    check_clock(found.value, DICTIONARY, found.origin)


@pytest.mark.parametrize(
    ("feature", "predict_at"),
    [
        ("{name: twstrs, builder: baseline_score}", "baseline"),
        ("{name: severity, builder: baseline_score, of: twstrs}", "baseline"),
        ("{name: grade_w4}", "week 4"),
        ("{name: grade_w4}", "week 4.5"),
        ("{name: grade_w2}", "week 4"),
        ("{name: early, builder: visit_score, of: twstrs, week: 2}", "week 2"),
        ("{name: early, builder: visit_score, of: twstrs, week: 2}", "week 3.5"),
        ("{name: early, builder: visit_score, of: twstrs, week: 1.5, window: [1, 2]}", "week 2"),
        ("{name: fall, builder: change_from_baseline, of: twstrs, week: 2}", "week 2"),
        (
            "{name: fall, builder: change_from_baseline, of: twstrs, week: 2, window: [1, 3]}",
            "week 4",
        ),
    ],
)
def test_what_is_known_by_then_is_let_through(feature: str, predict_at: str) -> None:
    check(feature, predict_at)


@pytest.mark.parametrize(
    ("feature", "predict_at", "message"),
    [
        (
            "{name: grade_w4}",
            "baseline",
            "features/early.yaml:6: feature 'grade_w4' uses 'grade_w4', known only at week 4\n"
            "  This analysis predicts from baseline. Remove the feature, or set "
            "`predict_at: week 4`.",
        ),
        (
            "{name: age_at_entry, of: grade_w4}",
            "baseline",
            "features/early.yaml:6: feature 'age_at_entry' uses 'grade_w4', known only at week 4\n"
            "  This analysis predicts from baseline. Remove the feature, or set "
            "`predict_at: week 4`.",
        ),
        (
            "{name: grade_w4}",
            "week 3.5",
            "features/early.yaml:6: feature 'grade_w4' uses 'grade_w4', known only at week 4\n"
            "  This analysis predicts from week 3.5. Remove the feature, or set "
            "`predict_at: week 4`.",
        ),
        (
            "{name: twstrs}",
            "baseline",
            "features/early.yaml:6: feature 'twstrs' uses 'twstrs', assessed again at each visit, "
            "without saying which\n  Take its baseline: `builder: baseline_score`; or a later "
            "visit: `builder: visit_score` with its `week`.",
        ),
        (
            "{name: baseline, builder: value, of: twstrs}",
            "week 16",
            "features/early.yaml:6: feature 'baseline' uses 'twstrs', assessed again at each "
            "visit, without saying which\n  Take its baseline: `builder: baseline_score`; or a "
            "later visit: `builder: visit_score` with its `week`.",
        ),
        (
            "{name: completed}",
            "week 16",
            "features/early.yaml:6: feature 'completed' uses 'completed', known only at the end of "
            "follow-up\n  This analysis predicts from week 16. Remove the feature.",
        ),
    ],
    ids=[
        "week_4",
        "under_another_name",
        "half_a_week_too_late",
        "visit",
        "visit_under_a_name",
        "known_at_the_end",
    ],
)
def test_what_is_known_only_later_is_refused(feature: str, predict_at: str, message: str) -> None:
    with pytest.raises(ClockError) as caught:
        check(feature, predict_at)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("feature", "predict_at", "message"),
    [
        (
            "builder: visit_score, week: 2",
            "baseline",
            "feature 'early' uses 'twstrs' of week 2, known only at week 2\n"
            "  This analysis predicts from baseline. Remove the feature, or set "
            "`predict_at: week 2`.",
        ),
        (
            "builder: visit_score, week: 2, window: [1, 2.5]",
            "week 2",
            "feature 'early' uses 'twstrs' of week 2, known only at week 2.5, when its window "
            "ends\n  This analysis predicts from week 2. End its `window` by week 2, remove the "
            "feature, or set `predict_at: week 2.5`.",
        ),
        (
            "builder: change_from_baseline, week: 2",
            "baseline",
            "feature 'early' is a change score that spans the clock: it is of baseline and week 2 "
            "of 'twstrs', known only at week 2\n"
            "  This analysis predicts from baseline. Remove the feature, or set "
            "`predict_at: week 2`.",
        ),
        (
            "builder: change_from_baseline, week: 4, window: [3, 5]",
            "week 2",
            "feature 'early' is a change score that spans the clock: it is of baseline and week 4 "
            "of 'twstrs', known only at week 5, when its window ends\n"
            "  This analysis predicts from week 2. Remove the feature, or set "
            "`predict_at: week 5`.",
        ),
        (
            "builder: change_from_baseline, week: 2, window: [1, 3]",
            "week 2",
            "feature 'early' is a change score that spans the clock: it is of baseline and week 2 "
            "of 'twstrs', known only at week 3, when its window ends\n"
            "  This analysis predicts from week 2. End its `window` by week 2, remove the "
            "feature, or set `predict_at: week 3`.",
        ),
    ],
    ids=["visit", "window_of_visit", "change", "change_later", "window_of_change"],
)
def test_a_later_visit_is_refused_until_its_window_has_ended(
    feature: str, predict_at: str, message: str
) -> None:
    row = f"{{name: early, of: twstrs, {feature}}}"
    with pytest.raises(ClockError) as caught:
        check(row, predict_at)
    assert str(caught.value) == f"features/early.yaml:6: {message}"
    check(row, str(caught.value.remedy).split("`predict_at: ")[1].split("`")[0])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "{name: severity, builder: baseline_score, of: twstrs, week: 2}",
            "feature 'severity': the builder 'baseline_score' has no use for a week\n"
            "  Leave `week:` out, or take a later visit with `visit_score`, "
            "`change_from_baseline`.",
        ),
        (
            "{name: age, of: age_years, week: 2, window: [1, 3]}",
            "feature 'age': the builder 'value' has no use for a week\n"
            "  Leave `week:` out, or take a later visit with `visit_score`, "
            "`change_from_baseline`.",
        ),
        (
            "{name: early, builder: visit_score, of: twstrs}",
            "feature 'early': the builder 'visit_score' takes a later visit, and no week is "
            "named\n  Name it: `week: 2`, and a `window: [1, 3]` where visits may be early or "
            "late.",
        ),
        (
            "{name: fall, builder: change_from_baseline, of: twstrs}",
            "feature 'fall': the builder 'change_from_baseline' takes a later visit, and no week "
            "is named\n  Name it: `week: 2`, and a `window: [1, 3]` where visits may be early or "
            "late.",
        ),
        (
            "{name: early, builder: visit_score, of: age_years, week: 2}",
            "feature 'early': 'age_years' is not assessed at visits\n"
            "  Take it as it is: `builder: value`.",
        ),
        (
            "{name: fall, builder: change_from_baseline, of: grade_w2, week: 2}",
            "feature 'fall': 'grade_w2' is not assessed at visits\n"
            "  Take it as it is: `builder: value`.",
        ),
        (
            "{name: fall, builder: change_from_baseline, of: twstrs, week: 2, as: severity_band}",
            "feature 'fall': a change can't be expressed as 'severity_band'\n"
            "  Write `as: points`, `as: percent_change` or `as: percent_of_range`.",
        ),
        (
            "{name: early, builder: visit_score, of: twstrs, week: 2, as: percent_change}",
            "feature 'early' is no change, so it has no percent of one\n"
            "  Take the change: `builder: change_from_baseline`.",
        ),
    ],
    ids=[
        "baseline_with_a_week",
        "value_with_a_week",
        "visit_without_a_week",
        "change_without_a_week",
        "visit_of_no_visits",
        "change_of_no_visits",
        "band_of_a_change",
        "percent_of_no_change",
    ],
)
def test_a_week_that_is_missing_or_of_no_use_is_refused(row: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        check(row, "week 2")
    assert str(caught.value) == f"features/early.yaml:6: {message}"


def test_the_remedy_of_the_clock_works() -> None:
    with pytest.raises(ClockError) as caught:
        check("{name: grade_w4}")
    remedy = str(caught.value.remedy)
    check("{name: grade_w4}", remedy.split("`predict_at: ")[1].split("`")[0])


@pytest.mark.parametrize(
    ("feature", "predict_at", "message"),
    [
        (
            "{name: severity, builder: baseline_scroe, of: twstrs}",
            "baseline",
            "features/early.yaml:6: there is no builder 'baseline_scroe'\n"
            "  Did you mean 'baseline_score'? There are: baseline_score, change_from_baseline, "
            "value, visit_score.",
        ),
        (
            "{name: age_yaers}",
            "baseline",
            "features/early.yaml:6: the dictionary has no variable 'age_yaers'\n"
            "  Did you mean 'age_years'? "
            "There are: age_years, completed, grade_w2, grade_w4, twstrs.",
        ),
        (
            "{name: severity, builder: baseline_score, of: twstr}",
            "baseline",
            "features/early.yaml:6: the dictionary has no variable 'twstr'\n"
            "  Did you mean 'twstrs'? "
            "There are: age_years, completed, grade_w2, grade_w4, twstrs.",
        ),
        (
            "{name: severity, builder: baseline_score, of: age_years}",
            "baseline",
            "features/early.yaml:6: feature 'severity': 'age_years' is not assessed at visits\n"
            "  Take it as it is: `builder: value`.",
        ),
        (
            "{name: severity, builder: baseline_score, of: grade_w4}",
            "baseline",
            "features/early.yaml:6: feature 'severity': 'grade_w4' is not assessed at visits\n"
            "  Take it as it is: `builder: value`.",
        ),
        (
            "{name: twstrs, builder: baseline_score}",
            "entry",
            "features/early.yaml:3: 'entry' is no moment of a trial\n"
            "  Write `baseline` or `week N`.",
        ),
    ],
    ids=[
        "builder_misspelt",
        "feature_misspelt",
        "variable_misspelt",
        "no_visits",
        "no_visits_and_late",
        "no_moment",
    ],
)
def test_a_wrong_feature_is_answered_with_its_line_and_the_nearest_name(
    feature: str, predict_at: str, message: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        check(feature, predict_at)
    assert str(caught.value) == message


def test_prediction_from_within_the_endpoints_window_is_refused(
    tmp_path: Path, checkout: Path
) -> None:
    # Else what is recorded with the outcome, or after it, would be called a prediction of it.
    from glabella.analysis.resolve import resolve_analysis

    for name in ("features", "models", "pipelines"):
        (tmp_path / name).mkdir()
        for path in (checkout / name).glob("*.yaml"):
            (tmp_path / name / path.name).write_text(path.read_text())
    path = tmp_path / "features" / "dystonia.yaml"
    path.write_text(path.read_text().replace("predict_at: baseline", "predict_at: week 4"))
    with pytest.raises(AnalysisError):
        resolve_analysis("cdystonia", Project(definitions=tmp_path, home=tmp_path))
