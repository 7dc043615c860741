"""Every shipped candidate on tables that go wrong: it fits, or fails by name, and others go on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from glabella.definitions.locate import find_project
from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.candidate import Candidate, join_members
from glabella.validation.fitting.nested import validate_candidates
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.folds.splits import make_repeated_folds

# More than participants, of whom a training part has half.
_MORE_COLUMNS = 65
NAMES = sorted(path.stem for path in (Path(__file__).parents[2] / "models").glob("*.yaml"))


@pytest.fixture(scope="module")
def shipped():
    project = find_project(None)
    read = {name: project.read("models", name, Candidate).value for name in NAMES}
    # Of its bags each goes wrong alike, and they would take half of all the time here.
    slow = read["explainable_boosting"]
    read["explainable_boosting"] = slow.model_copy(update={"settings": {"bags": 1, "pairs": 1}})
    return {name: join_members(item, read).with_effort("quick") for name, item in read.items()}


def _with(sample, spec, values):
    frame = sample.features.frame.assign(**{spec.name: values})
    return replace(sample, features=FeatureTable(frame, (*sample.features.specs, spec)))


def _number(name):
    return FeatureSpec(name, name, "number")


def _add_constant(sample):
    return _with(sample, _number("constant"), np.full(sample.n, 3.0))


def _add_missing(sample):
    return _with(sample, _number("missing"), np.full(sample.n, np.nan))


def _add_answer(sample):
    return _with(sample, _number("answer"), sample.labels.astype(float))


def _add_levels(sample):
    levels = [f"L{number:03d}" for number in range(400)]
    spec = FeatureSpec("site", "Site", "category", levels=dict(zip(levels, levels, strict=True)))
    drawn = np.random.default_rng(1).choice(levels, sample.n)
    return _with(sample, spec, pd.Categorical(drawn, categories=levels))


def _add_level_of_one_trial(sample):
    spec = FeatureSpec("ward", "Ward", "category", levels={"a": "a", "b": "b", "c": "c"})
    values = np.where(sample.trial == "T1", "c", np.where(np.arange(sample.n) % 2, "a", "b"))
    return _with(sample, spec, pd.Categorical(values, categories=["a", "b", "c"]))


def _add_many_columns(sample):
    random = np.random.default_rng(2)
    specs = tuple(_number(f"noise{number}") for number in range(_MORE_COLUMNS))
    noise = pd.DataFrame(
        random.normal(size=(sample.n, _MORE_COLUMNS)), columns=[spec.name for spec in specs]
    )
    frame = pd.concat([sample.features.frame, noise], axis=1)
    return replace(sample, features=FeatureTable(frame, (*sample.features.specs, *specs)))


def _put_an_arm_into_one_trial(sample):
    arm = np.where(sample.trial == "T2", "control", sample.arm)
    frame = sample.features.frame.assign(arm=pd.Categorical(arm, categories=["active", "control"]))
    features = FeatureTable(frame, sample.features.specs)
    return replace(sample, features=features, arm=arm, active=arm == "active")


ODD = {
    "constant": _add_constant,
    "missing": _add_missing,
    "answer": _add_answer,
    "levels": _add_levels,
    "level_of_one_trial": _add_level_of_one_trial,
    "many_columns": _add_many_columns,
    "arm_in_one_trial": _put_an_arm_into_one_trial,
}


def _run(sample, candidates, folds=2):
    made = make_repeated_folds(
        [sample.arm], sample.labels, folds=folds, repeats=1, seed=np.random.SeedSequence(5)
    )
    return validate_candidates(candidates, Trainer(sample, 2, 1), made)


@pytest.mark.parametrize("odd", ODD)
def test_every_candidate_predicts_from_an_odd_table(make_sample, shipped, odd):
    for result in _run(ODD[odd](make_sample(60)), shipped):
        assert result.error is None, (result.candidate, result.error)
        assert ((result.probability > 0) & (result.probability < 1)).all()
        found = result.contributions
        total = found.values.sum(axis=1) + found.base
        predicted = total if found.scale == "probability" else 1 / (1 + np.exp(-total))
        np.testing.assert_allclose(predicted, result.probability, atol=1e-5)


def test_every_candidate_predicts_twelve_participants(make_sample, shipped):
    sample = make_sample(12, seed=3)
    assert min(sample.labels.sum(), 12 - sample.labels.sum()) >= 3
    for result in _run(sample, shipped):
        assert result.error is None, (result.candidate, result.error)


def test_infinite_values_are_refused_by_name_and_others_go_on(make_sample, shipped):
    sample = make_sample(60)
    values = np.random.default_rng(4).normal(size=60)
    values[::7] = np.inf
    odd = _with(sample, _number("ratio"), values)
    results = _run(odd, shipped)
    reasons = {result.candidate: result.error for result in results}
    # Rates look at no feature, and still refuse a table that can't be right.
    assert set(reasons) == set(shipped)
    assert all("the feature ratio holds infinite values" in reason for reason in reasons.values())


def find_steps(result, sample):
    """Find what the intercepts of arms add to the log odds of the held-out participants."""
    return [result.setting[f"arm_intercept_{arm}"] for arm in sample.arm[result.fold.test]]


def test_an_ensemble_goes_on_without_a_member_that_fails(make_sample, shipped):
    sample = make_sample(60)
    ridge = shipped["ridge"]
    broken = ridge.model_copy(update={"settings": {"c": -1.0}})
    whole = shipped["ensemble"].model_copy(
        update={"resolved": {"ridge": ridge, "broken": broken}, "members": ("ridge", "broken")}
    )
    none = whole.model_copy(update={"resolved": {"broken": broken}, "members": ("broken",)})
    by_name = {}
    for result in _run(sample, {"ridge": ridge, "whole": whole, "none": none}):
        by_name.setdefault(result.candidate, []).append(result)
    for alone, joined, lost in zip(*by_name.values(), strict=True):
        assert joined.setting["weight_ridge"] == 1.0
        expected = expit(logit(alone.probability) + find_steps(joined, sample))
        np.testing.assert_allclose(joined.probability, expected, rtol=1e-9)
        assert lost.error.startswith("every member failed (broken: the inverse strength")


def test_an_ensembles_members_are_the_candidates_themselves(make_sample, shipped):
    sample = make_sample(60)
    alone = _run(sample, {"ensemble": shipped["ensemble"]})
    names = ["ridge", "spline", "boosted_forest", "ensemble"]
    together = _run(sample, {name: shipped[name] for name in names})
    for one, other in zip(alone, together[-2:], strict=True):
        np.testing.assert_array_equal(one.probability, other.probability)
    for joined in together[-2:]:
        members = [result for result in together if result.fold is joined.fold][:3]
        if "calibration_slope" in joined.setting:
            continue
        weights = np.array([joined.setting[f"weight_{name}"] for name in names[:3]])
        total = weights @ np.array([logit(m.probability) for m in members])
        expected = expit(total + find_steps(joined, sample))
        np.testing.assert_allclose(joined.probability, expected, rtol=1e-6)
