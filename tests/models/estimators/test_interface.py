"""Each estimator among scikit-learn's own."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from glabella.features.spec import FeatureSpec
from glabella.models.estimators import ESTIMATORS, find_estimator, name_estimator

# The others ask for an arm, or for the endpoint's own variable at baseline, by name.
BY_NUMBERS = [
    name
    for name in ESTIMATORS
    if not (find_estimator(name).needs_arm or find_estimator(name).needs_severity)
]


@parametrize_with_checks([find_estimator(name)() for name in BY_NUMBERS])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learns_checks_are_passed(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimators_name_is_found_again(name):
    assert name_estimator(find_estimator(name)()) == name


@pytest.mark.parametrize("name", BY_NUMBERS)
def test_an_infinite_value_is_refused_by_its_features_name(name):
    spec = FeatureSpec("age", "Age", "number")
    frame = pd.DataFrame({"age": [1.0, 2.0, np.inf, 4.0] * 5})
    with pytest.raises(ValueError, match="the feature age holds infinite values"):
        find_estimator(name)(specs=(spec,)).fit(frame, [0, 1] * 10)
