"""Trainings on tables that statistics find hard: right figures, a reason, or a refusal."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.errors import AnalysisError
from glabella.validation.measures.registry import MEASURES

Change = Callable[[pd.DataFrame, pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]]
TrainOn = Callable[..., "Trained"]


@dataclass(frozen=True)
class Trained:
    """A training's figures as JSON, and the text of its report."""

    plain: dict[str, Any]
    report: str

    def figures(self, candidate: str, design: str) -> dict[str, Any]:
        return self.plain["candidates"][candidate][design]

    def across(self, candidate: str, trial: str) -> dict[str, Any]:
        groups = self.figures(candidate, "across")["groups"]
        [found] = [group for group in groups if group["group"] == trial]
        return found


@pytest.fixture
def train_on(small_project: Path) -> TrainOn:
    """Train two cheap candidates on the small tables after a change to them."""

    def train(change: Change, *, across: bool = True) -> Trained:
        path = small_project / "pipelines" / "small.yaml"
        text = path.read_text().replace(
            "[prevalence, arm_only, severity, ridge, xgboost]", "[prevalence, severity]"
        )
        text = text.replace("pooled: {folds: 3, repeats: 2}", "pooled: {folds: 2, repeats: 1}")
        text = text.replace("inside: {folds: 3,", "inside: {folds: 2,")
        if not across:
            text = re.sub(r"  across: .*\n", "", text)
        path.write_text(text)
        people = pd.read_csv(small_project / "participants.csv")
        visits = pd.read_csv(small_project / "assessments.csv")
        people, visits = change(people, visits)
        people.to_csv(small_project / "participants.csv", index=False)
        visits.to_csv(small_project / "assessments.csv", index=False)
        result = glabella.train("small", project=small_project, workers=1)
        plain = json.loads(json.dumps(result.as_json(), allow_nan=False))
        trained = Trained(plain, Path(result.report).read_text())
        _assert_sound(trained)
        return trained

    return train


def _walk(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each)
    elif isinstance(value, float):
        yield value


def _assert_sound(trained: Trained) -> None:
    """Check that what is null has its reason, and that nothing shown is no number."""
    assert all(math.isfinite(value) for value in _walk(trained.plain))
    words = re.sub(r"<(script|style|svg)\b.*?</\1>|<[^>]*>", " ", trained.report, flags=re.DOTALL)
    assert not re.search(r"(?<![\w-])(nan|inf|None)(?![\w-])", words)
    for entry in trained.plain["candidates"].values():
        designs = [entry["pooled"], entry["across"], *(entry["inside"] or [])]
        designs += (entry["across"] or {}).get("groups", [])
        for figures in (each for each in designs if each is not None):
            for measure in MEASURES:
                value = figures[measure]
                low, high = figures[f"{measure}_low"], figures[f"{measure}_high"]
                if value is None or low is None:
                    assert figures["reasons"][measure]
                else:
                    assert low - 1e-9 <= value <= high + 1e-9


def _respond(visits: pd.DataFrame, ids: pd.Series, responded: np.ndarray) -> pd.DataFrame:
    """Give the named participants a week 6 score that is a response or none."""
    base = visits.query("paramcd == 'depression_total' and week == 0").set_index("usubjid")["aval"]
    last = pd.DataFrame({"usubjid": ids.to_numpy(), "paramcd": "depression_total", "week": 6})
    start = base.loc[ids.to_numpy()].to_numpy()
    last["aval"] = np.where(responded, start // 2 - 1, start - 1)
    last["studyid"] = (
        visits.set_index("usubjid")["studyid"].groupby(level=0).first()[ids.to_numpy()].to_numpy()
    )
    gone = visits["usubjid"].isin(ids) & (visits["week"] == 6)
    return pd.concat([visits[~gone], last[visits.columns]], ignore_index=True)


def _keep(people: pd.DataFrame, visits: pd.DataFrame, kept: pd.Series) -> tuple[pd.DataFrame, ...]:
    people = people[kept]
    return people, visits[visits["usubjid"].isin(people["usubjid"])]


def _take_alpha(people: pd.DataFrame, visits: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    return _keep(people, visits, people["studyid"] == "alpha")


def _silence_beta(people: pd.DataFrame, visits: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    ids = people.loc[people["studyid"] == "beta", "usubjid"]
    return people, _respond(visits, ids, np.zeros(len(ids), dtype=bool))


def test_references_alone_are_reported_without_gains(train_on):
    trained = train_on(lambda people, visits: (people, visits))
    assert trained.plain["chosen"] in ("prevalence", "severity")
    assert trained.plain["candidates"]["severity"]["gains"] == {}
    constant = trained.figures("prevalence", "pooled")
    assert (constant["auc"], constant["auc_low"]) == (0.5, None)
    assert "do not differ" in constant["reasons"]["auc"]


def test_one_trial_has_no_figure_across(train_on):
    trained = train_on(_take_alpha, across=False)
    assert trained.figures("severity", "across") is None
    assert trained.plain["n"] == 60


def test_one_trial_can_not_be_left_out(train_on):
    with pytest.raises(AnalysisError) as refused:
        train_on(_take_alpha)
    assert refused.value.place == "validation.across"
    assert "one group only" in refused.value.finding
    assert refused.value.remedy == "Leave `across:` out."


def test_two_trials_of_which_one_has_no_event_can_not_be_learnt_from_it(train_on):
    with pytest.raises(AnalysisError) as refused:
        train_on(_silence_beta)
    assert refused.value.place == "validation.across"
    assert refused.value.finding == "without 'alpha' the training participants are of one class"
    assert refused.value.remedy == "Leave `across:` out, or pool more trials."


def test_a_third_trial_without_events_has_no_figure_and_is_not_pooled(train_on):
    def change(people, visits):
        third = people["usubjid"].isin(people["usubjid"][people["studyid"] == "beta"].head(20))
        ids = people.loc[third, "usubjid"]
        visits = _respond(visits, ids, np.zeros(len(ids), dtype=bool))
        visits.loc[visits["usubjid"].isin(ids), "studyid"] = "gamma"
        return people.assign(studyid=people["studyid"].mask(third, "gamma")), visits

    trained = train_on(change)
    gamma = trained.across("severity", "gamma")
    # That nobody responded tells of each, and the other trials would give it away.
    assert gamma["events"] is None
    assert gamma["auc"] is gamma["brier"] is gamma["ppv"] is None
    assert "under 5 of a class" in gamma["reasons"]["auc"]
    pooled = trained.figures("severity", "across")["random_effects"]["auc"]
    assert pooled["trials"] == ["alpha", "beta"]
    assert "under 5 of a class" in pooled["left_out"]["gamma"]


def test_a_trial_of_the_active_arm_alone_has_no_control_figure(train_on):
    def change(people, visits):
        kept = (people["studyid"] == "alpha") | (people["arm"] == "bont")
        return _keep(people, visits, kept)

    beta = train_on(change).across("severity", "beta")
    assert beta["auc"] is not None
    assert beta["auc_control"] is None
    assert beta["reasons"]["auc_control"] == "under 5 of a class"


def test_everybody_in_one_arm_is_refused(train_on):
    with pytest.raises(AnalysisError) as refused:
        train_on(lambda people, visits: _keep(people, visits, people["arm"] == "bont"))
    assert "small.yaml" in str(refused.value.place)
    assert refused.value.finding == "the analysis uses the arm, and all 60 participants are in one"
    assert "Leave `arms:` out" in refused.value.remedy


def test_everybody_of_one_class_is_refused(train_on):
    with pytest.raises(AnalysisError) as refused:
        train_on(lambda p, v: (p, _respond(v, p["usubjid"], np.zeros(len(p), dtype=bool))))
    assert "every one of 120 did not respond" in refused.value.finding
    assert "Change the endpoint" in refused.value.remedy


def test_ten_participants_have_figures_where_each_class_has_five(train_on):
    def change(people, visits):
        people, visits = _keep(people, visits, people.groupby("studyid").cumcount() < 5)
        return people, _respond(visits, people["usubjid"], np.tile([True, False], 5))

    trained = train_on(change)
    pooled = trained.figures("severity", "pooled")
    assert (pooled["n"], pooled["events"]) == (10, None)
    assert 0 <= pooled["brier_low"] < pooled["brier"] < pooled["brier_high"] <= 1
    for group in ("alpha", "beta"):
        assert trained.across("severity", group)["auc_all"] is None


def test_a_feature_that_separates_perfectly_has_a_concordance_of_one_without_interval(train_on):
    def change(people, visits):
        base = visits.query("paramcd == 'depression_total' and week == 0").set_index("usubjid")
        severe = base["aval"].loc[people["usubjid"]].to_numpy() > 27
        return people.assign(scale="madrs"), _respond(visits, people["usubjid"], severe)

    pooled = train_on(change).figures("severity", "pooled")
    assert (pooled["auc"], pooled["auc_low"]) == (1.0, None)
    assert pooled["reasons"]["auc"] == "the value is 1, so no interval can be formed"
    assert pooled["calibration_slope"] is None
    assert "separate" in pooled["reasons"]["calibration_slope"]


def test_a_constant_feature_tells_nobody_apart(train_on):
    def change(people, visits):
        same = (visits["paramcd"] == "depression_total") & (visits["week"] == 0)
        visits.loc[same, "aval"] = 26
        return people.assign(age=40, scale="madrs"), visits

    pooled = train_on(change).figures("severity", "pooled")
    assert (pooled["auc"], pooled["auc_low"]) == (0.5, None)
    assert "do not differ" in pooled["reasons"]["auc"]
