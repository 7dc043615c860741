"""A made-up sample in which it is known what each feature does."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.validation.folds.sample import Sample

SPECS = (
    FeatureSpec("severity", "Severity", "number", is_severity=True),
    FeatureSpec("modifier", "Modifier", "number"),
    FeatureSpec("prognostic", "Prognostic", "number"),
    FeatureSpec("first", "First noise", "number"),
    FeatureSpec("second", "Second noise", "number"),
    FeatureSpec("sex", "Sex", "category", levels={"F": "female", "M": "male"}),
    FeatureSpec("arm", "Arm", "category", part="arm", levels={"a": "Active", "c": "Control"}),
)


def draw_sample(
    seed: int,
    n: int = 400,
    *,
    modifies: float = 1.2,
    prognostic: float = 1.0,
    reversed_in: str = "",
) -> Sample:
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({spec.name: draw.normal(size=n) for spec in SPECS[:5]})
    frame["sex"] = pd.Categorical(draw.choice(["F", "M"], n), categories=["F", "M"])
    arm = np.tile(["a", "c"], n // 2)
    trial = np.repeat(["T1", "T2", "T3", "T4"], n // 4)
    frame["arm"] = pd.Categorical(arm, categories=["a", "c"])
    sign = np.where(trial == reversed_in, -1.0, 1.0)
    log_odds = (
        -0.3
        + modifies * sign * frame["modifier"] * (arm == "a")
        + prognostic * frame["prognostic"]
        + 0.5 * (arm == "a")
    )
    responded = (draw.random(n) < expit(log_odds.to_numpy())).astype(np.int8)
    blank = np.full(n, "")
    return Sample(FeatureTable(frame, SPECS), responded[None], trial, blank, blank, arm, arm == "a")


@pytest.fixture
def drawn() -> Callable[..., Sample]:
    """Draws the sample of a seed."""
    return draw_sample
