"""The choice inside each fold, and Holm's adjustment."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import t, ttest_rel

from glabella.validation.comparison.choice import (
    adjust_by_holm,
    choose_by_inner_losses,
    compare_losses,
)
from glabella.validation.comparison.procedure import choose_in_folds
from glabella.validation.folds.fold_result import FoldResult, InnerLosses
from glabella.validation.folds.splits import Fold

SIZES = (30, 30, 30)


@pytest.fixture
def make_predictions():
    def make(shift):
        draw = np.random.default_rng(3)
        responded = draw.random(100) < 0.5
        frame = pd.DataFrame(
            {"row": range(100), "repeat": 0, "fold": np.repeat(range(5), 20),
             "responded": responded.astype(int)}
        )  # fmt: skip
        noise = draw.normal(size=100)
        return {
            "a": frame.assign(probability=0.5),
            "b": frame.assign(probability=expit(3 * shift * (responded - 0.5) + 0.2 * noise)),
        }

    return make


def _result(name, number, losses):
    fold = Fold("pooled", 0, number, None, np.arange(90), np.arange(90, 100))
    inner = None if losses is None else InnerLosses(losses, SIZES)
    return FoldResult(name, fold, np.full(10, 0.5), None, {}, 0.0, inner=inner)


def test_each_fold_takes_what_its_own_training_part_favours():
    followed = choose_in_folds(
        {
            "simple": [
                _result("simple", 0, (0.6, 0.6, 0.6)),
                _result("simple", 1, (0.7, 0.7, 0.7)),
            ],
            "complex": [
                _result("complex", 0, (0.6, 0.6, 0.6)),
                _result("complex", 1, (0.601, 0.6, 0.599)),
            ],
        }
    )
    assert [item.candidate for item in followed.results] == ["simple", "complex"]
    assert followed.count("pooled") == {"simple": 1, "complex": 1}
    assert followed.count("across") == {}


def test_without_inner_losses_the_simplest_is_taken():
    followed = choose_in_folds(
        {"simple": [_result("simple", 0, None)], "complex": [_result("complex", 0, (0.1,) * 3)]}
    )
    assert followed.results[0].candidate == "simple"


def test_one_standard_error_is_the_corrected_one_of_the_inner_folds():
    best, other = (0.60, 0.64, 0.62), (0.63, 0.65, 0.67)
    differences = np.subtract(other, best)
    error = np.sqrt((1 / 3 + 30 / 60) * differences.var(ddof=1))
    for shift, name in ((error - differences.mean(), "simple"), (error, "complex")):
        moved = tuple(np.add(other, shift - 1e-9))
        inner = {"simple": InnerLosses(moved, SIZES), "complex": InnerLosses(best, SIZES)}
        assert choose_by_inner_losses(inner).name == name


def test_larger_inner_folds_weigh_more():
    inner = {
        "a": InnerLosses((0.5, 0.9), (90, 10)),
        "b": InnerLosses((0.9, 0.5), (90, 10)),
    }
    assert choose_by_inner_losses(inner).best == "a"


@pytest.mark.parametrize(
    ("raw", "adjusted"),
    [
        # p.adjust(p, "holm") of R 4.2.2, 2026-11-24.
        ([0.01, 0.02, 0.03, 0.04], [0.04, 0.06, 0.06, 0.06]),
        ([0.5, 0.6], [1.0, 1.0]),
        ([0.2], [0.2]),
        ([], []),
        ([None, 0.04], [None, 0.04]),
    ],
)
def test_holm_is_what_r_gives(raw, adjusted):
    found = adjust_by_holm(raw)
    assert [None if p is None else round(p, 12) for p in found] == adjusted


def test_p_is_below_a_level_exactly_where_the_interval_leaves_zero(make_predictions):
    for shift in (0.0, 0.02, 0.05, 0.2):
        difference = compare_losses("b", "a", make_predictions(shift))
        low, high = difference.log_loss.low, difference.log_loss.high
        assert (difference.p_value < 0.05) == (low > 0 or high < 0)


def test_p_is_the_paired_t_test_but_for_the_correction(make_predictions):
    predictions = make_predictions(0.1)
    difference = compare_losses("b", "a", predictions)
    losses = [
        -np.where(table["responded"], np.log(table["probability"]),
                  np.log1p(-table["probability"])).reshape(5, -1).mean(axis=1)
        for table in (predictions["b"], predictions["a"])
    ]  # fmt: skip
    plain = ttest_rel(*losses)
    # Nadeau and Bengio: the variance times (1/k + test/train) for 1/k.
    corrected = plain.statistic * np.sqrt((1 / 5) / (1 / 5 + 1 / 4))
    assert difference.p_value == pytest.approx(2 * t.sf(abs(corrected), 4))
