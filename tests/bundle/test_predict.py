"""Scores: one row out per row in, each refusal in its place, reasons that are the model's own."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from glabella.analysis.loaded.load import load_analysis
from glabella.bundle.load import load_bundle
from glabella.bundle.predict import build_scoring_features, score_frame
from glabella.definitions.locate import find_project
from glabella.errors import DataError


@pytest.fixture
def bundle(trained):
    return load_bundle(Path(trained[1].bundle))


def test_every_row_is_scored_in_its_place(bundle, new_patients):
    scored = score_frame(bundle, new_patients)
    assert scored["usubjid"].tolist() == new_patients["usubjid"].tolist()
    assert (scored["status"] == "scored").all()
    assert scored["response_probability"].between(0, 1, inclusive="neither").all()


def test_text_and_numbers_score_alike(bundle, new_patients):
    as_text = new_patients.astype(str)
    first, second = score_frame(bundle, new_patients), score_frame(bundle, as_text)
    pd.testing.assert_frame_equal(first, second)


def test_a_row_alone_scores_as_in_the_batch(bundle, new_patients):
    together = score_frame(bundle, new_patients)["response_probability"].to_numpy()
    alone = [
        score_frame(bundle, new_patients.iloc[[row]])["response_probability"].iloc[0]
        for row in range(len(new_patients))
    ]
    assert together.tolist() == alone


def test_order_and_further_columns_change_nothing(bundle, new_patients):
    plain = score_frame(bundle, new_patients)
    shuffled = new_patients[list(reversed(new_patients.columns))].assign(note="x")
    pd.testing.assert_frame_equal(score_frame(bundle, shuffled)[plain.columns], plain)


@pytest.mark.parametrize(
    ("column", "value", "error"),
    [
        ("age", "forty", "age is not a number"),
        ("age", "-3", "age is outside 18 to 95 years"),
        ("age", "inf", "age is not a finite number"),
        ("sex", "female", "sex is not one of the codes F, M"),
        ("illness", "9999", "illness is outside 0 to 720 months"),
        ("frown_max", "1.5", "frown_max is not a whole number"),
        ("frown_max", "7", "frown_max is outside 0 to 3"),
        ("depression_total", "", "depression_total is missing"),
        ("depression_total", "61", "depression_total is outside the range of its scale"),
        ("depression_total", "0", "is zero, so that a relative fall from it is not defined"),
        ("scale", "phq", "scale names no known scale"),
        ("ad", "perhaps", "ad is not one of the codes no, yes"),
        ("usubjid", " ", "usubjid is blank"),
    ],
)
def test_a_faulty_row_is_refused_in_its_place_without_its_value(
    bundle, new_patients, column, value, error
):
    table = new_patients.astype(str)
    table.loc[3, column] = value
    scored = score_frame(bundle, table)
    assert len(scored) == len(table)
    assert scored["status"].tolist() == ["scored"] * 3 + ["refused"] + ["scored"] * 26
    assert error in scored["error"].iloc[3]
    assert np.isnan(scored["response_probability"].iloc[3])
    others = score_frame(bundle, new_patients).drop(index=3)
    pd.testing.assert_frame_equal(scored.drop(index=3), others)


def test_a_repeated_id_is_refused_at_its_second_place(bundle, new_patients):
    table = new_patients.copy()
    table.loc[5, "usubjid"] = table.loc[2, "usubjid"]
    scored = score_frame(bundle, table)
    assert scored.index[scored["status"] == "refused"].tolist() == [5]
    assert scored["error"].iloc[5] == "usubjid is in an earlier row too"


def test_a_missing_value_is_scored_as_in_training_and_noted(bundle, new_patients):
    table = new_patients.astype(str)
    table.loc[4, "age"] = ""
    scored = score_frame(bundle, table)
    assert scored["status"].iloc[4] == "scored"
    assert "Age not recorded" in scored["domain_note"].iloc[4]
    assert bool(scored["in_domain"].iloc[4])


def test_a_value_unlike_training_is_flagged(bundle, new_patients):
    table = new_patients.copy()
    table.loc[6, "age"] = 94
    scored = score_frame(bundle, table)
    assert not scored["in_domain"].iloc[6]
    assert "Age outside the training range" in scored["domain_note"].iloc[6]


def test_a_missing_column_is_refused_with_the_nearest_name(bundle, new_patients):
    table = new_patients.rename(columns={"illness": "ilness"})
    with pytest.raises(DataError, match="lacks the column 'illness'") as caught:
        score_frame(bundle, table)
    assert "Did you mean 'ilness'?" in str(caught.value)


def test_the_arm_is_the_first_active_one_unless_named(bundle, new_patients):
    usual = score_frame(bundle, new_patients)["response_probability"]
    pd.testing.assert_series_equal(
        usual, score_frame(bundle, new_patients, arm="bont")["response_probability"]
    )
    assert (score_frame(bundle, new_patients, arm="placebo")["response_probability"] != usual).any()
    with pytest.raises(DataError, match="no arm 'bontt'"):
        score_frame(bundle, new_patients, arm="bontt")


def test_contributions_add_to_the_score_and_reasons_name_the_largest(bundle, new_patients):
    scored = score_frame(bundle, new_patients)
    rows = build_scoring_features(bundle, new_patients, arm=None)
    found = bundle.model.contributions(rows.features)
    total = found.values.sum(axis=1) + found.base
    np.testing.assert_allclose(total, logit(scored["response_probability"]), atol=1e-5)
    labels = {spec.name: spec.label for spec in bundle.manifest.feature_specs}
    patient = [name for name in found.features if name != "arm"]
    for row in range(len(scored)):
        sizes = {name: abs(found.values[row, found.features.index(name)]) for name in patient}
        largest = labels[max(sizes, key=sizes.get)]
        assert scored["reason_1"].iloc[row].startswith(f"{largest}: ")
    assert not scored["reason_1"].str.startswith("Arm").any()


def test_a_table_of_only_faulty_rows_is_refused_row_by_row(bundle, new_patients):
    table = new_patients.astype(str).assign(age="?")
    assert (score_frame(bundle, table)["status"] == "refused").all()


def test_a_mild_baseline_is_no_baseline_of_zero_where_severity_is_in_bands(
    small_project, fit_bundle, new_patients
):
    path = small_project / "features" / "clinical.yaml"
    path.write_text(path.read_text().replace("as: percent_of_range", "as: severity_band"))
    bundle = fit_bundle(load_analysis("small", find_project(small_project)))
    rows = new_patients.head(2).assign(scale="hamd17", depression_total=[5, 0])
    scored = score_frame(bundle, rows)
    assert build_scoring_features(bundle, rows, arm=None).features["severity"].tolist() == [0, 0]
    assert scored["error"].tolist() == [
        "",
        "depression_total is zero, so that a relative fall from it is not defined",
    ]


@pytest.mark.parametrize("expressed", ["points", "madrs", "severity_band"])
def test_a_scale_that_training_lacked_refuses_its_row_unless_totals_are_in_percent(
    small_project, fit_bundle, new_patients, bundle, expressed
):
    people = pd.read_csv(small_project / "participants.csv")
    people.assign(scale="madrs").to_csv(small_project / "participants.csv", index=False)
    path = small_project / "features" / "clinical.yaml"
    path.write_text(path.read_text().replace("as: percent_of_range", f"as: {expressed}"))
    own = fit_bundle(load_analysis("small", find_project(small_project)))
    rows = new_patients.head(4).assign(
        scale=["madrs", "hamd17", "twstrs", "none"], depression_total=22
    )
    scored = score_frame(own, rows)
    other = "scale names a scale that the model was not trained on"
    assert scored["error"].tolist() == ["", other, other, "scale names no known scale"]
    alone = score_frame(own, rows.head(1))
    pd.testing.assert_frame_equal(scored.head(1), alone)
    in_percent = score_frame(bundle, rows)["status"].tolist()
    # Percent of another illness's scale is no severity of this one.
    assert in_percent == ["scored", "scored", "refused", "refused"]
