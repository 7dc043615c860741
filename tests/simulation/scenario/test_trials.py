"""One simulated trial: who is admitted, who leaves, and which designs are refused."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import lognorm

from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.trials import Dropout, ScenarioTrial, SelfReport, Severity

SEVERITY = Severity(mean=24.0, sd=6.0, low=18, high=40)


def change(trial: ScenarioTrial, **given: Any) -> ScenarioTrial:
    return ScenarioTrial(**{**dict(trial), **given})


def test_severity_is_lognormal_with_the_mean_and_deviation_in_points() -> None:
    screened = lognorm(s=SEVERITY.log_sd, scale=np.exp(SEVERITY.log_mean))
    assert (screened.mean(), screened.std()) == pytest.approx((24, 6))
    # A total of 18 is what is rounded to it, from 17.5 on.
    assert SEVERITY.find_admitted() == pytest.approx(screened.cdf(40.5) - screened.cdf(17.5))


def test_the_rate_of_leaving_gives_the_declared_proportion_by_its_week() -> None:
    dropout = Dropout(share=0.2, by_week=8)
    assert 1 - np.exp(-dropout.rate * 8) == pytest.approx(0.2)
    assert Dropout(share=0, by_week=1).rate == 0


def test_a_self_report_has_its_scale() -> None:
    report = SelfReport(variable="bdi2_total", intercept=0.0, slope=1.0, error=0.1)
    assert report.rating.maximum == 63


def test_size_cohorts_and_items_follow_from_the_design(bont_pooled: Scenario) -> None:
    by_id = {trial.id: trial for trial in bont_pooled.trials}
    assert by_id["brin2020"].cohorts == ("30U", "50U")
    assert by_id["brin2020"].size == 65 + 59 + 65 + 69
    wollmer = by_id["wollmer2012"]
    assert (wollmer.cohorts, wollmer.has_items) == (("",), True)
    assert not change(wollmer, items=False).has_items
    assert not by_id["brin2020"].has_items


@pytest.mark.parametrize(
    ("given", "finding"),
    [
        ({"weeks": (0.0, 6.0, 6.05)}, "two visits are on the same day"),
        ({"sites": 1}, "there are fewer sites than cohorts"),
    ],
)
def test_a_design_that_no_trial_can_have_is_refused(
    bont_pooled: Scenario, given: dict[str, Any], finding: str
) -> None:
    [brin] = [trial for trial in bont_pooled.trials if trial.id == "brin2020"]
    with pytest.raises(ValidationError, match=finding):
        change(brin, **given)


def test_each_cohort_needs_both_roles(bont_pooled: Scenario) -> None:
    [brin] = [trial for trial in bont_pooled.trials if trial.id == "brin2020"]
    with pytest.raises(ValidationError, match="cohort '50U' needs one active and one control arm"):
        change(brin, arms=brin.arms[:3])
