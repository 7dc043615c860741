"""How well features name the trial: known answers."""

import numpy as np
import pandas as pd
import pytest

from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.validation.across_trials.membership_model import estimate_membership

SPECS = (FeatureSpec("x", "X", "number"), FeatureSpec("studyid", "Trial", "category", part="trial"))


def make(x: np.ndarray) -> FeatureTable:
    return FeatureTable(pd.DataFrame({"x": x, "studyid": "t"}), SPECS)


@pytest.mark.parametrize("trials", [2, 4])
def test_alike_trials_are_told_apart_by_chance_only(trials: int) -> None:
    draw = np.random.default_rng(1)
    trial = np.repeat([f"t{k}" for k in range(trials)], 400)
    result = estimate_membership(make(draw.normal(size=len(trial))), trial, seed=1)
    assert result.auc == pytest.approx(0.5, abs=0.05)
    assert result.auc_missing == 0.5


def test_a_shift_of_one_standard_deviation_has_its_textbook_auc() -> None:
    draw = np.random.default_rng(2)
    trial = np.repeat(["a", "b"], 1500)
    x = draw.normal(size=3000) + (trial == "b")
    # Two normal curves one standard deviation apart: AUC = Phi(1 / sqrt 2) = 0.760.
    assert estimate_membership(make(x), trial, seed=3).auc == pytest.approx(0.760, abs=0.02)


def test_missingness_that_names_the_trial_is_seen() -> None:
    draw = np.random.default_rng(3)
    trial = np.repeat(["a", "b"], 200)
    x = draw.normal(size=400)
    x[(trial == "b") & (draw.random(400) < 0.9)] = np.nan
    assert estimate_membership(make(x), trial, seed=3).auc_missing > 0.9


def test_the_same_seed_gives_the_same_figure() -> None:
    draw = np.random.default_rng(4)
    trial = np.repeat(["a", "b"], 50)
    table = make(draw.normal(size=100))
    assert estimate_membership(table, trial, seed=9) == estimate_membership(table, trial, seed=9)


@pytest.mark.parametrize("trial", [["a"] * 20, ["a"] * 17 + ["b"] * 3])
def test_without_two_trials_of_five_there_is_a_reason(trial: list[str]) -> None:
    result = estimate_membership(make(np.arange(20.0)), trial, seed=1)
    assert result.auc is None
    assert result.reason is not None
