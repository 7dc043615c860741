"""Gains over a reference against pROC and survival, and what they must and must not change with."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm

from glabella.validation.comparison.gain import (
    measure_gain,
)
from glabella.validation.measures.discrimination import (
    compute_concordance,
    compute_concordance_gain,
)
from glabella.validation.measures.estimation.rubin import pool_estimates
from glabella.validation.measures.overall import compute_loss_gain, compute_losses
from glabella.validation.measures.registry import compute_measure


def _gain(responded, probability, reference, strata=None, participant=None):
    n = len(responded)
    return compute_concordance_gain(
        responded,
        probability,
        reference,
        strata=np.zeros(n, dtype=int) if strata is None else strata,
        participant=np.arange(n) if participant is None else participant,
    )


def _predict(sample, probability, *, folds=3, repeats=2, design="pooled"):
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "row": np.arange(sample.n),
                    "design": design,
                    "repeat": repeat,
                    "fold": (np.arange(sample.n) + repeat) % folds,
                    "group": "",
                    "responded": sample.expected,
                    "probability": probability,
                }
            )
            for repeat in range(repeats)
        ],
        ignore_index=True,
    )


@st.composite
def _pairs(draw):
    n = draw(st.integers(10, 30))
    responded = draw(st.lists(st.booleans(), min_size=n - 10, max_size=n - 10))
    scores = [
        np.array(draw(st.lists(st.integers(-5, 5), min_size=n, max_size=n)), dtype=float)
        for _ in range(2)
    ]
    return np.array(responded + [True] * 5 + [False] * 5), *scores


class TestAgainstR:
    """pROC 1.18.0 and survival 3.5.3: measures_reference.json."""

    def test_one_stratum_is_that_of_delongs_paired_test(
        self, measures_reference, reference_predictions
    ):
        data = reference_predictions.query("repetition == 0")
        expected = measures_reference["gain"]["proc"]

        found = _gain(data["responded"], data["probability"], measures_reference["gain"]["other"])

        assert found.value == pytest.approx(expected["value"], abs=1e-12)
        assert found.standard_error == pytest.approx(expected["se"], rel=1e-9)

    def test_strata_are_those_of_survival(self, measures_reference, reference_predictions):
        data = reference_predictions.query("repetition == 0")
        expected = measures_reference["gain"]["within_trial_arm"]

        found = _gain(
            data["responded"],
            data["probability"],
            measures_reference["gain"]["other"],
            data["trial"] + data["arm"],
        )

        assert found.value == pytest.approx(expected["value"], abs=1e-12)
        assert found.standard_error == pytest.approx(expected["se"], rel=1e-9)


class TestConcordance:
    @given(_pairs())
    def test_it_is_the_difference_of_the_two(self, data):
        responded, first, second = data
        alone = [
            compute_concordance(
                responded, score, strata=np.zeros(len(score)), participant=np.arange(len(score))
            )[0].value
            for score in (first, second)
        ]

        assert _gain(responded, first, second).value == pytest.approx(alone[0] - alone[1])

    @given(_pairs())
    def test_exchanging_the_two_or_the_classes_changes_the_sign(self, data):
        responded, first, second = data
        found = _gain(responded, first, second)

        for turned in (_gain(responded, second, first), _gain(~responded, first, second)):
            assert turned.value == pytest.approx(-found.value)
            assert turned.standard_error is found.standard_error is None or (
                turned.standard_error == pytest.approx(found.standard_error)
            )

    @given(_pairs())
    def test_a_monotone_change_of_either_changes_nothing(self, data):
        responded, first, second = data

        assert _gain(responded, np.exp(first), 3 * second - 1) == _gain(responded, first, second)

    def test_two_that_order_alike_gain_nothing_without_an_interval(self):
        responded, score = np.tile([1, 0], 10), np.arange(20.0)
        found = _gain(responded, score, 2 * score)

        assert (found.value, found.low) == (0.0, None)
        assert found.reason == "the two order every pair alike"

    def test_pairs_of_four_responders_are_too_few(self):
        found = _gain([1] * 4 + [0] * 9, np.arange(13.0), np.ones(13))

        assert found.value is None
        assert "under 5 of a class" in found.reason

    def test_what_is_paired_is_surer_than_what_is_not(self):
        random = np.random.default_rng(4)
        responded = random.random(100) < 0.5
        first = responded + random.normal(size=100)
        second = first + random.normal(scale=0.2, size=100)
        alone = compute_concordance(
            responded, first, strata=np.zeros(100), participant=np.arange(100)
        )[0]

        assert _gain(responded, first, second).standard_error < 0.3 * (alone.high - alone.low)


class TestMeasured:
    @pytest.fixture
    def sample(self, make_sample):
        return make_sample(150, seed=2)

    @pytest.fixture
    def tables(self, sample):
        random = np.random.default_rng(3)
        good = expit(random.normal(size=150) + sample.labels - 0.5)
        weak = expit(random.normal(size=150))
        return {"ridge": _predict(sample, good), "severity": _predict(sample, weak)}

    def test_the_gain_in_log_loss_is_tested_over_participants(self, sample, tables):
        gain = measure_gain("ridge", "severity", tables, sample)
        lost = {
            name: table.assign(loss=compute_losses(table["responded"], table["probability"]))
            .groupby("row")["loss"]
            .mean()
            for name, table in tables.items()
        }
        each = lost["severity"] - lost["ridge"]
        error = each.std(ddof=1) / np.sqrt(150)
        assert gain.log_loss.value == pytest.approx(each.mean())
        assert gain.log_loss.standard_error == pytest.approx(error)
        assert gain.p_value == pytest.approx(2 * norm.sf(abs(each.mean()) / error))
        assert (gain.candidate, gain.against) == ("ridge", "severity")
        untested = measure_gain("ridge", "severity", tables, sample, is_tested=False)
        assert untested.p_value is None
        assert untested.log_loss == gain.log_loss

    def test_log_loss_over_participants_is_the_difference_of_the_two(self, sample, tables):
        gain = measure_gain("ridge", "severity", tables, sample)

        alone = [
            compute_measure(
                "log_loss", table["responded"], table["probability"], participant=table["row"]
            ).value
            for table in tables.values()
        ]
        assert gain.log_loss.value == pytest.approx(alone[1] - alone[0])

    def test_pairs_are_of_the_active_arm_and_of_one_trial_cohort_and_fold(self, sample, tables):
        # An arm and a trial that are told apart gain nothing over one prediction for all.
        tables["ridge"]["probability"] = 0.3 + 0.2 * sample.active[tables["ridge"]["row"]]
        tables["ridge"]["probability"] += 0.1 * (sample.trial[tables["ridge"]["row"]] == "T1")
        tables["severity"]["probability"] = 0.4

        assert measure_gain("ridge", "severity", tables, sample).auc.value == 0

    def test_rows_in_another_order_are_put_beside_each_other(self, sample, tables):
        shuffled = {**tables, "severity": tables["severity"].sample(frac=1, random_state=1)}

        assert measure_gain("ridge", "severity", shuffled, sample).auc == (
            measure_gain("ridge", "severity", tables, sample).auc
        )

    def test_other_folds_are_refused(self, sample, tables):
        tables["severity"] = _predict(sample, 0.4, folds=5)

        with pytest.raises(ValueError, match="were not predicted on the same folds"):
            measure_gain("ridge", "severity", tables, sample)

    def test_imputed_outcomes_are_pooled(self, sample, tables):
        random = np.random.default_rng(7)
        drawn = np.stack(
            [np.where(random.random(150) < 0.1, 1 - sample.labels, sample.labels) for _ in range(3)]
        ).astype(np.int8)

        pooled = measure_gain("ridge", "severity", tables, replace(sample, outcomes=drawn))

        each = []
        for one in drawn:
            completed = {
                name: table.assign(responded=one[table["row"]]) for name, table in tables.items()
            }
            alone = replace(sample, outcomes=one[None])
            each.append(measure_gain("ridge", "severity", completed, alone))
        assert pooled.auc == pool_estimates([gain.auc for gain in each], units=150)
        mean = np.mean([gain.log_loss.value for gain in each])
        assert pooled.log_loss.value == pytest.approx(mean)


def test_certainty_that_is_wrong_costs_a_finite_loss():
    found = compute_loss_gain(
        [1] * 5 + [0] * 5, [0.0] + [0.9] * 4 + [0.1] * 5, [0.5] * 10, participant=range(10)
    )

    assert np.isfinite([found.value, found.low, found.high]).all()
    assert found.value < 0
