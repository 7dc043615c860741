"""Log odds ratios by arm given the other features: against another program, and known truth."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit
from scipy.stats import norm, rankdata

from glabella.explanation.interaction import measure_interaction
from glabella.explanation.roles import measure_role


def _column(sample, name):
    return sample.features.frame[name].to_numpy(dtype=float)


def _hold(sample, *names):
    held = np.column_stack([_column(sample, name) for name in names])
    return (held - held.mean(axis=0)) / held.std(axis=0)


def test_value_and_error_are_those_of_statsmodels(drawn):
    # Priors of the nuisance shrink little in 3,000 participants; statsmodels has none.
    sample = drawn(3, n=3000)
    score, held = _column(sample, "modifier"), _hold(sample, "prognostic", "severity")
    own = norm.ppf((rankdata(score) - 0.5) / sample.n)
    own = (own - own.mean()) / own.std()
    side = np.where(sample.active, 0.5, -0.5)
    strata = np.unique(sample.strata, return_inverse=True)[1]
    design = np.column_stack(
        [own * side, own, held, held * side[:, None], np.eye(strata.max() + 1)[strata]]
    )
    model = sm.GLM(sample.labels, design, family=sm.families.Binomial())
    wanted = model.fit(cov_type="HC1")
    found = measure_interaction(sample, score, held)
    assert found.value == pytest.approx(wanted.params[0], abs=0.01)
    assert found.standard_error == pytest.approx(wanted.bse[0], rel=0.02)


def test_intervals_hold_the_truth_as_often_as_stated(drawn):
    held = []
    for seed in range(200):
        sample = drawn(seed, n=400)
        random = np.random.default_rng(seed)
        x, other = random.normal(size=(2, 400))
        odds = 0.4 * x + 0.6 * x * sample.active + 0.8 * other * sample.active
        outcomes = (random.random(400) < expit(odds))[None].astype(np.int8)
        found = measure_interaction(replace(sample, outcomes=outcomes), x, other[:, None])
        held.append(found.low <= 0.6 <= found.high)
    assert np.mean(held) == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 200))


def test_beside_a_strong_modifier_what_adds_the_same_in_both_arms_is_prognostic(drawn):
    # Alone, the feature tells responders apart worse where another acts strongly beside it.
    called = {"alone": 0, "given": 0}
    for seed in range(30):
        sample, x, other = _draw_beside_modifier(drawn, seed)
        alone = measure_role(sample, x, None).p_effect
        given = measure_role(sample, x, None, others=other[:, None]).p_effect
        called["alone"] += alone < 0.05
        called["given"] += given < 0.05
    assert called["given"] <= 4
    assert called["alone"] > called["given"] + 8


def _draw_beside_modifier(drawn, seed):
    n = 3000
    sample = drawn(seed, n=n)
    random = np.random.default_rng(seed)
    x, other = random.normal(size=(2, n))
    odds = -0.5 + 0.7 * x + 2.5 * other * sample.active
    outcomes = (random.random(n) < expit(odds))[None].astype(np.int8)
    return replace(sample, outcomes=outcomes), x, other


def test_a_long_tail_is_as_good_as_its_logarithm(drawn):
    sample = drawn(5)
    x = _column(sample, "modifier")
    plain = measure_interaction(sample, x, _hold(sample, "severity"))
    tailed = measure_interaction(sample, np.exp(3 * x), _hold(sample, "severity"))
    assert tailed.value == pytest.approx(plain.value, abs=1e-9)


def test_who_stands_in_two_rows_counts_once(drawn):
    sample = drawn(6)
    twice = np.repeat(np.arange(sample.n), 2)
    doubled = replace(
        sample,
        features=replace(sample.features, frame=sample.features.frame.iloc[twice]),
        outcomes=sample.outcomes[:, twice],
        **{
            name: getattr(sample, name)[twice]
            for name in ("trial", "site", "cohort", "arm", "active")
        },
        person=twice,
    )
    once = measure_interaction(sample, _column(sample, "modifier"), np.empty((sample.n, 0)))
    again = measure_interaction(doubled, _column(doubled, "modifier"), np.empty((doubled.n, 0)))
    assert again.value == pytest.approx(once.value, abs=0.01)
    assert again.standard_error == pytest.approx(once.standard_error, rel=0.05)


def test_what_can_not_be_estimated_has_its_reason(drawn):
    sample = drawn(7)
    nobody = np.empty((sample.n, 0))
    one_arm = replace(sample, active=np.ones(sample.n, dtype=bool))
    x = _column(sample, "modifier")
    assert measure_interaction(one_arm, x, nobody).reason == "there is no control arm"
    constant = np.where(sample.active, x, 1.0)
    assert measure_interaction(sample, constant, nobody).reason == "it is constant in an arm"
    few = replace(sample, outcomes=(sample.outcomes & sample.active).astype(np.int8))
    assert "under 5 of a class" in measure_interaction(few, x, nobody).reason
