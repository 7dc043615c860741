"""The chosen candidate is explained by held-out attributions; what was not done is said."""

import numpy as np
import pytest

from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project
from glabella.explanation.budget import Budget
from glabella.pipelines.training.candidate_explanation import explain_chosen


@pytest.fixture(scope="module")
def explain(trained):
    loaded = load_analysis("small", find_project(trained[0]))
    return lambda budget: explain_chosen(loaded, trained[1].figures.validated, [], budget)


def test_attributions_of_a_row_add_to_the_mean_log_odds_of_its_held_out_predictions(
    explain, trained
):
    told = explain(Budget(0, 0, "")).attributions
    validated = trained[1].figures.validated
    results = [
        item
        for item in validated.results
        if (item.candidate, item.fold.design) == (validated.choice.name, "pooled")
    ]
    total, times = np.zeros(len(told.values)), np.zeros(len(told.values))
    for item in results:
        total[item.fold.test] += item.contributions.values.sum(axis=1)
        times[item.fold.test] += 1
    assert told.values.sum(axis=1) == pytest.approx(total / times)


def test_noise_that_was_not_measured_has_the_reason_of_the_budget(explain):
    assert explain(Budget(0, 0, "")).noise is None
    assert explain(Budget(0, 0, "that was put off")).noise.reason == "that was put off"


def test_candidates_without_a_property_of_the_patient_have_no_ranks(explain):
    ranks = explain(Budget(0, 0, "")).rankings
    assert "ridge" in ranks
    assert "prevalence" not in ranks
    assert "arm_only" not in ranks
    for name in ranks:
        used = ranks[name].dropna()
        assert sorted(used) == list(range(1, len(used) + 1))
