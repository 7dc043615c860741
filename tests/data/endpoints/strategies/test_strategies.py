"""What each registered strategy declares, and which settings go with which."""

import math

import pytest
from pydantic import ValidationError

from glabella.data.endpoints.strategies import STRATEGIES
from glabella.data.endpoints.strategies.definition import MissingDefinition

STATED = {
    "observed_only": {},
    "non_responder": {},
    "last_observation": {},
    "multiple_imputation": {"imputations": 3},
    "delta": {"points": 2.0},
}


def test_only_one_strategy_counts_the_missing_as_no_response():
    assert [name for name, strategy in STRATEGIES.items() if strategy.is_no_response] == [
        "non_responder"
    ]


def test_who_is_excluded_is_excluded_for_a_reason():
    for strategy in STRATEGIES.values():
        stays_unknown = math.isnan(strategy.unknown_response)
        is_excluded = stays_unknown and strategy.unknown_basis == "no_score"
        assert (strategy.exclusion is not None) == is_excluded


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_takes_its_own_settings_and_no_others(name):
    made = MissingDefinition.model_validate({"strategy": name, **STATED[name]})
    assert made.method is STRATEGIES[name]
    assert made.describe().startswith(made.method.words)
    for key in {"imputations", "points", "percent_of_range"} - set(made.method.settings):
        with pytest.raises(ValidationError, match=f"`{key}` goes with"):
            MissingDefinition.model_validate({"strategy": name, **STATED[name], key: 4})


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_that_its_name_does_not_state_is_refused_without_settings(name):
    if STRATEGIES[name].needs_settings:
        with pytest.raises(ValidationError):
            MissingDefinition(strategy=name)
    else:
        assert MissingDefinition(strategy=name).name == name
