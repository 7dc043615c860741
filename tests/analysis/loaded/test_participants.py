"""The participants of an analysis."""

from dataclasses import replace

import numpy as np
import pytest

from glabella.analysis.loaded.load import load_analysis
from glabella.analysis.loaded.participants import find_analysed, make_sample
from glabella.definitions.locate import find_project
from glabella.errors import AnalysisError


@pytest.fixture
def load(small_project):
    def load_with(**changes: str):
        path = small_project / "pipelines" / "small.yaml"
        for old, new in changes.values():
            path.write_text(path.read_text().replace(old, new))
        return load_analysis("small", find_project(small_project))

    return load_with


def test_each_has_the_trial_site_arm_and_response_of_the_own_row(load):
    loaded = load()
    people, sample = loaded.tables.participants, loaded.sample
    assert sample.trial.tolist() == people["studyid"].astype(str).tolist()
    assert sample.site[0] == f"{people['studyid'].iloc[0]}, site {people['siteid'].iloc[0]}"
    assert sample.arm.tolist() == ["bont", "placebo"] * 60
    np.testing.assert_array_equal(sample.active, sample.arm == "bont")
    responded = loaded.outcomes.frame["responded"].to_numpy()
    np.testing.assert_array_equal(sample.labels, responded.astype(int))


def test_an_external_trial_is_apart(load):
    loaded = load(external=("  inner_folds: 2\n", "  inner_folds: 2\n  external: [beta]\n"),
                  across=("  across: leave_one_trial_out\n", ""))  # fmt: skip
    assert set(loaded.sample.trial) == {"alpha"}
    assert set(loaded.external.trial) == {"beta"}
    inside = find_analysed(loaded.analysis, loaded.tables, loaded.outcomes)
    outside = find_analysed(loaded.analysis, loaded.tables, loaded.outcomes, external=True)
    assert not (inside & outside).any()
    assert (inside | outside).all()


@pytest.mark.parametrize(
    ("named", "words"), [("[gamma]", "no trial 'gamma'"), ("[alpha, beta]", "holds every trial")]
)
def test_an_external_set_that_cannot_be_is_refused(load, named, words):
    with pytest.raises(AnalysisError, match=words):
        load(external=("  inner_folds: 2\n", f"  inner_folds: 2\n  external: {named}\n"))


def test_an_arm_without_an_outcome_is_refused(load):
    loaded = load()
    frame = loaded.outcomes.frame.copy()
    frame.loc[loaded.sample.arm == "placebo", "basis"] = "no_score"
    outcomes = replace(loaded.outcomes, frame=frame)
    with pytest.raises(AnalysisError, match="nobody in the arm 'placebo' has an outcome"):
        make_sample(loaded.analysis, loaded.tables, outcomes, loaded.features)
