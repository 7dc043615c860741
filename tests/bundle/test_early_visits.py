"""A later visit in a table with one row a participant: named, read, and scored as in training."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glabella.analysis.loaded.load import LoadedAnalysis, load_analysis
from glabella.analysis.resolve import resolve_analysis
from glabella.analysis.scoring_columns import list_table_forms
from glabella.bundle.forms import VisitColumn
from glabella.bundle.load import Bundle, load_bundle
from glabella.bundle.predict import build_scoring_features, score_frame
from glabella.definitions.locate import find_project
from glabella.errors import DataError

LATE = "depression_total_week_2"


@pytest.fixture
def bundle(trained_early) -> Bundle:
    return load_bundle(Path(trained_early[1].bundle))


@pytest.fixture
def table(trained_early) -> pd.DataFrame:
    """The training participants with the visit that stood for week 2."""
    return make_rows(trained_early[0])


def make_rows(project: Path) -> pd.DataFrame:
    people = pd.read_csv(project / "participants.csv")
    rows = pd.read_csv(project / "assessments.csv").query("paramcd == 'depression_total'")
    first = rows[rows["week"] == 0].set_index("usubjid")["aval"]
    near = rows[rows["week"].between(1, 3)].set_index("usubjid")["aval"]
    ids = people["usubjid"]
    return people.assign(**{"depression_total": ids.map(first), LATE: ids.map(near)})


def predict_own(bundle: Bundle, loaded: LoadedAnalysis) -> list[float]:
    frame = loaded.sample.features.frame
    asked = frame.assign(
        arm=pd.Categorical(["bont"] * len(frame), categories=frame["arm"].cat.categories),
        studyid=pd.Categorical([None] * len(frame), categories=frame["studyid"].cat.categories),
    )
    return bundle.model.predict_proba(asked)[:, 1].tolist()


def test_a_long_table_becomes_a_column_for_the_week(bundle):
    manifest = bundle.manifest
    assert manifest.form.columns["depression_total"].column == "depression_total"
    assert manifest.form.visits == (
        VisitColumn(variable="depression_total", week=2, column=LATE, is_needed=True),
    )
    assert manifest.form.needed_columns == ("usubjid", "depression_total", "age", LATE, "scale")


def test_the_training_participants_get_the_runs_own_predictions(trained_early, bundle, table):
    loaded = load_analysis("early", find_project(trained_early[0]))
    scored = score_frame(bundle, table)
    assert (scored["status"] == "scored").all()
    assert scored["response_probability"].tolist() == predict_own(bundle, loaded)
    assert table[LATE].isna().sum() == loaded.sample.features.frame["early"].isna().sum() > 0


def test_a_visit_that_is_missing_is_treated_as_in_training_and_noted(bundle, table):
    blank = table.astype(object).astype(str).replace("nan", "")
    blank.loc[0, LATE] = ""
    row = score_frame(bundle, blank).iloc[0]
    assert (row["status"], bool(row["in_domain"])) == ("scored", True)
    label = "Depression total"
    assert f"{label} at week 2 not recorded" in row["domain_note"]
    assert f"{label}, change from baseline to week 2 not recorded" in row["domain_note"]


def test_the_change_is_a_reason_and_is_held_against_its_training_range(bundle, table):
    row = table.iloc[[0]].assign(depression_total=30, scale="madrs", **{LATE: 3})
    scored = score_frame(bundle, row).iloc[0]
    reasons = scored[["reason_1", "reason_2", "reason_3"]]
    text = "Depression total, change from baseline to week 2: -90 % of the baseline raises the odds"
    assert reasons.str.startswith(text).any()
    assert not scored["in_domain"]
    assert "change from baseline to week 2 outside the training range" in scored["domain_note"]
    features = build_scoring_features(bundle, row, arm=None).features.iloc[0]
    assert (features["early"], features["fall"]) == (5, -90)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("ten", "is not a number"),
        ("99", "is outside the range of its scale"),
        ("-1", "is outside the range of its scale"),
    ],
)
def test_a_faulty_visit_refuses_its_row_alone(bundle, table, value, error):
    faulty = table.head(5).astype(object).astype(str).replace("nan", "")
    faulty.loc[2, LATE] = value
    scored = score_frame(bundle, faulty)
    assert scored["status"].tolist() == ["scored", "scored", "refused", "scored", "scored"]
    assert scored["error"].iloc[2] == f"{LATE} {error}"


def test_a_table_without_the_visit_is_refused_with_the_nearest_name(bundle, table):
    with pytest.raises(DataError, match=f"lacks the column '{LATE}'") as caught:
        score_frame(bundle, table.rename(columns={LATE: "depression_week_2"}))
    assert "Did you mean 'depression_week_2'?" in str(caught.value)


def test_later_visits_in_the_table_change_nothing(bundle, table):
    later = table.assign(depression_total_week_6=1, depression_total_week_3=60)
    pd.testing.assert_frame_equal(score_frame(bundle, later), score_frame(bundle, table))


def test_a_baseline_is_required_for_its_change_alone(early_project, fit_bundle):
    path = early_project / "features" / "early.yaml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "baseline_score" not in line))
    bundle = fit_bundle(load_analysis("early", find_project(early_project)))
    assert bundle.manifest.required == ("depression_total",)
    rows = make_rows(early_project).head(3).astype({"depression_total": float})
    rows.loc[:1, "depression_total"] = [np.nan, 0]
    assert score_frame(bundle, rows)["error"].tolist() == [
        "depression_total is missing",
        "depression_total is zero, so that a relative fall from it is not defined",
        "",
    ]


def test_a_later_visit_alone_needs_no_baseline(early_project, fit_bundle):
    path = early_project / "features" / "early.yaml"
    head = path.read_text().split("features:")[0]
    row = "{name: early, builder: visit_score, of: depression_total, week: 2, as: severity_band}"
    path.write_text(f"{head}features:\n  - {row}\n")
    bundle = fit_bundle(load_analysis("early", find_project(early_project)))
    assert bundle.manifest.form.columns == {}
    assert bundle.manifest.required == ()
    rows = make_rows(early_project).drop(columns="depression_total")
    assert (score_frame(bundle, rows)["status"] == "scored").all()


def make_wide(project: Path) -> pd.DataFrame:
    """Turn the project's analysis into one of a single wide file, and give its table."""
    rows = pd.read_csv(project / "assessments.csv").query("paramcd == 'depression_total'")
    wide = rows.pivot(index="usubjid", columns="week", values="aval")
    # A second visit in the window, for some beside week 2 and for some in its place.
    wide[3] = wide[3].fillna(wide[2].where(wide.index < "P-060"))
    wide = wide[[0, 1.5, 2, 3, 6]].set_axis(["d0", "d1", "d2", "d3", "d6"], axis=1)
    table = pd.read_csv(project / "participants.csv").merge(wide.reset_index(), on="usubjid")
    table.to_csv(project / "participants.csv", index=False)
    path = project / "pipelines" / "early.yaml"
    head, rest = path.read_text().split("      assessments:\n")
    listed = (
        "      assessments:\n"
        "        - file: participants.csv\n          id: usubjid\n          trial: studyid\n"
        "          variable: depression_total\n"
        "          weeks: {d0: 0, d1: 1.5, d2: 2, d3: 3, d6: 6}\n"
    )
    path.write_text(head + listed + "arms:" + rest.split("arms:", 1)[1])
    return table


def test_a_wide_source_keeps_its_columns_and_only_the_nearest_is_needed(early_project, fit_bundle):
    table = make_wide(early_project)
    loaded = load_analysis("early", find_project(early_project))
    bundle = fit_bundle(loaded)
    manifest = bundle.manifest
    assert [(item.column, item.week, item.is_needed) for item in manifest.form.visits] == [
        ("d1", 1.5, False),
        ("d2", 2, True),
        ("d3", 3, False),
    ]
    assert manifest.form.optional_columns == ("d1", "d3")
    assert table["d2"].isna().any()
    assert score_frame(bundle, table)["response_probability"].tolist() == predict_own(
        bundle, loaded
    )
    fewer = table.drop(columns=["d1", "d3", "d6"])
    same = table["d2"].notna() | table[["d1", "d3"]].isna().all(axis=1)
    pd.testing.assert_frame_equal(
        score_frame(bundle, fewer)[same], score_frame(bundle, table)[same]
    )
    with pytest.raises(DataError, match="lacks the column 'd2'"):
        score_frame(bundle, table.drop(columns="d2"))


def test_several_sources_share_the_dictionarys_name_with_the_week(early_project):
    path = early_project / "pipelines" / "early.yaml"
    head, rest = path.read_text().split("  trials:\n")
    source, tail = rest.split("arms:", 1)
    path.write_text(f"{head}  trials:\n{source}{source.replace('pooled', 'more')}arms:{tail}")
    features = early_project / "features" / "early.yaml"
    features.write_text(features.read_text().replace("week: 2\n", "week: 2.5\n"))
    [first, *_] = list_table_forms(resolve_analysis("early", find_project(early_project)))
    assert [item.column for item in first.visits] == ["depression_total_week_2.5"]
    assert first.columns["age_years"].column == "age_years"
    assert first.ids == ("studyid", "usubjid")
