"""What a bundle says of the training participants holds all of them and tells of none."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.analysis.load import load_analysis
from glabella.bundle.applicability.judgement import describe_domain
from glabella.bundle.applicability.training_ranges import describe_ranges
from glabella.definitions.locate import find_project
from glabella.features.spec import FeatureSpec, FeatureTable

NUMBER = FeatureSpec("x", "X", "number")


def _describe(values):
    return describe_ranges(FeatureTable(pd.DataFrame({"x": values}), (NUMBER,)))["x"]


@given(
    st.lists(
        st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda x: round(x, 3)),
        min_size=2,
        max_size=20,
    )
)
def test_every_participant_lies_within_and_the_range_is_little_wider(values):
    found = _describe(values)
    low, high = min(values), max(values)
    assert found.low <= low <= high <= found.high
    assert found.high - found.low <= 1.35 * (high - low) + 1e-9


def test_the_ends_are_round_numbers():
    found = _describe([18.37, 44.0, 63.91])
    assert (found.low, found.high) == (15.0, 65.0)


def test_a_feature_that_nobody_has_has_no_range():
    found = _describe([np.nan, np.nan])
    assert (found.low, found.high) == (None, None)


def test_training_participants_are_in_domain_at_the_stated_rate(small_project, fit_bundle):
    loaded = load_analysis("small", find_project(small_project))
    bundle = fit_bundle(loaded)
    _, inside = describe_domain(loaded.sample.features.frame, bundle.manifest, bundle.likeness)
    assert inside.mean() == pytest.approx(0.99, abs=0.02)
