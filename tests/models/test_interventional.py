"""Interventional values of trees against every coalition counted out, and against shap."""

import itertools
import json
import math

import numpy as np
import pytest
import xgboost

from glabella.models.interventional import TreeBackground, read_trees

TYPES = ["q", "q", "q", "c", "q"]


def _draw(seed, n, *, missing=0.1):
    draw = np.random.default_rng(seed)
    matrix = draw.normal(size=(n, 5))
    matrix[:, 3] = draw.integers(0, 5, n)
    # Ties with the cuts, which single precision settles.
    matrix[:, 4] = np.round(matrix[:, 4], 1)
    matrix[draw.random((n, 5)) < missing] = np.nan
    pull = np.nan_to_num(matrix[:, 0] * matrix[:, 1]) + (matrix[:, 3] == 2) - 0.3
    return matrix, (draw.random(n) < 1 / (1 + np.exp(-pull))).astype(float)


def _as_rows(matrix, label=None, types=TYPES):
    return xgboost.DMatrix(matrix, label, feature_types=types, enable_categorical=True)


def _grow(matrix, outcome, *, types=TYPES, rounds=8, **settings):
    settings = {"objective": "binary:logistic", "nthread": 1, "subsample": 0.7, **settings}
    return xgboost.train(settings, _as_rows(matrix, outcome, types), rounds)


def _count_out(predict, row, background, weight):
    """Shapley values by their definition: every coalition of columns, over every background row."""
    count = len(row)
    worth = {
        chosen: float(weight @ predict(np.where(np.array(chosen, dtype=bool), row, background)))
        for chosen in itertools.product([0, 1], repeat=count)
    }
    values = np.zeros(count)
    for at, chosen in itertools.product(range(count), worth):
        if not chosen[at]:
            size = sum(chosen)
            share = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
            joined = (*chosen[:at], 1, *chosen[at + 1 :])
            values[at] += share * (worth[joined] - worth[chosen])
    return values


@pytest.mark.parametrize(
    "settings",
    [
        {"max_depth": 1},
        {"max_depth": 2},
        {"max_depth": 4, "max_cat_to_onehot": 1},
        {"max_depth": 7, "num_parallel_tree": 3, "max_cat_to_onehot": 1},
    ],
)
def test_values_are_those_of_every_coalition(settings):
    matrix, outcome = _draw(1, 600)
    booster = _grow(matrix, outcome, **settings)
    draw = np.random.default_rng(2)
    background, weight = matrix[:40], draw.random(40)
    weight /= weight.sum()
    found, _ = TreeBackground.learn(read_trees(booster), background, weight).attribute(
        matrix[50:58]
    )

    def predict(rows):
        return booster.predict(_as_rows(rows), output_margin=True)

    expected = [_count_out(predict, row, background, weight) for row in matrix[50:58]]
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


def test_values_and_mean_add_to_the_margin():
    matrix, outcome = _draw(3, 500)
    booster = _grow(matrix, outcome, max_depth=3, base_score=0.5)
    background = TreeBackground.learn(read_trees(booster), matrix[:100], np.full(100, 0.01))
    values, mean = background.attribute(matrix)
    margin = booster.predict(_as_rows(matrix), output_margin=True)
    np.testing.assert_allclose(values.sum(axis=1) + mean, margin, rtol=0, atol=1e-5)
    np.testing.assert_allclose(values[:100].mean(axis=0), 0, atol=1e-9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_values_agree_with_the_shap_package(missing):
    import shap

    types = ["q"] * 5
    matrix, outcome = _draw(4, 500, missing=missing)
    matrix = matrix.astype(np.float32).astype(float)
    booster = _grow(matrix, outcome, types=types, max_depth=4)
    # The package draws a hundred of more rows than that.
    background = matrix[:100]
    theirs = shap.TreeExplainer(booster, background, feature_perturbation="interventional")
    ours = TreeBackground.learn(read_trees(booster), background, np.full(100, 0.01))
    np.testing.assert_allclose(
        ours.attribute(matrix[200:230])[0], theirs.shap_values(matrix[200:230]), rtol=0, atol=1e-6
    )


def test_patterns_survive_a_file_and_hold_no_row():
    matrix, outcome = _draw(5, 300)
    trees = read_trees(_grow(matrix, outcome, max_depth=3))
    background = TreeBackground.learn(trees, matrix[:50], np.full(50, 0.02))
    restored = TreeBackground.restore(trees, json.loads(json.dumps(background.export())))
    np.testing.assert_array_equal(background.attribute(matrix)[0], restored.attribute(matrix)[0])
    weights = {w for tree in background.export() for leaf in tree for _, w in leaf}
    assert all(0 <= weight <= 1 + 1e-12 for weight in weights)


@pytest.mark.parametrize("fault", ["fewer", "code", "sum", "negative"])
def test_foreign_patterns_are_refused(fault):
    matrix, outcome = _draw(6, 300)
    trees = read_trees(_grow(matrix, outcome, max_depth=2))
    content = TreeBackground.learn(trees, matrix[:50], np.full(50, 0.02)).export()
    if fault == "fewer":
        content = content[1:]
    elif fault == "code":
        content[0][0][0][0] = 64.0
    elif fault == "sum":
        content[0][0][0][1] += 0.5
    else:
        content[0][0].append([0.0, -1.0])
    with pytest.raises(ValueError, match="background"):
        TreeBackground.restore(trees, content)


def test_a_tree_without_questions_gives_nothing():
    matrix, outcome = _draw(7, 100)
    booster = _grow(matrix, outcome, max_depth=2, gamma=1e6)
    background = TreeBackground.learn(read_trees(booster), matrix[:10], np.full(10, 0.1))
    np.testing.assert_array_equal(background.attribute(matrix)[0], 0)
