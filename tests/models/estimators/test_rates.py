"""Rates worked out by hand: (responders + 1/2) / (participants + 1) in each cell."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from glabella.features.spec import FeatureSpec
from glabella.models.estimators.rates import ArmRateModel, PrevalenceModel

ARM = FeatureSpec("arm", "Arm", "category", part="arm", levels={"b": "b", "c": "c"})
TRIAL = FeatureSpec("studyid", "Trial", "category", part="trial", levels={"T": "T", "U": "U"})
AGE = FeatureSpec("age", "Age", "number")
# Cells as (trial, arm, responders, participants).
CELLS = [("T", "b", 3, 4), ("T", "c", 1, 5), ("U", "b", 1, 3), ("U", "c", 0, 2)]


def make_rows() -> tuple[pd.DataFrame, np.ndarray]:
    rows = [
        (trial, arm, 50.0, int(i < events)) for trial, arm, events, n in CELLS for i in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["studyid", "arm", "age", "responded"])
    return frame.astype({"studyid": "category", "arm": "category"}), frame["responded"].to_numpy()


def make_new(*cells: tuple[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(cells, columns=["studyid", "arm"])
    return frame.astype("category").assign(age=50.0)


def fit(kind: Any, *specs: FeatureSpec) -> Any:
    return kind(specs=specs).fit(*make_rows())


@pytest.mark.parametrize(
    ("cell", "rate"),
    [
        (("T", "b"), 3.5 / 5),
        (("T", "c"), 1.5 / 6),
        (("U", "b"), 1.5 / 4),
        (("U", "c"), 0.5 / 3),
        # A new trial gets the pooled rate by arm: 4 of 7, and 1 of 7.
        (("new", "b"), 4.5 / 8),
        (("new", "c"), 1.5 / 8),
        # A new arm gets the overall rate: 5 of 14.
        (("T", "new"), 5.5 / 15),
        (("new", "new"), 5.5 / 15),
    ],
)
def test_the_prevalence_by_arm_and_trial(cell: tuple[str, str], rate: float) -> None:
    model = fit(PrevalenceModel, AGE, ARM, TRIAL)
    np.testing.assert_allclose(model.predict_proba(make_new(cell))[:, 1], rate, rtol=1e-14)


@pytest.mark.parametrize(
    ("cell", "rate"),
    [(("T", "b"), 4.5 / 8), (("new", "b"), 4.5 / 8), (("U", "c"), 1.5 / 8), (("T", "n"), 5.5 / 15)],
)
def test_the_rate_by_arm_knows_no_trial(cell: tuple[str, str], rate: float) -> None:
    model = fit(ArmRateModel, AGE, ARM, TRIAL)
    np.testing.assert_allclose(model.predict_proba(make_new(cell))[:, 1], rate, rtol=1e-14)


@pytest.mark.parametrize(
    ("cell", "rate"), [(("T", "b"), 4.5 / 10), (("U", "b"), 1.5 / 6), (("new", "b"), 5.5 / 15)]
)
def test_without_arms_the_prevalence_is_by_trial(cell: tuple[str, str], rate: float) -> None:
    model = fit(PrevalenceModel, AGE, TRIAL)
    np.testing.assert_allclose(model.predict_proba(make_new(cell))[:, 1], rate, rtol=1e-14)


def test_without_arms_and_trials_there_is_the_overall_rate() -> None:
    model = fit(PrevalenceModel, AGE)
    np.testing.assert_allclose(
        model.predict_proba(make_new(("T", "b")))[:, 1], 5.5 / 15, rtol=1e-14
    )


def test_the_arm_is_credited_with_its_step_and_the_trial_belongs_to_the_base() -> None:
    parts = fit(PrevalenceModel, AGE, ARM, TRIAL).contributions(make_new(("T", "b"), ("new", "c")))
    assert parts.features == ("age", "arm")
    overall, by_arm = logit(5.5 / 15), logit([4.5 / 8, 1.5 / 8])
    np.testing.assert_allclose(parts.values[:, 0], 0)
    np.testing.assert_allclose(parts.values[:, 1], by_arm - overall, rtol=1e-12)
    np.testing.assert_allclose(
        parts.base, [overall + logit(3.5 / 5) - by_arm[0], overall], rtol=1e-12
    )


def test_no_cell_predicts_certainty() -> None:
    frame, _ = make_rows()
    responded = (frame["arm"] == "b").astype(int)
    probability = PrevalenceModel(specs=(ARM, TRIAL)).fit(frame, responded).predict_proba(frame)
    assert 0 < probability.min() < probability.max() < 1
