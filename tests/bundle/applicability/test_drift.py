"""Drift: the index is the published one, and its noise is what sampling alone gives."""

import numpy as np
import pandas as pd
import pytest

from glabella.bundle.applicability.drift import (
    FeatureDistribution,
    add_counts,
    describe_distributions,
    measure_drift,
)
from glabella.features.spec import FeatureSpec, FeatureTable

AGE = FeatureSpec("age", "Age", "number")
SEX = FeatureSpec("sex", "Sex", "category", levels={"F": "female", "M": "male", "X": "other"})


def _describe(ages, sexes):
    frame = pd.DataFrame({"age": ages, "sex": pd.Categorical(sexes, categories=["F", "M", "X"])})
    return describe_distributions(FeatureTable(frame, (AGE, SEX)))


def test_the_index_is_that_computed_by_hand():
    known = FeatureDistribution(groups=(("F",), ("M",)), counts=(60, 40), missing=0)
    drift = measure_drift(known, np.array([40, 60, 0]))
    # (0.4 - 0.6) ln(0.4 / 0.6) + (0.6 - 0.4) ln(0.6 / 0.4)
    assert drift.index == pytest.approx(0.4 * np.log(1.5))
    assert drift.is_marked


def test_of_many_rows_the_noise_is_that_of_chi_squared():
    known = FeatureDistribution(groups=(("F",), ("M",)), counts=(6000, 4000), missing=0)
    drift = measure_drift(known, np.array([12_000, 8_000, 0]))
    assert drift.index == 0.0
    # The 95th percentile of chi squared with one degree of freedom is 3.841459.
    assert drift.noise == pytest.approx(3.841459 * (1 / 10_000 + 1 / 20_000), rel=0.1)


def test_bins_count_what_pandas_counts_and_hold_ten_each():
    draw = np.random.default_rng(1)
    ages = np.round(draw.normal(50, 10, 130))
    ages[:12] = np.nan
    known = _describe(ages, draw.choice(["F", "M"], 130))["age"]
    assert sum(known.counts) == 118
    assert known.missing == 12
    assert min(known.counts) >= 10
    assert len(known.counts) >= 6
    new = pd.Series(np.round(draw.normal(55, 10, 400)))
    cut = pd.cut(new, [-np.inf, *known.edges, np.inf], right=False).value_counts(sort=False)
    assert known.count(new).tolist() == [*cut.tolist(), 0]


def test_levels_that_few_had_share_a_bin():
    known = _describe(np.arange(100.0), ["F"] * 60 + ["M"] * 33 + ["X"] * 4 + [None] * 3)["sex"]
    assert known.groups == (("F",), ("M", "X"))
    # Three without a value could tell who they are, and so could a sum that lacks three of all.
    assert known.counts == (63, 37)
    assert known.missing == 0
    few = _describe(np.arange(72.0), ["F"] * 60 + ["M"] * 8 + ["X"] * 4)["sex"]
    assert (few.groups, few.counts) == ((("F",), ("M", "X")), (60, 12))
    new = pd.Series(pd.Categorical(["F", "X", "M", None], categories=["F", "M", "X"]))
    assert few.count(new).tolist() == [1, 2, 1]


@pytest.mark.parametrize(("n", "m"), [(134, 60), (134, 5000), (2000, 300)])
def test_without_drift_five_in_a_hundred_indices_are_beyond_noise(n, m):
    draw = np.random.default_rng(7)
    beyond = []
    for _ in range(600):
        known = _describe(draw.normal(size=n), draw.choice(["F", "M"], n))["age"]
        drift = measure_drift(known, known.count(pd.Series(draw.normal(size=m))))
        beyond.append(drift.index > drift.noise)
    # Two Monte Carlo standard errors are 0.018.
    assert np.mean(beyond) == pytest.approx(0.05, abs=0.02)


def test_parts_add_up_to_the_whole():
    known = _describe(np.arange(100.0), ["F"] * 100)
    new = pd.Series(np.linspace(-5, 120, 60))
    whole = {"age": known["age"].count(new)}
    parts = add_counts(
        add_counts({}, {"age": known["age"].count(new[:25])}),
        {"age": known["age"].count(new[25:])},
    )
    assert parts["age"].tolist() == whole["age"].tolist()


def test_no_rows_have_no_drift():
    known = _describe(np.arange(100.0), ["F"] * 100)["age"]
    drift = measure_drift(known, np.zeros(len(known.counts) + 1, dtype=int))
    assert (drift.index, drift.noise, drift.is_marked) == (None, None, False)


def test_values_that_all_share_have_one_bin():
    known = _describe(np.full(50, 3.0), ["F"] * 50)["age"]
    assert (known.edges, known.counts) == ((), (50,))
