"""Who is unlike the training participants: at the stated rate among their own kind, and told."""

import json

import numpy as np
import pandas as pd
import pytest

from glabella.bundle.applicability.applicability_domain import (
    ApplicabilityDomain,
    MahalanobisDistance,
    learn_applicability_domain,
)
from glabella.features.spec import FeatureSpec, FeatureTable

SPECS = (
    *(FeatureSpec(f"x{at}", f"X{at}", "number") for at in range(4)),
    FeatureSpec("sex", "Sex", "category", levels={"F": "female", "M": "male"}),
)


def _draw(n, seed, shift=0.0):
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(draw.normal(size=(n, 4)) + shift, columns=["x0", "x1", "x2", "x3"])
    # Two that go together: a value of one against the other is unusual, neither alone.
    frame["x1"] = frame["x0"] + 0.2 * draw.normal(size=n)
    frame["sex"] = pd.Categorical(draw.choice(["F", "M"], n), categories=["F", "M"])
    return frame


def _learn(frame, trial=None):
    names = np.full(len(frame), "one") if trial is None else trial
    return learn_applicability_domain(FeatureTable(frame, SPECS), names)


@pytest.mark.parametrize("n", [60, 150, 1000])
def test_one_in_a_hundred_of_the_same_kind_is_called_unusual(n):
    new = _draw(20_000, 0)
    shares = [_learn(_draw(n, seed)).find(new)[0].mean() for seed in range(1, 21)]
    # Of fewer than a hundred, the farthest is the limit.
    assert np.mean(shares) == pytest.approx(max(0.01, 1 / (n + 1)), abs=0.005)


def test_a_combination_that_training_lacked_is_far_though_each_value_is_common():
    learnt = _learn(_draw(400, 1))
    rows = _draw(2, 2).assign(x0=[1.5, 1.5], x1=[1.5, -1.5], x2=0.0, x3=0.0)
    assert learnt.find(rows)[0].tolist() == [False, True]


def test_between_two_trials_is_unlike_both():
    frame = pd.concat([_draw(200, 1, -6.0), _draw(200, 2, 6.0)], ignore_index=True)
    learnt = _learn(frame, np.repeat(["one", "two"], 200))
    rows = pd.concat([_draw(50, 3, -6.0), _draw(50, 4, 0.0), _draw(50, 5, 6.0)], ignore_index=True)
    far, unlike = learnt.find(rows)
    assert far[50:100].mean() < 0.1
    assert unlike[50:100].all()
    assert unlike[:50].mean() < 0.1
    assert unlike[100:].mean() < 0.1


def test_a_trial_of_few_is_not_kept():
    frame = _draw(109, 1)
    learnt = _learn(frame, np.array(["large"] * 100 + ["small"] * 9))
    assert len(learnt.trials) == 1


def test_the_distance_is_that_of_mahalanobis():
    draw = np.random.default_rng(5)
    matrix = draw.normal(size=(50, 3)) @ np.array([[2.0, 0.3, 0.0], [0.0, 1.0, 0.4], [0, 0, 0.5]])
    covariance = np.cov(matrix.T, bias=True)
    values, vectors = np.linalg.eigh(covariance)
    cloud = MahalanobisDistance(matrix.mean(axis=0), vectors / np.sqrt(values), 1.0)
    centred = matrix - matrix.mean(axis=0)
    expected = np.sqrt(np.sum(centred @ np.linalg.inv(covariance) * centred, axis=1))
    np.testing.assert_allclose(cloud.measure(matrix), expected)


def test_it_is_read_back_equal_and_holds_no_participant():
    frame = _draw(120, 1)
    learnt = _learn(frame, np.repeat(["one", "two"], 60))
    content = learnt.export()
    again = ApplicabilityDomain.restore(content, SPECS)
    new = _draw(500, 9, 1.0)
    for ours, theirs in zip(learnt.find(new), again.find(new), strict=True):
        assert ours.tolist() == theirs.tolist()
    written = content.decode()
    assert not any(repr(float(value)) in written for value in frame["x0"])


def test_a_missing_value_is_no_reason_to_be_far():
    learnt = _learn(_draw(300, 1))
    blank = _draw(200, 2).assign(x0=np.nan, x1=np.nan, x2=np.nan, x3=np.nan, sex=None)
    blank["sex"] = pd.Categorical(blank["sex"], categories=["F", "M"])
    assert not learnt.find(blank)[0].any()


def test_a_table_whose_features_are_all_constant_is_not_divided_by_nought():
    frame = _draw(40, 1).assign(x0=1.0, x1=2.0, x2=3.0, x3=4.0)
    frame["sex"] = pd.Categorical(["F"] * 40, categories=["F", "M"])
    far, unlike = _learn(frame).find(_draw(10, 2))
    assert not far.any()
    assert not unlike.any()


def test_the_mean_of_each_trial_keeps_its_name_without_those_of_few():
    frame = _draw(109, 1)
    learnt = _learn(frame, np.repeat(["beta", "alpha", "few"], [60, 40, 9]))
    again = ApplicabilityDomain.restore(learnt.export(), SPECS)
    assert learnt.names == again.names == ("alpha", "beta")
    encoded = learnt.encoding.transform(frame)
    assert again.trials[1].center == pytest.approx(encoded[:60].mean(axis=0))


def test_a_bundle_without_names_is_read_and_a_wrong_number_of_them_is_refused():
    learnt = _learn(_draw(80, 1), np.repeat(["one", "two"], 40))
    plain = json.loads(learnt.export())
    earlier = {key: value for key, value in plain.items() if key != "names"}
    assert ApplicabilityDomain.restore(json.dumps(earlier).encode(), SPECS).names == ()
    with pytest.raises(ValueError, match="as many names"):
        ApplicabilityDomain.restore(json.dumps({**plain, "names": ["one"]}).encode(), SPECS)
    with pytest.raises(ValueError, match="no text"):
        ApplicabilityDomain.restore(json.dumps({**plain, "names": [1, 2]}).encode(), SPECS)
