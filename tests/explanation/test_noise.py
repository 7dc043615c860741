"""What is distinguished from noise: planted predictors are, others as seldom as stated."""

import numpy as np
import pytest

from glabella.definitions.locate import find_project
from glabella.explanation.attributions import collect_attributions
from glabella.explanation.noise import measure_noise
from glabella.models.candidate import Candidate
from glabella.models.grouping import Grouping
from glabella.validation.fitting.nested import validate_candidates
from glabella.validation.fitting.runner import Runner
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.fitting.workers import Workers
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.folds.splits import make_repeated_folds


@pytest.fixture
def ridge(checkout):
    return find_project(checkout).read("models", "ridge", Candidate).value


def _measure(sample, candidate, permutations=39, grouping=None, workers=1):
    grouping = grouping or Grouping()
    folds = make_repeated_folds(
        [sample.arm, sample.trial], sample.labels, folds=5, repeats=1, seed=derive_seed(3, "folds")
    )
    trainer = Trainer(sample, 3, 3)
    results = validate_candidates({"ridge": candidate}, trainer, folds)
    found = collect_attributions(results, sample, method="exact", grouping=grouping)
    table = found.summarise()
    mine = table[table["is_patient"]]
    importance = dict(zip(mine["feature"], mine["mean_absolute"], strict=True))
    noise = measure_noise(
        candidate, trainer, folds, importance, grouping=grouping, permutations=permutations,
        runner=Runner(Workers(workers)),
    )  # fmt: skip
    return importance, noise


def test_what_was_planted_stands_out_and_the_rest_does_not(drawn, ridge):
    importance, noise = _measure(drawn(11), ridge)
    beyond = {name for name, size in importance.items() if size > noise.threshold}
    assert beyond == {"modifier", "prognostic"}
    assert noise.steps == 2
    assert noise.find_p(importance["prognostic"]) == pytest.approx(1 / 40)
    assert noise.find_p(0.0) == 1.0


def test_p_and_threshold_agree(drawn, ridge):
    importance, noise = _measure(drawn(12), ridge)
    for size in [*importance.values(), *noise.largest.tolist()]:
        assert (noise.find_p(size) <= 0.05) == (size > noise.threshold)


def test_where_there_is_nothing_little_stands_out(drawn, ridge):
    wrong = 0
    for seed in range(20):
        importance, noise = _measure(drawn(100 + seed, n=120, modifies=0, prognostic=0), ridge, 19)
        wrong += max(importance.values()) > noise.threshold
        assert noise.steps in (1, 2)
    # One in twenty; six or more would come once in three thousand.
    assert wrong <= 5


def test_a_group_is_permuted_and_measured_as_one(drawn, ridge):
    grouping = Grouping({"Both": ("modifier", "first")})
    importance, noise = _measure(drawn(13), ridge, grouping=grouping)
    assert "Both" in importance and "first" not in importance
    assert importance["Both"] > noise.threshold


def test_it_does_not_depend_on_the_workers(drawn, ridge):
    sample = drawn(14, n=120)
    one, two = (_measure(sample, ridge, 19, workers=workers)[1] for workers in (1, 2))
    assert one.threshold == two.threshold
    np.testing.assert_array_equal(one.largest, two.largest)


def test_what_uses_no_feature_has_no_threshold(drawn, checkout):
    candidate = find_project(checkout).read("models", "arm_only", Candidate).value
    sample = drawn(15, n=120)
    noise = measure_noise(
        candidate,
        Trainer(sample, 2, 1),
        [],
        {"modifier": 0.0},
        grouping=Grouping(),
        permutations=19,
    )
    assert noise.threshold is None
    assert noise.reason == "the candidate uses no feature of the patient"
    assert noise.find_p(1.0) is None
