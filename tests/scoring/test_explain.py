"""All attributions of a table: the values that reasons are made of, row by row."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import glabella
from glabella.bundle.load import load_bundle
from glabella.bundle.predict import explain_frame, score_frame
from glabella.errors import DataError


@pytest.fixture
def bundle(trained):
    return load_bundle(Path(trained[1].bundle))


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_rows_add_up_to_the_scored_probability(trained, new_patients, tmp_path, ending):
    table = tmp_path / "new.csv"
    new_patients.to_csv(table, index=False)
    model = trained[1].bundle
    done = glabella.explain(table, out=tmp_path / f"values.{ending}", model=model)
    scored = glabella.score(table, out=tmp_path / "scores.csv", model=model).frame()
    found = done.frame()
    assert (done.rows, done.explained, done.refused) == (30, 30, 0)
    assert done.scale == "log odds" and "SHAP" in done.method
    assert found["usubjid"].tolist() == new_patients["usubjid"].tolist()
    parts = [name for name in found if name.startswith("attribution_")]
    assert "attribution_illness_months" in parts and "attribution_arm" in parts
    total = expit(found["base"] + found[parts].sum(axis=1))
    np.testing.assert_allclose(total, found["response_probability"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        found["response_probability"], scored["response_probability"], rtol=0, atol=1e-6
    )


def test_reasons_are_the_largest_of_these_values(bundle, new_patients):
    found = explain_frame(bundle, new_patients)
    reasons = score_frame(bundle, new_patients, reasons=1)["reason_1"]
    labels = {spec.name: spec.label for spec in bundle.manifest.feature_specs}
    patient = [
        f"attribution_{s.name}" for s in bundle.manifest.feature_specs if s.part == "patient"
    ]
    for row in range(len(found)):
        values = found.loc[row, patient].astype(float)
        largest = values.abs().idxmax()
        assert reasons[row].startswith(labels[largest.removeprefix("attribution_")])
        factor = re.search(r"x ([\d.]+)", reasons[row]).group(1)
        assert float(factor) == pytest.approx(np.exp(values[largest]), abs=0.006)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_as_many_reasons_as_asked_for_and_the_same_probabilities(bundle, new_patients, count):
    found = score_frame(bundle, new_patients, reasons=count)
    assert [c for c in found if c.startswith("reason_")] == [
        f"reason_{i + 1}" for i in range(count)
    ]
    usual = score_frame(bundle, new_patients)
    pd.testing.assert_series_equal(found["response_probability"], usual["response_probability"])


def test_fewer_than_no_reasons_are_refused(trained, new_patients, tmp_path):
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match="-1 reasons"):
        glabella.score(
            tmp_path / "new.csv", out=tmp_path / "s.csv", model=trained[1].bundle, reasons=-1
        )


def test_a_refused_row_keeps_its_place_without_values(bundle, new_patients):
    table = new_patients.astype(str)
    table.loc[3, "age"] = "?"
    found = explain_frame(bundle, table)
    assert len(found) == 30
    assert found.loc[3, "status"] == "refused" and found.loc[3, "error"]
    assert found.loc[3].filter(like="attribution_").isna().all()
    assert found.drop(index=3).filter(like="attribution_").notna().all(axis=None)


def test_a_table_of_refused_rows_alone_is_written(bundle, new_patients):
    table = new_patients.astype(str).head(3)
    table["age"] = "?"
    found = explain_frame(bundle, table)
    assert (found["status"] == "refused").all()


def test_whose_every_optional_feature_is_missing_is_explained(bundle, new_patients):
    table = new_patients.copy()
    needed = {bundle.manifest.form.columns[name].column for name in bundle.manifest.required}
    for column in {given.column for given in bundle.manifest.form.columns.values()} - needed:
        table[column] = None
    found = explain_frame(bundle, table)
    assert (found["status"] == "scored").all()
