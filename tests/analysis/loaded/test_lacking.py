"""A feature that a whole trial lacks."""

from dataclasses import replace

import numpy as np
import pytest

from glabella.analysis.loaded.lacking import drop_lacking
from glabella.analysis.loaded.tables import load_tables
from glabella.analysis.resolve import resolve_analysis
from glabella.definitions.locate import find_project
from glabella.errors import AnalysisError


@pytest.fixture
def load(small_project):
    """Load the small analysis with some trials' illness taken away."""

    def load_without(lacking: str, *trials: str):
        path = small_project / "pipelines" / "small.yaml"
        path.write_text(path.read_text().replace("data:\n", f"data:\n  lacking: {lacking}\n"))
        project = find_project(small_project)
        resolved = resolve_analysis("small", project)
        tables = load_tables(resolved, None, project)
        people = tables.participants.copy()
        people.loc[people["studyid"].isin(trials), "illness_months"] = np.nan
        return resolved, replace(tables, participants=people)

    return load_without


def test_the_feature_goes(load):
    resolved, tables = load("feature", "beta")
    settled, left = drop_lacking(resolved, tables)
    names = [feature.name for feature in settled.feature_set.value.features]
    assert "illness_months" not in names
    assert len(names) == len(resolved.feature_set.value.features) - 1
    assert left.n == tables.n
    assert "nobody in beta has the feature 'illness_months'" in left.findings[-1].finding


def test_the_trial_goes(load):
    resolved, tables = load("trial", "beta")
    settled, left = drop_lacking(resolved, tables)
    assert settled is resolved
    assert set(left.participants["studyid"].astype(str)) == {"alpha"}
    assert set(left.assessments["studyid"].astype(str)) == {"alpha"}


def test_nothing_goes_if_every_trial_has_the_feature(load):
    resolved, tables = load("feature")
    assert drop_lacking(resolved, tables) == (resolved, tables)


def test_no_trial_left_is_refused(load):
    resolved, tables = load("trial", "alpha", "beta")
    with pytest.raises(AnalysisError, match="every trial lacks some feature"):
        drop_lacking(resolved, tables)
