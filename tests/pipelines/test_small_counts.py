"""What a training leaves for others holds no count under ten, and none can be worked out."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.bundle.load import load_bundle
from glabella.definitions.locate import find_project
from glabella.tracking.runs import find_artifacts
from glabella.tracking.store import load_mlflow, open_store

# Of the third trial seven are kept, six in one arm; of the second few respond.
_SMALL = 7


@pytest.fixture(scope="module")
def small(tmp_path_factory, make_small_project):
    project = make_small_project(tmp_path_factory.mktemp("small_counts"))
    people = pd.read_csv(project / "participants.csv")
    visits = pd.read_csv(project / "assessments.csv")
    names = sorted(people["studyid"].unique())
    few = people[people["studyid"] == names[1]].groupby("arm").head(4).head(_SMALL)
    extra = few.assign(studyid="gamma", usubjid=[f"gamma-{at}" for at in range(len(few))])
    seen = visits.merge(few[["studyid", "usubjid"]].assign(new=extra["usubjid"].to_numpy()))
    seen = seen.assign(studyid="gamma", usubjid=seen["new"]).drop(columns="new")
    pd.concat([people, extra]).to_csv(project / "participants.csv", index=False)
    pd.concat([visits, seen]).to_csv(project / "assessments.csv", index=False)
    path = project / "pipelines" / "small.yaml"
    text = path.read_text().replace(
        "[prevalence, arm_only, severity, ridge, xgboost]", "[arm_only, severity, ridge]"
    )
    path.write_text(text)
    result = glabella.train("small", project=project, workers=1)
    return project, result, load_analysis("small", find_project(project)).sample


def _walk(value, path=()):
    yield path, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _walk(item, (*path, name))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _walk(item, (*path, at))


def _assert_counts_are_told_safely(content):
    counted = [
        value
        for path, value in _walk(content)
        if isinstance(value, dict) and "events" in value and path[-1] != "reasons"
    ]
    assert counted
    for item in counted:
        n, events = item["n"], item["events"]
        assert n is None or n >= 10
        assert events is None or min(events, n - events) >= 10
        if events is None and "pairs" in item:
            assert item["pairs"] is None
            assert "under 10" in item["reasons"]["events"]


def test_the_bundle_tells_no_small_count_and_none_by_subtraction(small):
    _, result, sample = small
    manifest = load_bundle(Path(result.bundle)).manifest
    training = manifest.training
    _assert_counts_are_told_safely({"cells": training["cells"]})
    _assert_counts_are_told_safely(manifest.performance)
    assert training["n"] == sample.n
    # Of the third trial there is no likeness, and of one other the number would tell of it.
    assert [item["trial"] for item in training["trials"]] == ["alpha", "beta"]
    assert [item["n"] is None for item in training["trials"]].count(True) == 1
    cells = pd.DataFrame(training["cells"])
    assert set(cells.loc[cells["trial"] == "gamma", "n"].isna()) == {True}
    for name in ("n", "events"):
        assert cells[name].isna().sum() != 1
        for by in ("trial", "arm"):
            missing = cells[name].isna().groupby(cells[by]).agg(["sum", "size"])
            assert not ((missing["sum"] == 1) & (missing["size"] > 1)).any()
    for groups in (manifest.performance["inside"], manifest.performance["across"]["groups"]):
        assert sum(item["n"] is None for item in groups) != 1


def test_no_file_of_the_run_says_how_many_of_a_few(small):
    _, result, _ = small
    folder = Path(result.bundle).parent
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.suffix in (".json", ".html", ".csv")
    }
    assert {"manifest.json", "record.json", "report.html", "folds.csv"} <= set(texts)
    for name, text in texts.items():
        found = re.findall(r"\b[1-9] (?:responders|others|participants)\b", html.unescape(text))
        assert not found, (name, found)
    record = json.loads(texts["record.json"])
    _assert_counts_are_told_safely(
        {name: record[name] for name in ("participants", "candidates", "procedure")}
    )
    page = html.unescape(texts["report.html"])
    assert "Counts under ten, and counts from which one could be calculated, are suppressed" in page
    assert ">suppressed<" in page


def test_what_is_logged_tells_no_small_count(small):
    project, result, sample = small
    store = open_store(find_project(project), create=False)
    run = load_mlflow().MlflowClient().get_run(result.run_id)
    assert run.data.params["n"] == str(sample.n)
    pairs = [name for name in run.data.metrics if name.endswith(".pairs")]
    assert set(pairs) <= {"pooled.pairs", "across.pairs"}
    tables = find_artifacts(store, result.run_id, "validation")
    folds = pd.read_csv(tables / "folds.csv")
    assert folds["held_out"].dropna().min() >= 10
    assert folds["responders"].dropna().min() >= 10
    for by in (["design", "repeat", "trial"], ["design", "repeat", "fold", "group"]):
        missing = folds["held_out"].isna().groupby([folds[name].fillna("") for name in by])
        summed = missing.agg(["sum", "size"])
        assert not ((summed["sum"] == 1) & (summed["size"] > 1)).any()
    predictions = pd.read_parquet(tables / "predictions.parquet")
    assert "gamma" not in set(predictions["group"])
    across = predictions[(predictions["design"] == "across") & (predictions["group"] == "")]
    assert len(across)


def test_few_participants_in_all_have_no_counts_either(small, tmp_path, make_small_project):
    project = make_small_project(tmp_path / "few")
    people = pd.read_csv(project / "participants.csv")
    sample = load_analysis("small", find_project(project)).sample
    keep = np.sort(
        np.concatenate(
            [
                np.flatnonzero(sample.labels == 1)[:9],
                np.flatnonzero(sample.labels == 0)[:40],
            ]
        )
    )
    people.iloc[keep].to_csv(project / "participants.csv", index=False)
    kept = people.iloc[keep][["studyid", "usubjid"]]
    pd.read_csv(project / "assessments.csv").merge(kept).to_csv(
        project / "assessments.csv", index=False
    )
    path = project / "pipelines" / "small.yaml"
    text = path.read_text().replace(
        "[prevalence, arm_only, severity, ridge, xgboost]", "[arm_only, ridge]"
    )
    text = text.replace("  inside: {folds: 3, repeats: 1}\n", "")
    path.write_text(text.replace("  across: leave_one_trial_out\n", ""))
    result = glabella.train("small", project=project, workers=1)
    assert (result.n, result.events) == (49, 9)
    training = load_bundle(Path(result.bundle)).manifest.training
    assert (training["n"], training["events"]) == (49, None)
    run = load_mlflow().MlflowClient().get_run(result.run_id)
    assert run.data.params["events"] == "null"
    estimates = result.candidates["ridge"].pooled.estimates
    assert estimates["sensitivity"].reason == "under 10 participants responded"
    compared = glabella.compare("small", project=project)
    assert (compared.runs[0].n, compared.runs[0].events) == (49, None)
