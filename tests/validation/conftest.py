"""Small synthetic samples, and figures computed by independent programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.validation.folds.sample import Sample

_REFERENCE = Path(__file__).parents[1] / "reference"

AGE = FeatureSpec("age_years", "Age", "number", unit="years")
SEX = FeatureSpec("sex", "Sex", "category", levels={"F": "female", "M": "male"})
SEVERITY = FeatureSpec("severity", "Depression at baseline", "number", is_severity=True)
ARM = FeatureSpec("arm", "Arm", "category", part="arm", levels={"active": "A", "control": "C"})


@pytest.fixture(scope="session")
def reference() -> dict[str, Any]:
    """What R printed: tests/reference/make_validation_reference.R."""
    return json.loads((_REFERENCE / "validation_reference.json").read_text())


@pytest.fixture(scope="session")
def measures_reference() -> dict[str, Any]:
    """What R printed: tests/reference/make_measures_reference.R."""
    return json.loads((_REFERENCE / "measures_reference.json").read_text())


@pytest.fixture(scope="session")
def net_benefit_reference() -> dict[str, Any]:
    """What dcurves printed: tests/reference/make_net_benefit_reference.py."""
    return json.loads((_REFERENCE / "net_benefit_reference.json").read_text())


@pytest.fixture(scope="session")
def reference_predictions() -> pd.DataFrame:
    """The predictions that R computed its figures from."""
    return pd.read_csv(_REFERENCE / "validation_reference.csv")


@pytest.fixture(scope="session")
def make_sample() -> Callable[..., Sample]:
    """Build samples of two or more trials with two arms and known effects."""

    def make(
        n: int = 120,
        *,
        seed: int = 1,
        trials: tuple[str, ...] = ("T1", "T2"),
        with_arms: bool = True,
        with_severity: bool = True,
        shuffled: bool = False,
    ) -> Sample:
        random = np.random.default_rng(seed)
        trial = np.array(trials)[np.arange(n) % len(trials)]
        arm = np.where(random.random(n) < 0.5, "active", "control") if with_arms else [""] * n
        age = random.normal(48, 11, n)
        sex = np.where(random.random(n) < 0.7, "F", "M")
        severity = random.normal(24, 5, n)
        log_odds = (
            -0.4
            + 0.9 * (np.asarray(arm) == "active")
            + 0.7 * (age - 48) / 11
            - 0.6 * (severity - 24) / 5
        )
        responded = (random.random(n) < expit(log_odds)).astype(int)
        if shuffled:
            responded = random.permutation(responded)
        age[random.random(n) < 0.1] = np.nan
        columns: dict[str, object] = {
            "age_years": age,
            "sex": pd.Categorical(sex, categories=["F", "M"]),
        }
        specs = [AGE, SEX]
        if with_severity:
            columns["severity"] = severity
            specs.append(SEVERITY)
        if with_arms:
            columns["arm"] = pd.Categorical(arm, categories=["active", "control"])
            specs.append(ARM)
        return Sample(
            features=FeatureTable(pd.DataFrame(columns), tuple(specs)),
            outcomes=np.asarray(responded, dtype=np.int8)[None],
            trial=trial,
            site=np.array([""] * n),
            cohort=np.array([""] * n),
            arm=np.asarray(arm, dtype=str),
            active=np.asarray(arm) == "active" if with_arms else np.ones(n, dtype=bool),
        )

    return make
