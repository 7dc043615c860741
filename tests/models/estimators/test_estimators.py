"""What every estimator promises: proper probabilities, exact contributions, plain state."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.base import clone

from glabella.errors import AnalysisError, DefinitionError
from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.build import export_model, restore_model
from glabella.models.estimators import ESTIMATORS, find_estimator
from glabella.models.estimators.interface import ResponderModel

Sample = Callable[..., tuple[FeatureTable, np.ndarray]]


def make(name: str, table: FeatureTable, **settings: Any) -> ResponderModel:
    if name == "xgboost":
        settings = {"n_trees": 15, **settings}
    return find_estimator(name)(specs=table.specs, random_state=1, **settings)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("seed", [21, 22])
def test_probabilities_are_proper(sample: Sample, name: str, seed: int) -> None:
    table, responded = sample(seed)
    model = make(name, table).fit(table.frame, responded)
    new, _ = sample(seed + 100)
    both = model.predict_proba(new.frame)
    assert both.shape == (120, 2)
    assert (both > 0).all()
    assert (both < 1).all()
    np.testing.assert_allclose(both.sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_array_equal(both[:, 1], expit(model.log_odds(new.frame)))
    np.testing.assert_array_equal(model.predict(new.frame), (both[:, 1] > 0.5).astype(int))
    assert model.classes_.tolist() == [0, 1]


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("seed", [23, 24])
def test_contributions_add_up_to_the_log_odds(sample: Sample, name: str, seed: int) -> None:
    table, responded = sample(seed)
    model = make(name, table).fit(table.frame, responded)
    new, _ = sample(seed + 100)
    parts = model.contributions(new.frame)
    assert parts.features == ("severity", "age_years", "grade", "sex", "drug", "arm")
    assert parts.values.shape == (120, 6)
    assert parts.scale == ("log odds" if model.is_additive else "probability")
    np.testing.assert_allclose(
        parts.values.sum(axis=1) + parts.base,
        model.log_odds(new.frame) if model.is_additive else model.predict_proba(new.frame)[:, 1],
        rtol=0,
        atol=1e-9,
    )


@pytest.mark.parametrize("name", ESTIMATORS)
def test_interactions_divide_the_contributions(sample: Sample, name: str) -> None:
    table, responded = sample(26)
    model = make(name, table).fit(table.frame, responded)
    parts, pairs = model.contributions(table.frame), model.interactions(table.frame)
    assert pairs.features == parts.features
    assert pairs.scale == parts.scale
    assert pairs.values.shape == (120, 6, 6)
    np.testing.assert_allclose(pairs.values, pairs.values.transpose(0, 2, 1), rtol=0, atol=1e-5)
    np.testing.assert_allclose(pairs.values.sum(axis=2), parts.values, rtol=0, atol=1e-5)


WITHOUT_BACKGROUND = ("explainable_boosting",)


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name not in WITHOUT_BACKGROUND])
def test_against_a_background_values_add_up_and_average_to_nought_there(
    sample: Sample, name: str
) -> None:
    table, responded = sample(27)
    model = make(name, table).fit(table.frame, responded)
    without = model.contributions(table.frame)
    weight = np.linspace(1, 3, 60)
    weight /= weight.sum()
    model.explain_against(table.frame.iloc[:60], weight)
    parts = model.contributions(table.frame)
    wanted = model.log_odds(table.frame)
    if not model.is_additive:
        wanted = expit(wanted)
    np.testing.assert_allclose(parts.values.sum(axis=1) + parts.base, wanted, rtol=0, atol=1e-9)
    if name in ("prevalence", "arm_only"):
        np.testing.assert_array_equal(parts.values, without.values)
        return
    np.testing.assert_allclose(weight @ parts.values[:60], 0, atol=1e-6)
    restored = restore_model(export_model(model), table.specs).contributions(table.frame)
    np.testing.assert_array_equal(restored.values, parts.values)
    # Another fit knows nothing of it.
    again = model.fit(table.frame, responded).contributions(table.frame)
    np.testing.assert_allclose(again.values, without.values, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", WITHOUT_BACKGROUND)
def test_what_has_no_background_says_so(sample: Sample, name: str) -> None:
    table, responded = sample(27)
    model = make(name, table).fit(table.frame, responded)
    with pytest.raises(AnalysisError, match="can't be explained against a background"):
        model.explain_against(table.frame, np.full(120, 1 / 120))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_no_rows_have_no_contributions(sample: Sample, name: str) -> None:
    table, responded = sample(28)
    model = make(name, table).fit(table.frame, responded)
    assert model.contributions(table.frame.iloc[:0]).values.shape == (0, 6)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_contributions_are_the_same_alone_as_among_others(sample: Sample, name: str) -> None:
    table, responded = sample(25)
    model = make(name, table).fit(table.frame, responded)
    whole = model.contributions(table.frame)
    for i in range(0, 120, 17):
        alone = model.contributions(table.frame.iloc[[i]])
        np.testing.assert_array_equal(alone.values[0], whole.values[i])
        assert alone.base[0] == whole.base[i]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_copy_is_unfitted_and_fits_to_the_same_model(sample: Sample, name: str) -> None:
    table, responded = sample(26)
    model = make(name, table).fit(table.frame, responded)
    copy = clone(model)
    assert copy is not model
    assert not hasattr(copy, "classes_")
    assert copy.get_params() == model.get_params()
    copy.fit(table.frame, responded)
    np.testing.assert_array_equal(copy.log_odds(table.frame), model.log_odds(table.frame))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_fit_leaves_its_rows_as_they_were(sample: Sample, name: str) -> None:
    table, responded = sample(27)
    before, outcome = table.frame.copy(), responded.copy()
    make(name, table).fit(table.frame, responded).contributions(table.frame)
    pd.testing.assert_frame_equal(table.frame, before)
    np.testing.assert_array_equal(responded, outcome)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("only", [0, 1])
def test_one_class_only_is_refused(sample: Sample, name: str, only: int) -> None:
    table, _ = sample(28)
    with pytest.raises(ValueError, match="the training rows hold one class only"):
        make(name, table).fit(table.frame, np.full(120, only))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_labels_and_order_of_rows_do_not_matter_to_a_prediction(sample: Sample, name: str) -> None:
    table, responded = sample(29)
    model = make(name, table).fit(table.frame, responded)
    turned = table.frame.iloc[::-1].set_axis([5] * 120, axis=0)
    np.testing.assert_array_equal(model.log_odds(turned)[::-1], model.log_odds(table.frame))


@pytest.mark.parametrize("name", ["arm_only", "severity", "ridge", "xgboost"])
def test_the_trial_is_no_feature_of_a_patient(sample: Sample, name: str) -> None:
    table, responded = sample(30)
    model = make(name, table).fit(table.frame, responded)
    elsewhere = table.frame.assign(studyid="T9")
    np.testing.assert_array_equal(model.log_odds(elsewhere), model.log_odds(table.frame))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_column_that_no_spec_describes_is_not_used(sample: Sample, name: str) -> None:
    table, responded = sample(31)
    with_answer = table.frame.assign(answer=responded.astype(float))
    model = make(name, table).fit(with_answer, responded)
    plain = make(name, table).fit(table.frame, responded)
    np.testing.assert_array_equal(model.log_odds(with_answer), plain.log_odds(table.frame))


@pytest.mark.parametrize("name", ["severity", "ridge", "xgboost"])
@pytest.mark.parametrize("lost", ["age_years", "sex", "severity", "grade", "drug"])
def test_a_feature_missing_or_constant_in_training_does_no_harm(
    sample: Sample, name: str, lost: str
) -> None:
    table, responded = sample(32)
    new, _ = sample(132)
    for value in (None, table.frame[lost].dropna().iloc[0]):
        frame = table.frame.copy()
        is_category = isinstance(frame[lost].dtype, pd.CategoricalDtype)
        frame[lost] = (
            pd.Categorical([value] * 120, categories=frame[lost].cat.categories)
            if is_category
            else np.full(120, np.nan if value is None else value)
        )
        model = make(name, table).fit(frame, responded)
        assert np.isfinite(model.log_odds(new.frame)).all()
        # What never varied in training can have no say.
        without = new.frame.copy()
        without[lost] = frame[lost].to_numpy() if not is_category else frame[lost].array
        np.testing.assert_allclose(
            model.log_odds(new.frame), model.log_odds(without), rtol=0, atol=1e-9
        )


@pytest.mark.parametrize("name", ["ridge", "xgboost"])
def test_with_nothing_to_learn_from_the_overall_rate_is_predicted(name: str) -> None:
    spec = FeatureSpec("sex", "Sex", "category", levels={"F": "female", "M": "male"})
    frame = pd.DataFrame({"sex": pd.Categorical([None] * 10, categories=["F", "M"])})
    responded = np.array([1, 0, 0, 0, 0] * 2)
    model = find_estimator(name)(specs=(spec,), random_state=1).fit(frame, responded)
    probability = model.predict_proba(frame)[:, 1]
    np.testing.assert_allclose(probability, (2 + 0.5) / 11, atol=0.05)
    parts = model.contributions(frame)
    np.testing.assert_array_equal(parts.values, 0)
    np.testing.assert_allclose(parts.base, model.log_odds(frame), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("arm_only", "the analysis declares no arms\n  Declare `arms:`."),
        (
            "severity",
            "the feature set lacks the endpoint's own variable at baseline\n"
            "  Add it with `builder: baseline_score`.",
        ),
    ],
)
def test_what_a_reference_cannot_do_without_is_asked_for(
    sample: Sample, name: str, message: str
) -> None:
    table, responded = sample(33)
    specs = tuple(s for s in table.specs if s.part != "arm" and not s.is_severity)
    with pytest.raises(AnalysisError) as caught:
        find_estimator(name)(specs=specs).fit(table.frame, responded)
    assert str(caught.value) == message


def test_a_misspelt_estimator_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(DefinitionError) as caught:
        find_estimator("xgbost", place="m.yaml:3")
    assert str(caught.value).startswith(
        "m.yaml:3: there is no estimator 'xgbost'\n  Did you mean 'xgboost'?"
    )


def test_a_linear_model_is_made_without_importing_xgboost_shap_or_mlflow(checkout: Path) -> None:
    code = (
        "import sys; from glabella.models.build import restore_model; "
        "from glabella.models.estimators import find_estimator; find_estimator('ridge'); "
        "print([m for m in ('xgboost', 'shap', 'mlflow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(checkout / "src"), "PATH": ""},
    )
    assert done.stdout.strip() == "[]"
