"""Every estimator says how its attributions are computed."""

import pytest

from glabella.analysis.attribution_methods import describe_attributions
from glabella.analysis.definition import ExplanationDefinition
from glabella.models.estimators import ESTIMATORS, find_estimator
from glabella.models.estimators.interface import ResponderModel

BY_DEFAULT = ExplanationDefinition()
AGAINST = ExplanationDefinition(values="interventional", background=50)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_has_a_sentence(name):
    assert describe_attributions(name, BY_DEFAULT) == find_estimator(name).attribution_method


def test_the_sentence_has_no_default():
    assert not hasattr(ResponderModel, "attribution_method")


def test_the_sentence_is_of_the_estimator():
    assert "XGBoost" in describe_attributions("xgboost", BY_DEFAULT)
    assert "training mean" in describe_attributions("ridge", BY_DEFAULT)
    assert "shared in halves" in describe_attributions("treatment_interaction", BY_DEFAULT)
    assert "members' SHAP values" in describe_attributions("ensemble", BY_DEFAULT)


def test_rates_are_steps_whatever_is_asked_for():
    steps = "steps from the overall rate to the rate of the cell"
    assert describe_attributions("arm_only", BY_DEFAULT) == steps
    assert describe_attributions("arm_only", AGAINST) == steps


def test_interventional_values_name_the_background():
    assert "against 50 training participants" in describe_attributions("xgboost", AGAINST)
