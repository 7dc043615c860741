"""The arm of a score stands beside it, and all arms give what each alone gives."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.bundle.arms import choose_arm, choose_scored_arm, compares_arms
from glabella.bundle.load import load_bundle
from glabella.bundle.predict import explain_frame, score_frame
from glabella.errors import DataError


@pytest.fixture(scope="module")
def bundle(trained):
    return load_bundle(Path(trained[1].bundle))


@pytest.mark.parametrize("arm", [None, "bont", "placebo"])
def test_every_score_names_its_arm(bundle, new_patients, arm):
    for frame in (
        score_frame(bundle, new_patients, arm=arm),
        explain_frame(bundle, new_patients, arm=arm),
    ):
        assert (frame["arm"] == (arm or "bont")).all()
        assert list(frame).index("arm") > list(frame).index("response_probability")


def test_all_arms_are_what_each_alone_gives_to_the_last_digit(bundle, new_patients):
    every = score_frame(bundle, new_patients, arm="all")
    alone = {
        arm: score_frame(bundle, new_patients, arm=arm)["response_probability"]
        for arm in ("bont", "placebo")
    }
    for arm, values in alone.items():
        np.testing.assert_array_equal(every[f"probability_{arm}"], values)
    np.testing.assert_array_equal(every["response_probability"], alone["bont"])
    assert (every["arm"] == "bont").all()
    np.testing.assert_array_equal(every["difference_bont"], alone["bont"] - alone["placebo"])
    assert "difference_placebo" not in every


def test_with_uncertainty_the_difference_has_its_range_over_refits(bundle, new_patients):
    if not bundle.refits:
        pytest.skip("the small training keeps no refits")
    every = score_frame(bundle, new_patients, arm="all", uncertainty=True)
    for name in ("probability_bont", "probability_placebo", "difference_bont"):
        assert (every[f"{name}_low"] <= every[f"{name}_high"]).all()
    pd.testing.assert_series_equal(
        every["probability_bont_low"], every["response_low"], check_names=False
    )
    # A refit's difference, not that of the ends.
    wide = every["probability_bont_high"] - every["probability_placebo_low"]
    assert (every["difference_bont_high"] <= wide + 1e-12).all()


def test_a_refused_row_has_no_probability_under_any_arm(bundle, new_patients):
    broken = new_patients.copy()
    column = broken.select_dtypes("number").columns[0]
    broken[column] = broken[column].astype(object)
    broken.loc[broken.index[0], column] = "old"
    every = score_frame(bundle, broken, arm="all")
    names = ["response_probability", "probability_bont", "probability_placebo", "difference_bont"]
    assert every.loc[0, names].isna().all()
    assert every.loc[1:, names].notna().all(axis=None)


def test_all_is_an_arm_for_a_score_alone(bundle, new_patients):
    manifest = bundle.manifest
    assert compares_arms(manifest, "all") and choose_scored_arm(manifest, "all") == "bont"
    with pytest.raises(DataError, match="the model has no arm 'all'"):
        choose_arm(manifest, "all")
    with pytest.raises(DataError, match="the model has no arm 'all'"):
        explain_frame(bundle, new_patients, arm="all")
    without = manifest.model_copy(update={"arms": ()})
    with pytest.raises(DataError, match="does not know of arms"):
        compares_arms(without, "all")
    named = manifest.arms[0].model_copy(update={"name": "all"})
    own = manifest.model_copy(update={"arms": (named, *manifest.arms[1:])})
    assert not compares_arms(own, "all") and choose_arm(own, "all") == "all"


def test_arms_whose_columns_would_be_the_same_are_refused(bundle):
    first, second = bundle.manifest.arms
    for end in ("low", "high"):
        named = second.model_copy(update={"name": f"{first.name}_{end}"})
        clashing = bundle.manifest.model_copy(update={"arms": (first, named)})
        with pytest.raises(DataError, match="would be the same"):
            compares_arms(clashing, "all")


def test_a_file_of_scores_has_both_arms(trained, new_patients, tmp_path):
    project, result = trained
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    made = glabella.score(
        tmp_path / "new.csv",
        out=tmp_path / "scores.csv",
        model=result.bundle,
        project=project,
        arm="all",
    )
    assert made.arm == "all"
    read = pd.read_csv(tmp_path / "scores.csv")
    expected = read["probability_bont"] - read["probability_placebo"]
    np.testing.assert_allclose(read["difference_bont"], expected, atol=1e-12)
