"""Every measure, curve and comparison on predictions that break formulas: a number or a reason."""

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from glabella.explanation.roles import measure_role
from glabella.reporting.figures.training import draw_calibration, draw_net_benefit, draw_roc
from glabella.validation.across_trials.pooled_measures import (
    find_gaps,
    pool_groups,
)
from glabella.validation.across_trials.stated_directions import judge_directions
from glabella.validation.comparison.bootstrap_correction import correct_choice, measure_optimism
from glabella.validation.comparison.candidate_result import describe_performance
from glabella.validation.comparison.choice import choose_candidate, compare_losses
from glabella.validation.comparison.gain import measure_gain
from glabella.validation.measures.calibration_curve import (
    fit_calibration_curve,
    measure_calibration_error,
)
from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.net_benefit import measure_net_benefit
from glabella.validation.measures.performance import (
    fit_curve,
    measure_by_arm,
    measure_by_group,
    measure_performance,
)
from glabella.validation.measures.registry import MEASURES

_N = 60
_HAIR = 10.0 ** -np.arange(3, 17)


def _near(draw, center):
    return center + _HAIR[draw.integers(len(_HAIR))] * draw.normal(size=_N)


PREDICTIONS = {
    "the same for all": lambda draw: np.full(_N, 0.37),
    "one half": lambda draw: np.full(_N, 0.5),
    "a hair apart": lambda draw: expit(_near(draw, draw.normal())),
    "a hair apart but for one in five": lambda draw: expit(
        np.where(draw.random(_N) < 0.8, _near(draw, 0.4), draw.normal(size=_N))
    ),
    "two values": lambda draw: draw.choice([0.2, 0.6], _N),
    "two values a hair apart": lambda draw: draw.choice([0.4, 0.4 + 1e-9], _N),
    "three values": lambda draw: draw.choice([0.2, 0.2 + 1e-7, 0.6], _N),
    "certain": lambda draw: draw.choice([0.0, 1.0], _N),
    "certain for one": lambda draw: np.where(np.arange(_N) == 3, 1.0, 0.4),
    "log odds of 700": lambda draw: expit(draw.choice([-700.0, 700.0], _N)),
    "log odds to 700": lambda draw: expit(draw.uniform(-700, 700, _N)),
    "log odds to 36": lambda draw: expit(draw.uniform(-36, 36, _N)),
    "next to nought": lambda draw: np.full(_N, 5e-324),
    "next to one": lambda draw: np.full(_N, 1 - 1e-16),
    "ordinary": lambda draw: expit(draw.normal(size=_N)),
}
OUTCOMES = {
    "both": lambda draw: draw.random(_N) < 0.4,
    "none": lambda draw: np.zeros(_N, dtype=bool),
    "all": lambda draw: np.ones(_N, dtype=bool),
    "one": lambda draw: np.arange(_N) == 7,
    "five": lambda draw: np.arange(_N) < 5,
}


def _make(make_sample, responded, *, with_arms=True):
    sample = make_sample(_N, with_arms=with_arms)
    return replace(sample, outcomes=np.asarray(responded, dtype=np.int8)[None])


def _tabulate(probability, sample, repeats=2):
    rows = np.arange(sample.n)
    parts = [
        pd.DataFrame(
            {
                "row": rows,
                "design": "pooled",
                "repeat": repeat,
                "fold": (rows + repeat) % 3,
                "group": np.where(rows % 2, "T1", "T2"),
                "responded": sample.labels,
                "probability": probability,
            }
        )
        for repeat in range(repeats)
    ]
    return pd.concat(parts, ignore_index=True)


def _assert_told(name, found: Estimate):
    json.dumps(asdict(found), allow_nan=False)
    if found.value is None:
        assert found.reason, name
        return
    assert math.isfinite(found.value), name
    if found.low is None:
        assert found.reason, name
    else:
        assert found.low <= found.value + 1e-9 and found.value - 1e-9 <= found.high, name


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("kind", PREDICTIONS)
def test_every_measure_gives_a_number_or_a_reason(make_sample, kind, outcome):
    draw = np.random.default_rng(len(kind) + 31 * len(outcome))
    for with_arms in (True, False):
        sample = _make(make_sample, OUTCOMES[outcome](draw), with_arms=with_arms)
        table = _tabulate(PREDICTIONS[kind](draw), sample)
        whole = measure_performance(table, sample)
        parts = [*measure_by_group(table, sample), *measure_by_arm(table, sample)]
        for performance in (whole, *(part.performance for part in parts)):
            assert tuple(performance.estimates) == tuple(MEASURES)
            for name, found in performance.estimates.items():
                _assert_told(name, found)
            json.dumps(describe_performance(performance), allow_nan=False)
        pooled = pool_groups(measure_by_group(table, sample))
        assert set(pooled) == {name for name, item in MEASURES.items() if item.pooled_on}
        for name, item in pooled.items():
            _assert_told(name, replace(item.estimate, reason=item.estimate.reason or "-"))
        json.dumps(asdict(find_gaps(whole, None, measure_by_group(table, sample))), allow_nan=False)
        optimism = measure_optimism(table["probability"][: sample.n], whole, sample)
        json.dumps(optimism.optimism, allow_nan=False)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("kind", PREDICTIONS)
def test_every_comparison_gives_a_number_or_a_reason(make_sample, kind, outcome):
    draw = np.random.default_rng(len(kind) + 7 * len(outcome))
    sample = _make(make_sample, OUTCOMES[outcome](draw))
    tables = {
        "odd": _tabulate(PREDICTIONS[kind](draw), sample),
        "other": _tabulate(PREDICTIONS["ordinary"](draw), sample),
        "same": _tabulate(np.full(_N, 0.4), sample),
    }
    for against in ("other", "same"):
        gain = measure_gain("odd", against, tables, sample)
        for found in (gain.auc, gain.log_loss):
            _assert_told(against, found)
        _assert_told(against, compare_losses("odd", against, tables, sample.outcomes).log_loss)
    assert choose_candidate(list(tables), ["same"], tables, sample.outcomes).name in (
        "odd",
        "other",
    )
    corrected = correct_choice(
        list(tables), ["same"], tables, sample, seed=np.random.SeedSequence(1), resamples=30
    )
    for found in (corrected.auc, corrected.log_loss):
        _assert_told("corrected", found)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("kind", PREDICTIONS)
def test_every_curve_has_points_or_a_reason_and_is_drawn(make_sample, kind, outcome):
    draw = np.random.default_rng(len(kind) + 11 * len(outcome))
    sample = _make(make_sample, OUTCOMES[outcome](draw))
    table = _tabulate(PREDICTIONS[kind](draw), sample)
    curve = fit_curve(table, sample)
    assert (len(curve.predicted) == 0) == (curve.reason is not None)
    for values in (curve.observed, curve.low, curve.high):
        assert np.isfinite(values).all()
    error = measure_calibration_error(curve)
    for found in (error.ici, error.e50, error.e90):
        _assert_told("distance", found)
    benefit = measure_net_benefit(table, sample)
    for point in benefit.points:
        for found in (point.model, point.treat_all, point.gain):
            _assert_told("net benefit", found)
    draw_calibration(table, sample, curve, title="odd", note="")
    draw_net_benefit(benefit, title="odd", note="")
    draw_roc({"odd": table}, sample, note="")


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("kind", PREDICTIONS)
def test_what_a_feature_is_a_predictor_of_has_figures_or_reasons(make_sample, kind, outcome):
    draw = np.random.default_rng(len(kind) + 13 * len(outcome))
    sample = _make(make_sample, OUTCOMES[outcome](draw))
    score = PREDICTIONS[kind](draw)
    role = measure_role(sample, score, draw.normal(size=_N), others=np.column_stack([score, score]))
    parts = (role.active, role.control, role.difference, role.interaction, role.beyond_severity)
    for found in (*parts, *(item for _, item in role.trials)):
        _assert_told("role", found)
    for test in judge_directions(sample):
        _assert_told("direction", test.concordance)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.one_of(
                st.floats(-700, 700),
                st.sampled_from([0.0, 1e-12, 1e-9, 1e-7, 1e-6, 1e-4, -36.0, 36.0, 700.0]),
                st.floats(0, 1e-5),
            ),
        ),
        min_size=12,
        max_size=60,
    )
)
def test_a_curve_of_any_log_odds_stays_inside_its_band(rows):
    responded, log_odds = map(np.array, zip(*rows, strict=True))
    curve = fit_calibration_curve(responded, expit(log_odds), participant=np.arange(len(rows)))
    assert (len(curve.predicted) == 0) == (curve.reason is not None)
    assert (curve.low <= curve.observed).all() and (curve.observed <= curve.high).all()


def test_knots_a_hair_apart_give_the_straight_line_and_not_a_singular_matrix():
    # Four in five predictions differ in the sixth digit: two knots fall between them, each at a
    # place of its own, and a bend there is of rounding.
    draw = np.random.default_rng(3)
    log_odds = np.where(
        np.arange(400) % 5 > 0, 0.2 + 3e-6 * draw.random(400), draw.normal(size=400)
    )
    responded = draw.random(400) < expit(log_odds)
    curve = fit_calibration_curve(responded, expit(log_odds), participant=np.arange(400))
    assert curve.reason is None
    assert curve.coefficients == 2
    straight = measure_calibration_error(curve)
    assert straight.ici.value < 0.05
