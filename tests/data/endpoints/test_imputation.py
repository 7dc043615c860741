"""Imputed outcomes against mice, on known truth, and what they may not know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glabella.data.dictionary import Dictionary
from glabella.data.endpoints.chained import draw_missing
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.derive import Outcomes, derive_outcomes
from glabella.data.tables import PatientTables
from glabella.errors import AnalysisError

FOLDER = Path(__file__).parents[2] / "reference"
REFERENCE = json.loads((FOLDER / "imputation_reference.json").read_text())
DICTIONARY = Dictionary.model_validate(
    {
        "kind": "dictionary",
        "description": "A score",
        "variables": {
            "score": {"label": "S", "type": "score", "scale": "hamd17", "timing": "visit"},
            "each": {"label": "E", "type": "score", "scale": "by_trial", "timing": "visit"},
            "stopped": {"label": "Stopped", "type": "number", "range": (0, 52)},
        },
    }
)


def make_tables(wide: pd.DataFrame, variable: str = "score", trial: str = "t") -> PatientTables:
    weeks = [name for name in wide if str(name).startswith("w")]
    ids = [f"{trial}{number}" for number in range(len(wide))]
    long = wide[weeks].assign(usubjid=ids).melt("usubjid", var_name="week", value_name="aval")
    long = long.dropna().assign(
        studyid=trial, paramcd=variable, week=lambda rows: rows["week"].str[1:].astype(float)
    )
    people = pd.DataFrame({"studyid": trial, "usubjid": ids})
    others = wide.drop(columns=weeks).reset_index(drop=True)
    return PatientTables(
        people.join(others), long[["studyid", "usubjid", "paramcd", "week", "aval"]], "real"
    )


def derive(tables: PatientTables, **settings: Any) -> Outcomes:
    fields = {
        "rule": "response",
        "of": "score",
        "week": 6.0,
        "window": (5.0, 7.0),
        "missing": {"strategy": "multiple_imputation", "imputations": 20},
    } | settings
    return derive_outcomes(tables, EndpointDefinition(**fields), DICTIONARY)


def complete(outcomes: Outcomes, seed: int = 1, rows: Any = None) -> np.ndarray:
    assert outcomes.imputation is not None
    everybody = np.arange(len(outcomes.frame)) if rows is None else rows
    return outcomes.imputation.complete(everybody, np.random.SeedSequence(seed))


@pytest.fixture(scope="module")
def trial() -> pd.DataFrame:
    """The trial that mice imputed: tests/reference/make_imputation_reference.R."""
    return pd.read_csv(FOLDER / "imputation_reference.csv")


def make_drop_out(seed: int = 3, n: int = 60, effect: float = 5.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    arm = np.repeat(["active", "control"], n // 2)
    w0 = random.normal(24, 3, n)
    w2 = w0 - np.where(arm == "active", effect, 2) + random.normal(0, 3, n)
    w6 = 0.3 * w0 + 0.7 * w2 - 2 + random.normal(0, 3, n)
    w6[random.random(n) < 0.3] = np.nan
    return pd.DataFrame({"arm": arm, "w0": w0, "w2": w2, "w6": w6})


@pytest.mark.parametrize("arm", ["active", "control"])
def test_rates_of_response_and_their_spread_are_those_of_mice(trial, arm: str) -> None:
    # With 4,000 sets on either side the error of a mean is its spread over 63, of a spread 1.1 %.
    wanted = REFERENCE["arms"][arm]
    outcomes = derive(
        make_tables(trial), missing={"strategy": "multiple_imputation", "imputations": 100}
    )
    members = np.flatnonzero(trial["arm"] == arm)
    rates = np.concatenate(
        [complete(outcomes, seed)[:, members].mean(axis=1) for seed in range(40)]
    )
    error = wanted["rate_sd"] * (2 / 4000) ** 0.5
    assert rates.mean() == pytest.approx(wanted["rate"], abs=4 * error)
    assert rates.std() == pytest.approx(wanted["rate_sd"], rel=4 * (1 / 4000) ** 0.5)


@pytest.mark.parametrize("arm", ["active", "control"])
def test_imputed_scores_and_their_spread_are_those_of_mice(trial, arm: str) -> None:
    wanted = REFERENCE["arms"][arm]
    scores = trial.loc[trial["arm"] == arm, ["w0", "w2", "w4", "w6"]].to_numpy()
    drawn = draw_missing(
        scores, np.zeros((len(scores), 0)), count=4000, random=np.random.default_rng(1)
    )
    means = drawn[:, :, 3].mean(axis=1)
    error = wanted["score_sd"] * (2 / 4000) ** 0.5
    assert means.mean() == pytest.approx(wanted["score"], abs=4 * error)
    assert means.std() == pytest.approx(wanted["score_sd"], rel=4 * (1 / 4000) ** 0.5)


def test_what_is_known_is_the_same_in_every_set_and_what_is_not_varies() -> None:
    outcomes = derive(make_tables(make_drop_out()))
    drawn = complete(outcomes)
    known = outcomes.frame["responded"].notna().to_numpy()
    assert (drawn[:, known] == outcomes.frame["responded"][known].to_numpy()).all()
    assert drawn[:, ~known].std() > 0
    assert (outcomes.frame["basis"][~known] == "to_impute").all()
    assert outcomes.left_out == {}


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    outcomes = derive(make_tables(make_drop_out()))
    np.testing.assert_array_equal(complete(outcomes, 5), complete(outcomes, 5))
    assert (complete(outcomes, 5) != complete(outcomes, 6)).any()


def test_nothing_is_learnt_from_whom_the_draw_was_not_given() -> None:
    wide = make_drop_out()
    rows = np.arange(0, 60, 2)
    plain = complete(derive(make_tables(wide)), rows=rows)
    changed = wide.copy()
    changed.loc[1::2, ["w2", "w6"]] = 50 - changed.loc[1::2, ["w2", "w6"]]
    np.testing.assert_array_equal(complete(derive(make_tables(changed)), rows=rows), plain)


def test_arms_are_imputed_apart() -> None:
    wide = make_drop_out(n=200, effect=20.0)
    outcomes = derive(make_tables(wide))
    unknown = outcomes.frame["responded"].isna().to_numpy()
    rate = complete(outcomes).mean(axis=0)
    active = (wide["arm"] == "active").to_numpy()
    assert rate[unknown & active].mean() > 0.7
    assert rate[unknown & ~active].mean() < 0.1


def test_small_arms_share_a_regression_with_an_intercept_each() -> None:
    wide = make_drop_out(n=60, effect=20.0)
    small = pd.concat([wide[wide["arm"] == "active"], wide[wide["arm"] == "control"].head(9)])
    outcomes = derive(make_tables(small.reset_index(drop=True)))
    assert complete(outcomes).shape == (20, 39)
    known = outcomes.frame["responded"].notna().to_numpy()
    unknown_active = ~known & (small["arm"] == "active").to_numpy()
    assert complete(outcomes).mean(axis=0)[unknown_active].mean() > 0.6


def test_the_imputed_rate_is_right_where_leaving_depends_on_what_was_seen() -> None:
    # Truth: everybody's own score at week 6. Who is worse at week 2 leaves; the observed rate is
    # then too high, the imputed one is not.
    random = np.random.default_rng(8)
    observed, imputed, truth = [], [], []
    for _ in range(20):
        w0 = random.normal(24, 3, 1200)
        w2 = w0 - 8 + random.normal(0, 4, 1200)
        w6 = 0.2 * w0 + 0.6 * w2 + random.normal(0, 2.5, 1200)
        truth.append((w6 <= 0.5 * w0).mean())
        gone = random.random(1200) < 1 / (1 + np.exp(-(w2 - 16)))
        wide = pd.DataFrame({"w0": w0, "w2": w2, "w6": np.where(gone, np.nan, w6)})
        outcomes = derive(make_tables(wide))
        observed.append(outcomes.frame["responded"].mean())
        imputed.append(complete(outcomes).mean())
    error = np.std(np.subtract(imputed, truth)) / 20**0.5
    assert np.mean(imputed) == pytest.approx(np.mean(truth), abs=4 * error)
    assert np.mean(observed) - np.mean(truth) > 0.1


def test_a_delta_worsens_those_who_left_and_nobody_else() -> None:
    wide = make_drop_out()
    # Of ten who missed week 6 three came back at week 12.
    missed = np.flatnonzero(wide["w6"].isna())
    wide["w12"] = np.nan
    wide.loc[missed[:3], "w12"] = 12.0
    wide.loc[wide["w6"].notna(), "w12"] = 12.0 + np.arange(int(wide["w6"].notna().sum())) % 5
    plain = complete(derive(make_tables(wide))).mean(axis=0)
    worse = complete(
        derive(make_tables(wide), missing={"strategy": "delta", "points": 30.0, "imputations": 20})
    ).mean(axis=0)
    np.testing.assert_array_equal(worse[missed[:3]], plain[missed[:3]])
    assert (worse[missed[3:]] == 0).all()
    same = derive(make_tables(wide), missing={"strategy": "delta", "points": 0.0})
    np.testing.assert_array_equal(complete(same).mean(axis=0), plain)


def test_a_delta_in_percent_is_of_each_trials_own_range() -> None:
    wide = make_drop_out(n=80).assign(scale=np.tile(["hamd17", "madrs"], 40))
    missing = {"strategy": "delta", "percent_of_range": 10.0}
    outcomes = derive(make_tables(wide, "each"), of="each", missing=missing)
    assert outcomes.imputation is not None
    gone = wide["w6"].isna().to_numpy()
    shift = outcomes.imputation.shift[:, 0]
    np.testing.assert_allclose(shift[gone], np.where(wide["scale"][gone] == "madrs", 6.0, 5.2))
    assert (shift[~gone] == 0).all()
    with pytest.raises(AnalysisError, match="a delta in points would be added to totals of diff"):
        derive(make_tables(wide, "each"), of="each", missing={"strategy": "delta", "points": 3.0})


def test_one_visit_can_not_be_imputed_from() -> None:
    tables = make_tables(make_drop_out().drop(columns="w2"))
    with pytest.raises(AnalysisError) as caught:
        derive(tables)
    assert str(caught.value) == (
        "endpoint of 'score', missing `multiple_imputation`: trial 't' has no visit after baseline "
        "other than the endpoint, so there is nothing to impute it from\n"
        "  Take `observed_only` or `non_responder`, or a later endpoint."
    )


def test_a_trial_with_hardly_any_scores_can_not_be_imputed() -> None:
    wide = make_drop_out()
    wide.loc[9:, "w6"] = np.nan
    wide.loc[:8, "w6"] = np.arange(9) * 3.0
    with pytest.raises(AnalysisError, match=r"\d observed scores of trial 't' are too few to imp"):
        derive(make_tables(wide))


def test_a_part_with_hardly_any_scores_is_named() -> None:
    outcomes = derive(make_tables(make_drop_out()))
    assert outcomes.imputation is not None
    seen = np.flatnonzero(outcomes.frame["score"].notna())[:4]
    gone = np.flatnonzero(outcomes.frame["score"].isna())
    rows = np.concatenate([seen, gone])
    with pytest.raises(AnalysisError, match="fold 2 holds 4 observed scores of trial 't', too few"):
        outcomes.imputation.check_thin(rows, "the training part of fold 2")


def test_nothing_needs_imputing_where_nothing_is_missing() -> None:
    wide = make_drop_out().dropna().reset_index(drop=True)
    outcomes = derive(make_tables(wide.drop(columns="w2")))
    drawn = complete(outcomes)
    assert (drawn == outcomes.frame["responded"].to_numpy()).all()


def test_a_sustained_response_is_imputed_at_both_weeks() -> None:
    wide = make_drop_out(n=200, effect=20.0)
    wide["w12"] = wide["w6"] - 1
    wide.loc[wide.index % 4 == 0, "w12"] = np.nan
    outcomes = derive(make_tables(wide), sustained={"week": 12.0, "window": (11.0, 13.0)})
    drawn = complete(outcomes).mean(axis=0)
    active = (wide["arm"] == "active").to_numpy()
    failed = outcomes.frame["responded"] == 0
    assert (drawn[failed] == 0).all()
    unknown = outcomes.frame["responded"].isna().to_numpy()
    assert drawn[unknown & active].mean() > 0.5 > drawn[unknown & ~active].mean()


def test_scores_set_aside_after_an_event_are_imputed() -> None:
    wide = make_drop_out(n=100)
    wide["stopped"] = np.where(wide.index % 5 == 0, 3.0, np.nan)
    event = {"rescue": {"strategy": "hypothetical", "of": "stopped"}}
    outcomes = derive(make_tables(wide), intercurrent=event)
    set_aside = (wide["stopped"].notna()).to_numpy()
    assert (outcomes.frame["basis"][set_aside] == "to_impute").all()
    assert outcomes.frame["score"][set_aside].isna().all()
    # They did not leave the trial: no delta is added to theirs.
    shifted = derive(
        make_tables(wide), intercurrent=event, missing={"strategy": "delta", "points": 5.0}
    )
    assert shifted.imputation is not None
    there = set_aside & wide["w6"].notna().to_numpy()
    assert (shifted.imputation.shift[there] == 0).all()
    assert (shifted.imputation.shift[wide["w6"].isna().to_numpy()] == 5).all()


def test_who_has_no_baseline_is_left_out_and_not_imputed() -> None:
    wide = make_drop_out()
    wide.loc[:3, "w0"] = np.nan
    outcomes = derive(make_tables(wide))
    assert outcomes.left_out == {"no baseline score": 4}
    assert not outcomes.is_analysed[:4].any()


def make_related(random: np.random.Generator, n: int = 600) -> tuple[pd.DataFrame, np.ndarray]:
    """Response follows a feature that no visit tells of; two in five leave at random."""
    feature = random.normal(size=n)
    w0 = random.normal(24, 3, n)
    w2 = w0 - 6 + random.normal(0, 3, n)
    w6 = 0.3 * w0 + 0.5 * w2 - 3 * feature + random.normal(0, 3, n)
    gone = random.random(n) < 0.4
    return pd.DataFrame({"w0": w0, "w2": w2, "w6": w6}).assign(gone=gone), feature


def test_the_relation_with_a_covariate_is_kept_in_what_is_drawn() -> None:
    # Truth: everybody's own response. Draws that do not know of the feature weaken its relation.
    random = np.random.default_rng(12)
    told, untold, truth = [], [], []
    for _ in range(20):
        wide, feature = make_related(random)
        truth.append(np.corrcoef(wide["w6"] <= 0.5 * wide["w0"], feature)[0, 1])
        seen = wide.assign(w6=wide["w6"].where(~wide["gone"])).drop(columns="gone")
        imputation = derive(make_tables(seen)).imputation
        everybody = np.arange(len(seen))
        for found, covariates in ((told, feature[:, None]), (untold, None)):
            drawn = imputation.complete(everybody, np.random.SeedSequence(1), covariates)
            found.append(np.mean([np.corrcoef(each, feature)[0, 1] for each in drawn]))
    error = np.std(np.subtract(told, truth)) / 20**0.5
    assert np.mean(told) == pytest.approx(np.mean(truth), abs=4 * error)
    assert error < 0.01
    assert np.mean(untold) < np.mean(truth) - 0.1


def test_covariates_with_gaps_that_do_not_vary_or_find_no_room_leave_every_set_whole() -> None:
    wide = make_drop_out(n=80)
    draw = np.random.default_rng(2)
    covariates = draw.normal(size=(80, 40))
    covariates[:, 0] = 1.0
    covariates[::3, 1:] = np.nan
    imputation = derive(make_tables(wide)).imputation
    drawn = imputation.complete(np.arange(80), np.random.SeedSequence(3), covariates)
    assert set(np.unique(drawn)) <= {0, 1}
    # An arm's 28 observed scores carry nine predictors: three visits, and the first six others.
    fewer = imputation.complete(np.arange(80), np.random.SeedSequence(3), covariates[:, :20])
    np.testing.assert_array_equal(drawn, fewer)
