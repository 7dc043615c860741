"""Features centred within trial: what is learnt is of differences inside trials alone."""

import json

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit

from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project
from glabella.errors import DefinitionError
from glabella.features.spec import FeatureSpec
from glabella.models.build import build_model, export_model, restore_model
from glabella.models.candidate import Candidate
from glabella.models.encoding import Encoding, fit_encoding

X = FeatureSpec("x", "X", "number")
SEX = FeatureSpec("s", "Sex", "category", levels={"F": "female", "M": "male"})
ARM = FeatureSpec("arm", "Arm", "category", part="arm", levels={"a": "A", "c": "C"})
TRIAL = FeatureSpec("studyid", "Trial", "category", part="trial", levels={"T1": "T1", "T2": "T2"})
SPECS = (X, SEX, ARM, TRIAL)


@pytest.fixture
def confounded():
    """In each trial response falls with x; the trial with the higher x has the higher rate."""
    draw = np.random.default_rng(8)
    n = 4000
    trial = np.repeat(["T1", "T2"], n // 2)
    x = draw.normal(size=n) + np.where(trial == "T1", 0.0, 4.0)
    log_odds = np.where(trial == "T1", -2.0 - x, 6.0 - x)
    frame = pd.DataFrame(
        {
            "x": x,
            "s": pd.Categorical(draw.choice(["F", "M"], n), categories=["F", "M"]),
            "arm": pd.Categorical(draw.choice(["a", "c"], n), categories=["a", "c"]),
            "studyid": pd.Categorical(trial, categories=["T1", "T2"]),
        }
    )
    return frame, (draw.random(n) < expit(log_odds)).astype(int)


def _candidate(estimator="ridge", **settings):
    return Candidate(
        kind="candidate", description="x", estimator=estimator, settings={"c": 1e4, **settings}
        if estimator == "ridge" else settings,
    )  # fmt: skip


def _slope(model):
    [column] = [item for item in model.encoding_.columns if item.feature == "x"]
    at = model.encoding_.columns.index(column)
    return model.coefficients_[at] / column.scale


def test_centred_the_slope_is_that_inside_trials_and_not_between_them(confounded):
    frame, responded = confounded
    plain = build_model(_candidate(), SPECS, random_state=0).fit(frame, responded)
    centred = build_model(_candidate(centring="trial"), SPECS, random_state=0)
    centred.fit(frame, responded)
    by_hand = frame["x"] - frame.groupby("studyid", observed=True)["x"].transform("mean")
    design = np.column_stack(
        [np.ones(len(frame)), by_hand,
         *[(frame[name] == level) - (frame[name] == level).groupby(frame["studyid"],
           observed=True).transform("mean") for name, level in (("s", "M"),)],
         frame["arm"] == "c"]
    )  # fmt: skip
    reference = sm.Logit(responded, design.astype(float)).fit(disp=False)
    assert _slope(centred) == pytest.approx(reference.params[1], rel=1e-3)
    assert _slope(centred) < -0.5 < 0 < _slope(plain)


@pytest.mark.parametrize("trial", ["T3", None])
def test_a_trial_that_is_not_known_lies_at_the_mean_over_trials(confounded, trial):
    frame, responded = confounded
    model = build_model(_candidate(centring="trial"), SPECS, random_state=0).fit(frame, responded)
    means = frame.groupby("studyid", observed=True)["x"].mean()
    rows = frame.head(5).assign(x=means.mean(), studyid=[trial] * 5)
    [column] = [item for item in model.encoding_.columns if item.feature == "x"]
    at = model.encoding_.columns.index(column)
    np.testing.assert_allclose(model.encoding_.transform(rows)[:, at], 0.0, atol=1e-12)


def test_large_trials_do_not_move_the_mean_over_trials(confounded):
    frame, _ = confounded
    small = frame[(frame["studyid"] == "T1") | (np.arange(len(frame)) % 10 == 0)]
    encoding = fit_encoding(small, SPECS[:3], fill_and_scale=True, within="studyid")
    shifts = encoding.columns[0].shifts
    assert shifts["T1"] == pytest.approx(-shifts["T2"])


def test_the_arm_is_not_centred(confounded):
    frame, _ = confounded
    encoding = fit_encoding(frame, SPECS[:3], fill_and_scale=True, within="studyid")
    assert [bool(column.shifts) for column in encoding.columns] == [True, True, False]


@pytest.mark.parametrize("fill_and_scale", [True, False])
def test_it_survives_json(confounded, fill_and_scale):
    frame, _ = confounded
    frame.loc[::7, "x"] = np.nan
    encoding = fit_encoding(frame, SPECS[:3], fill_and_scale=fill_and_scale, within="studyid")
    read = Encoding.restore(json.loads(json.dumps(encoding.export())), SPECS[:3], trial="studyid")
    np.testing.assert_array_equal(read.transform(frame), encoding.transform(frame))


@pytest.mark.parametrize("estimator", ["ridge", "xgboost"])
def test_a_model_comes_back_from_its_files(confounded, estimator):
    frame, responded = confounded
    model = build_model(_candidate(estimator, centring="trial"), SPECS, random_state=0)
    model.fit(frame, responded)
    read = restore_model(export_model(model), SPECS)
    np.testing.assert_array_equal(read.log_odds(frame), model.log_odds(frame))
    plain = build_model(_candidate(estimator), SPECS, random_state=0).fit(frame, responded)
    assert not np.allclose(plain.log_odds(frame), model.log_odds(frame))


def test_a_feature_that_only_tells_trials_apart_has_no_leverage():
    frame = pd.DataFrame(
        {"x": [0.1, 0.1, 0.7, 0.7], "studyid": pd.Categorical(["T1", "T1", "T2", "T2"])}
    )
    encoding = fit_encoding(frame, [X], fill_and_scale=True, within="studyid")
    np.testing.assert_allclose(encoding.transform(frame), 0.0, atol=1e-12)
    assert encoding.columns[0].scale == 1.0


def test_other_words_are_refused(small_project):
    path = small_project / "models" / "ridge.yaml"
    path.write_text(path.read_text() + "settings: {centring: site}\n")
    with pytest.raises(DefinitionError, match="one of 'none', 'trial'"):
        load_analysis("small", find_project(small_project))
