"""Paired differences of two procedures, against a computation by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from glabella.features.spec import FeatureTable
from glabella.validation.comparison.paired import (
    BY_MEAN_LOSS,
    BY_PARTICIPANT,
    measure_paired,
)
from glabella.validation.folds.sample import Sample

N = 27
OUTCOME = np.tile([1, 0, 0], N // 3)


@pytest.fixture
def sample():
    blank = np.full(N, "", dtype=str)
    return Sample(
        features=FeatureTable(pd.DataFrame(index=range(N)), ()),
        outcomes=OUTCOME[None, :].astype(np.int8),
        trial=blank, site=blank, cohort=blank, arm=blank,
        active=np.ones(N, dtype=bool),
    )  # fmt: skip


def predict(seed, *, repeats=2, folds=3, shift=0, design="pooled"):
    """Predict each participant once a repetition; `shift` deals the folds otherwise."""
    draw = np.random.default_rng(seed)
    rows = np.arange(N)
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "row": rows, "design": design, "repeat": repeat,
                    "fold": (rows // 3 + repeat + shift * rows) % folds, "group": "",
                    "responded": OUTCOME, "probability": draw.uniform(0.1, 0.9, N),
                }
            )
            for repeat in range(repeats)
        ],
        ignore_index=True,
    )  # fmt: skip


def lose(table):
    right = np.where(table["responded"] == 1, table["probability"], 1 - table["probability"])
    return table.assign(loss=-np.log(right))


@pytest.mark.parametrize("repeats", [1, 2])
def test_on_the_same_folds_participants_are_the_units(sample, repeats):
    first, second = predict(1, repeats=repeats), predict(2, repeats=repeats)
    found = measure_paired(first, second, sample)
    each = (
        lose(first).groupby("row")["loss"].mean() - lose(second).groupby("row")["loss"].mean()
    ).to_numpy()
    error = each.std(ddof=1) / np.sqrt(N)
    assert found.method == BY_PARTICIPANT
    assert found.log_loss.value == pytest.approx(each.mean(), abs=1e-12)
    assert found.log_loss.standard_error == pytest.approx(error, abs=1e-12)
    assert found.p_value == pytest.approx(2 * norm.sf(abs(each.mean()) / error), abs=1e-12)


def test_the_concordance_is_compared_over_the_pairs_of_each_fold(sample):
    first, second = predict(1), predict(2)

    def agree(table):
        won = pairs = 0.0
        for _, fold in table.groupby(["repeat", "fold"]):
            for case in fold.loc[fold["responded"] == 1, "probability"]:
                others = fold.loc[fold["responded"] == 0, "probability"]
                won, pairs = won + (case > others).sum(), pairs + len(others)
        return won / pairs

    found = measure_paired(first, second, sample)
    assert found.auc.value == pytest.approx(agree(first) - agree(second), abs=1e-12)
    assert found.auc.low < found.auc.value < found.auc.high


@pytest.mark.parametrize("repeats", [1, 2])
def test_on_other_folds_it_is_over_each_participants_mean_loss(sample, repeats):
    first, second = predict(1), predict(2, shift=1, repeats=repeats)
    found = measure_paired(first, second, sample)
    each = (
        lose(first).groupby("row")["loss"].mean() - lose(second).groupby("row")["loss"].mean()
    ).to_numpy()
    error = each.std(ddof=1) / np.sqrt(N)
    assert found.method == BY_MEAN_LOSS
    assert found.log_loss.value == pytest.approx(each.mean(), abs=1e-12)
    assert found.log_loss.high - found.log_loss.low == pytest.approx(
        2 * norm.ppf(0.975) * error, abs=1e-12
    )
    assert found.p_value == pytest.approx(2 * norm.sf(abs(each.mean()) / error), abs=1e-12)
    assert found.auc.value is None
    assert "the folds differ" in found.auc.reason


def test_turning_the_two_around_turns_the_difference(sample):
    for second in (predict(2), predict(2, shift=1)):
        one = measure_paired(predict(1), second, sample)
        other = measure_paired(second, predict(1), sample)
        assert one.log_loss.value == pytest.approx(-other.log_loss.value, abs=1e-15)
        assert one.log_loss.low == pytest.approx(-other.log_loss.high, abs=1e-15)
        assert one.p_value == pytest.approx(other.p_value)


def test_two_that_predict_alike_have_no_interval_made_of_rounding(sample):
    first = predict(1)
    second = first.assign(probability=first["probability"] + 1e-13)
    found = measure_paired(first, second, sample)
    assert (found.log_loss.value, found.log_loss.low, found.p_value) == (0.0, None, None)
    assert found.log_loss.reason == "the two predict alike"


def test_imputed_outcomes_give_a_difference_without_an_interval(sample):
    first, second = (
        table.assign(responded=np.where(table["row"] == 3, 0.25, table["responded"]))
        for table in (predict(1), predict(2))
    )
    found = measure_paired(first, second, sample)
    assert found.log_loss.value is not None
    assert (found.log_loss.low, found.p_value, found.auc.value) == (None, None, None)
    assert "imputed" in found.log_loss.reason


def test_predictions_of_other_participants_are_refused(sample):
    with pytest.raises(ValueError, match="not of the same participants"):
        measure_paired(predict(1), predict(2).query("row > 0"), sample)
