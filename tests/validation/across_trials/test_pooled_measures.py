"""What trials left out say of a new one is in the figures of each candidate."""

import json

import pytest

from glabella.validation.across_trials.pooled_measures import (
    describe_pooled,
    find_gaps,
    pool_groups,
)
from glabella.validation.measures.estimation.estimate import (
    estimate_mean,
    estimate_proportion,
    make_missing_estimate,
)
from glabella.validation.measures.performance import GroupPerformance, Performance
from glabella.validation.measures.registry import MEASURES


def perform(auc):
    known = dict.fromkeys(MEASURES, estimate_mean(1.0, 0.2))
    known |= {
        name: make_missing_estimate("under 5 of a class")
        if auc is None
        else estimate_proportion(auc, 0.05)
        for name in ("auc", "auc_control", "auc_all")
    }
    return Performance(n=50, events=20, estimates=known, pairs=600, pairs_control=500)


def groups(*aucs):
    return [GroupPerformance(f"T{at}", perform(auc)) for at, auc in enumerate(aucs)]


def test_each_measure_is_pooled_on_its_own_scale():
    pooled = pool_groups(groups(0.62, 0.70, None))
    assert set(pooled) == {name for name, item in MEASURES.items() if item.pooled_on}
    assert pooled["auc"].scale == "logit"
    assert pooled["auc"].left_out == {"T2": "under 5 of a class"}
    assert pooled["calibration_slope"].scale == "identity"
    assert pooled["calibration_slope"].trials == ("T0", "T1", "T2")
    plain = describe_pooled(pooled["auc"])
    assert json.loads(json.dumps(plain, allow_nan=False))["predictions"][0]["low"] > 0


def test_the_gap_is_what_a_new_trial_loses():
    left_out = groups(0.58, 0.58)
    gaps = find_gaps(perform(0.70), groups(0.66, 0.66, None), left_out)
    assert gaps.pooled == pytest.approx(0.12)
    assert gaps.inside == pytest.approx(0.08)


def test_without_figures_there_is_no_gap():
    assert find_gaps(perform(0.7), None, groups(None, 0.6)).pooled is None
    gaps = find_gaps(None, None, groups(0.6, 0.6))
    assert (gaps.pooled, gaps.inside) == (None, None)
