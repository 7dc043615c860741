"""A made-up sample with every kind of feature, trees fitted to it, and how XGBoost writes them."""

import struct
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.estimators.boosted_trees import XGBoostModel

SPECS = (
    FeatureSpec("severity", "Severity", "number", is_severity=True),
    FeatureSpec("age_years", "Age", "number", unit="years"),
    FeatureSpec("grade", "Grade", "ordinal", levels={"0": "none", "3": "severe"}),
    FeatureSpec("sex", "Sex", "category", levels={"F": "female", "M": "male"}),
    FeatureSpec("drug", "Drug", "category", levels={"a": "A", "b": "B", "c": "C", "d": "D"}),
    FeatureSpec("arm", "Arm", "category", part="arm", levels={"bont": "BoNT/A", "control": "P"}),
    FeatureSpec(
        "studyid", "Trial", "category", part="trial", levels={"T1": "T1", "T2": "T2", "T3": "T3"}
    ),
)


def make_sample(seed: int, n: int = 120) -> tuple[FeatureTable, np.ndarray]:
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "severity": draw.normal(50, 10, n),
            "age_years": draw.integers(18, 90, n).astype(float),
            "grade": draw.integers(0, 4, n).astype(float),
        }
    )
    for name in frame:
        frame.loc[draw.random(n) < 0.15, name] = np.nan
    for spec in SPECS[3:]:
        # The drug's last level is declared and taken by nobody.
        levels = list(spec.levels)[: 3 if spec.name == "drug" else None]
        chosen = pd.Series(draw.choice(levels, n), dtype=object)
        if spec.part == "patient":
            chosen[draw.random(n) < 0.15] = None
        frame[spec.name] = pd.Categorical(chosen, categories=list(spec.levels))
    effect = 0.04 * (frame["severity"].fillna(50) - 50) + 1.2 * (frame["arm"] == "bont") - 0.5
    responded = np.array(draw.random(n) < 1 / (1 + np.exp(-effect)), dtype=int)
    responded[:2] = 0, 1
    return FeatureTable(frame, SPECS), responded


@pytest.fixture(scope="session")
def sample() -> Callable[..., tuple[FeatureTable, np.ndarray]]:
    """Makes the sample of a seed: its feature table, and who responded."""
    return make_sample


def write_ubjson(value) -> bytes:
    """Write what `read_ubjson` gives, as XGBoost does."""
    if isinstance(value, dict):
        return b"{" + b"".join(write_text(k) + write_ubjson(v) for k, v in value.items()) + b"}"
    if isinstance(value, str):
        return b"S" + write_text(value)
    if isinstance(value, float):
        return b"d" + struct.pack(">f", value)
    if isinstance(value, int):
        return b"L" + struct.pack(">q", value)
    if isinstance(value, np.ndarray):
        marks = {"f4": b"d", "i4": b"l", "i8": b"L", "u1": b"U"}
        mark = marks[value.dtype.str[1:]] if value.dtype.str != "|u1" else b"U"
        return b"[$" + mark + b"#L" + struct.pack(">q", len(value)) + value.tobytes()
    return b"[#L" + struct.pack(">q", len(value)) + b"".join(map(write_ubjson, value))


def write_text(text: str) -> bytes:
    return b"L" + struct.pack(">q", len(text.encode())) + text.encode()


@pytest.fixture(scope="module")
def boosted(sample):
    table, responded = sample(1)
    model = XGBoostModel(table.specs, random_state=1, n_trees=4, max_depth=3)
    return model.fit(table.frame, responded)


def get_forest(plain):
    return plain["learner"]["gradient_booster"]["model"]
