"""An analysis with its data: what is derived from both."""

import numpy as np
import pandas as pd
import pytest

from glabella.analysis.folds import plan_folds
from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project


def test_what_the_analysis_declares_and_its_data_come_together(small_project):
    loaded = load_analysis("small", find_project(small_project))
    assert loaded.analysis is loaded.resolved.analysis.value
    assert loaded.endpoint is loaded.analysis.endpoint
    assert (loaded.external, loaded.truth, loaded.data) == (None, None, None)
    np.testing.assert_array_equal(loaded.kept, np.arange(120))
    np.testing.assert_array_equal(loaded.expected, loaded.sample.expected)


def test_the_folds_are_planned_once(small_project):
    loaded = load_analysis("small", find_project(small_project))
    again = plan_folds(loaded.analysis, loaded.sample)
    assert loaded.plan is loaded.plan
    assert [fold.key for fold in loaded.plan.folds] == [fold.key for fold in again.folds]
    assert {fold.design for fold in loaded.plan.folds} == {"pooled", "inside", "across"}


def test_a_group_holds_the_features_that_the_data_have(small_project):
    path = small_project / "pipelines" / "small.yaml"
    declared = (
        "explanation: {groups: {Both: [age_years, sex], Gone: [illness_months, antidepressant]}, "
    )
    text = path.read_text().replace("explanation: {", declared)
    path.write_text(text.replace("data:\n", "data:\n  lacking: feature\n"))
    table = small_project / "participants.csv"
    people = pd.read_csv(table, dtype=str)
    people.loc[people["studyid"] == "beta", "illness"] = ""
    people.to_csv(table, index=False)
    grouping = load_analysis("small", find_project(small_project)).grouping
    assert grouping.groups == {"Both": ("age_years", "sex")}


def test_what_was_noted_on_the_way_is_kept_in_order(small_project):
    path = small_project / "participants.csv"
    people = pd.read_csv(path, dtype=str)
    people.loc[people["studyid"] == "beta", "illness"] = ""
    people.to_csv(path, index=False)
    analysis = small_project / "pipelines" / "small.yaml"
    analysis.write_text(analysis.read_text().replace("data:\n", "data:\n  lacking: feature\n"))
    loaded = load_analysis("small", find_project(small_project))
    [noted] = [item for item in loaded.tables.findings if "illness_months" in item.finding]
    assert "beta" in noted.finding
    assert "illness_months" not in loaded.features.frame


@pytest.mark.parametrize("data", [None, "tables"])
def test_the_folder_of_the_data_is_kept(small_project, data):
    folder = None if data is None else small_project
    assert load_analysis("small", find_project(small_project), data=folder).data == folder
