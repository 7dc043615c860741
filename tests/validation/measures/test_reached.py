"""What a model reaches on a large sample is valued as its report values it."""

import numpy as np
import pandas as pd
import pytest

from glabella.validation.measures.performance import MEASURES, measure_performance
from glabella.validation.measures.reached import compute_reached


def test_each_measure_has_the_value_that_the_report_gives_it(make_sample):
    sample = make_sample(200)
    random = np.random.default_rng(5)
    rows = np.sort(random.permutation(sample.n)[: sample.n * 3 // 4])
    log_odds = random.normal(-0.3, 0.8, len(rows)) + 0.7 * sample.outcomes[0, rows]
    probability = 1 / (1 + np.exp(-log_odds))
    predictions = pd.DataFrame(
        {"row": rows, "repeat": 0, "fold": 0, "group": "", "probability": probability}
    )
    reported = measure_performance(predictions, sample).estimates
    found = compute_reached(probability, sample, rows)
    assert set(MEASURES) - set(found) == {"average_precision", "ici"}
    for name, value in found.items():
        assert value == pytest.approx(reported[name].value, abs=1e-6), name


def test_what_has_no_value_is_left_out(make_sample):
    sample = make_sample(200)
    responders = np.flatnonzero(sample.outcomes[0] == 1)
    found = compute_reached(np.full(len(responders), 0.4), sample, responders)
    assert not {"auc", "calibration_slope", "scaled_brier", "specificity"} & set(found)
    assert found["brier"] == pytest.approx(0.36)
