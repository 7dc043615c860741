"""Groups of training participants: alike, large enough, and no count under ten."""

import json

import numpy as np
import pandas as pd
import pytest

from glabella.bundle.applicability.similar_patients import (
    FEWEST,
    GroupCount,
    SimilarGroups,
    learn_similar_groups,
)
from glabella.features.spec import FeatureSpec, FeatureTable

SPECS = (
    FeatureSpec("age", "Age", "number"),
    FeatureSpec("sex", "Sex", "category", levels={"F": "F", "M": "M"}),
    FeatureSpec("arm", "Arm", "category", part="arm", levels={"a": "A", "c": "C"}),
)


def _draw(n, seed=1):
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"age": draw.normal(40, 10, n)})
    frame.loc[:3, "age"] = np.nan
    frame["sex"] = pd.Categorical(draw.choice(["F", "M"], n), categories=["F", "M"])
    arm = draw.choice(["a", "c"], n)
    frame["arm"] = pd.Categorical(arm, categories=["a", "c"])
    responded = (draw.random(n) < np.where(frame["age"] > 40, 0.7, 0.3)).astype(float)
    return FeatureTable(frame, SPECS), responded, arm


def test_groups_keep_sixty_participants_and_count_them_all():
    features, responded, arm = _draw(1000)
    found = learn_similar_groups(features, responded, arm)
    counted = [sum(item.n or 0 for item in group.values()) for group in found.counts]
    assert len(found.counts) > 4
    assert min(counted) >= FEWEST - 20
    assert sum(counted) == 1000


def test_the_nearest_group_is_of_participants_like_the_row():
    features, responded, _ = _draw(2000)
    found = learn_similar_groups(features, responded, np.full(2000, "a"))
    old, young = (
        found.find(features.frame.assign(age=age).iloc[[0]])[0].counts["a"] for age in (60.0, 20.0)
    )
    assert old.responders / old.n > 0.5 > young.responders / young.n


@pytest.mark.parametrize(
    ("responders", "others", "expected"),
    [
        (4, 5, (None, None)),
        (9, 30, (39, None)),
        (30, 9, (39, None)),
        (10, 10, (20, 10)),
    ],
)
def test_counts_under_ten_are_not_told(responders, others, expected):
    n = responders + others
    features, _, _ = _draw(n)
    outcome = np.repeat([1.0, 0.0], [responders, others])
    found = learn_similar_groups(features, outcome, np.full(n, "a"))
    [group] = found.counts
    assert (group["a"].n, group["a"].responders) == expected
    words = group["a"].describe()
    for number in {responders, others, n} - set(expected):
        assert str(number) not in words.split()


def test_a_single_group_is_said_to_be_all_and_a_size_tells_no_count_under_ten():
    features, responded, _ = _draw(100)
    [found] = learn_similar_groups(features, responded, np.full(100, "a")).find(
        features.frame.iloc[[0]]
    )
    assert (found.size, found.is_all) == (100, True)
    few = np.where(np.arange(100) < 7, "b", "a")
    [found] = learn_similar_groups(features, responded, few).find(features.frame.iloc[[0]])
    # All are a hundred: 93 in the one arm would tell of seven in the other.
    assert found.size is None
    assert (found.counts["a"].n, found.counts["b"].n) == (None, None)
    several = learn_similar_groups(*_draw(500)[:2], np.full(500, "a"))
    assert not any(group.is_all for group in several.find(features.frame))
    assert sum(several.sizes) == 500


def test_they_survive_a_file_that_holds_no_participant():
    features, responded, arm = _draw(500)
    found = learn_similar_groups(features, responded, arm)
    content = found.export()
    restored = SimilarGroups.restore(content, SPECS)
    assert restored.find(features.frame) == found.find(features.frame)
    assert len(json.loads(content)["centers"]) <= 500 / FEWEST
    assert restored.counts[0]["a"] == GroupCount(**vars(found.counts[0]["a"]))


@pytest.mark.parametrize("count", [3, 12.5, "12", True])
def test_a_count_that_should_not_be_told_is_refused(count):
    features, responded, arm = _draw(100)
    content = json.loads(learn_similar_groups(features, responded, arm).export())
    content["counts"][0]["a"] = [count, None]
    with pytest.raises(ValueError):
        SimilarGroups.restore(json.dumps(content).encode(), SPECS)


def test_no_arm_of_all_groups_gives_a_count_under_ten_away():
    features, responded, _ = _draw(400)
    arm = np.where(np.arange(400) % 33 == 0, "b", "a")
    found = learn_similar_groups(features, responded, arm)
    assert len(found.counts) > 2
    for name in ("a", "b"):
        for part in ("n", "responders"):
            hidden = [getattr(group[name], part) is None for group in found.counts]
            assert sum(hidden) != 1
    for group, size in zip(found.counts, found.sizes, strict=True):
        assert sum(item.n is None for item in group.values()) != 1
        assert (size is None) == any(item.n is None for item in group.values())
