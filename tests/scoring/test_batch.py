"""Batch scoring: files in, files out, whole or not at all."""

import pandas as pd
import pytest

import glabella
from glabella.errors import BundleError, DataError


@pytest.mark.parametrize(("given", "written"), [("csv", "parquet"), ("parquet", "csv")])
def test_both_formats_are_read_and_written(trained, new_patients, tmp_path, given, written):
    _, result = trained
    table = tmp_path / f"new.{given}"
    new_patients.to_csv(table, index=False) if given == "csv" else new_patients.to_parquet(table)
    batch = glabella.score(table, out=tmp_path / f"scores.{written}", model=result.bundle)
    assert (batch.rows, batch.scored, batch.refused) == (30, 30, 0)
    assert batch.frame()["usubjid"].tolist() == new_patients["usubjid"].tolist()


def test_the_summary_counts_refusals_by_reason(trained, new_patients, tmp_path):
    _, result = trained
    table = new_patients.astype(str)
    table.loc[[1, 2], "age"] = "?"
    table.loc[7, "sex"] = "X"
    table.to_csv(tmp_path / "new.csv", index=False)
    batch = glabella.score(tmp_path / "new.csv", out=tmp_path / "scores.csv", model=result.bundle)
    assert batch.refused_by_reason == {
        "age is not a number": 2,
        "sex is not one of the codes F, M": 1,
    }
    assert batch.as_json()["rows"] == 30


@pytest.mark.parametrize("reference", ["small@challenger", "small/1"])
def test_a_registered_model_scores_like_its_bundle(trained, new_patients, tmp_path, reference):
    project, result = trained
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    frames = [
        glabella.score(
            tmp_path / "new.csv", out=tmp_path / f"{index}.csv", model=model, project=project
        ).frame()
        for index, model in enumerate([result.bundle, reference])
    ]
    pd.testing.assert_frame_equal(*frames)


@pytest.mark.parametrize(
    ("reference", "finding"),
    [
        (None, "no model with the alias 'champion'"),
        ("smal@challenger", "there is no model 'smal'"),
        ("small@champion", "no alias 'champion'"),
        ("small/99", "no version 99"),
        ("../../etc", "there is no model"),
    ],
)
def test_a_model_that_is_not_there_is_refused_with_the_choices(
    trained, new_patients, tmp_path, reference, finding
):
    project, _ = trained
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(BundleError, match=finding):
        glabella.score(
            tmp_path / "new.csv", out=tmp_path / "out.csv", model=reference, project=project
        )
    assert not (tmp_path / "out.csv").exists()


def test_an_existing_output_is_not_overwritten(trained, new_patients, tmp_path):
    _, result = trained
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    (tmp_path / "scores.csv").write_text("kept")
    with pytest.raises(DataError, match="exists already"):
        glabella.score(tmp_path / "new.csv", out=tmp_path / "scores.csv", model=result.bundle)
    with pytest.raises(DataError, match="the output is the input"):
        glabella.score(tmp_path / "new.csv", out=tmp_path / "new.csv", model=result.bundle)
    assert (tmp_path / "scores.csv").read_text() == "kept"


@pytest.mark.parametrize(
    ("out", "finding"), [("scores.xls", "can't be written"), ("none/scores.csv", "does not exist")]
)
def test_an_impossible_output_is_refused_first(trained, tmp_path, out, finding):
    _, result = trained
    with pytest.raises(DataError, match=finding):
        glabella.score(tmp_path / "none.csv", out=tmp_path / out, model=result.bundle)


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        ("", "the file is empty"),
        ("usubjid,age\n", "a header and no rows"),
        ("usubjid,age\nP1,40\n", "lacks the column 'depression_total'"),
    ],
)
def test_a_wrong_table_is_refused_and_nothing_is_written(trained, tmp_path, content, finding):
    _, result = trained
    (tmp_path / "new.csv").write_text(content)
    with pytest.raises(DataError, match=finding):
        glabella.score(tmp_path / "new.csv", out=tmp_path / "out.csv", model=result.bundle)
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_patients_without_a_frown_score_are_scored_alone_as_among_others(
    trained, new_patients, tmp_path
):
    _, result = trained
    blank = new_patients.assign(frown_max=None)
    alone = score_table(blank.head(1), tmp_path / "one", result.bundle)
    among = score_table(
        pd.concat([blank.head(1), new_patients.iloc[1:]]), tmp_path / "all", result.bundle
    )
    assert (alone.scored, alone.refused) == (1, 0)
    first, second = (batch.frame()["response_probability"].iloc[0] for batch in (alone, among))
    assert float(first) == float(second)


def test_rows_that_are_all_at_fault_are_refused_row_by_row(trained, new_patients, tmp_path):
    _, result = trained
    broken = new_patients.head(2).astype(object)
    broken["depression_total"] = ["", "999"]
    batch = score_table(broken, tmp_path / "two", result.bundle)
    assert (batch.rows, batch.scored, batch.refused) == (2, 0, 2)
    assert batch.frame()["error"].notna().all()


def test_a_model_of_an_early_response_scores_a_file_and_a_lost_visit_is_no_refusal(
    trained_early, new_patients, tmp_path
):
    half = new_patients["depression_total"] // 2
    early = new_patients.assign(depression_total_week_2=half.where(half.index != 4))
    batch = score_table(early, tmp_path / "early", trained_early[1].bundle)
    assert (batch.rows, batch.scored, batch.refused) == (30, 30, 0)
    scored = batch.frame()
    assert scored["domain_note"].str.contains("at week 2 not recorded", na=False).sum() == 1
    unchanged = new_patients.assign(depression_total_week_2=new_patients["depression_total"])
    worse = score_table(unchanged, tmp_path / "worse", trained_early[1].bundle).frame()
    seen = scored.index != 4
    assert (scored["response_probability"][seen] > worse["response_probability"][seen]).all()


def score_table(table, folder, bundle):
    folder.mkdir()
    table.to_csv(folder / "new.csv", index=False)
    return glabella.score(folder / "new.csv", out=folder / "out.csv", model=bundle)


def test_a_table_of_single_precision_scores_like_the_decimals_that_were_written(
    score_whole, new_patients, tmp_path
):
    decimals = new_patients.assign(age=new_patients["age"].astype(float) + 0.1)
    decimals.to_csv(tmp_path / "new.csv", index=False)
    single = decimals.astype({"age": "float32"})
    single.to_parquet(tmp_path / "new.parquet")
    single.to_stata(tmp_path / "new.dta", write_index=False)
    wanted = score_whole(tmp_path / "new.csv", name="csv.parquet")[1][
        "response_probability"
    ].tolist()
    for ending in ("parquet", "dta"):
        _, scores = score_whole(tmp_path / f"new.{ending}", name=f"{ending}.parquet")
        assert scores["response_probability"].tolist() == wanted
