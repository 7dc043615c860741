"""What each registered rule makes of its settings."""

import pytest

from glabella.data.dictionary import Variable
from glabella.data.endpoints.rules import RULES
from glabella.data.endpoints.rules.interface import RuleSettings
from glabella.domain.endpoints import ResponseRule, ThresholdRule
from glabella.errors import AnalysisError, DefinitionError

SCORE = Variable(label="T", type="score", scale="by_trial", timing="visit")


def make(rule, **settings):
    return RuleSettings(rule=rule, of="total", **settings)


def test_a_response_is_by_half_unless_it_is_stated():
    rule = RULES["response"]
    assert rule.find_fixed(make("response")) == ResponseRule(0.5)
    assert rule.find_fixed(make("response", points=4.0)) == ResponseRule(points=4.0)
    assert rule.is_relative(make("response", fraction=0.3))
    assert not rule.is_relative(make("response", points=4.0))


def test_a_fraction_goes_with_several_scales_and_points_do_not():
    rule, scales = RULES["response"], ["hamd17", "madrs"]
    assert rule.make_rules(make("response"), SCORE, scales) == (ResponseRule(0.5),)
    with pytest.raises(AnalysisError, match="points would be compared"):
        rule.make_rules(make("response", points=4.0), SCORE, scales)
    with pytest.raises(AnalysisError, match="points would be compared"):
        RULES["threshold"].make_rules(make("threshold", at_most=7.0), SCORE, scales)


def test_remission_has_the_cut_of_each_scale():
    made = RULES["remission"].make_rules(make("remission"), SCORE, ["hamd17", "madrs"])
    assert made == (ThresholdRule(at_most=7), ThresholdRule(at_most=10))
    assert RULES["remission"].find_fixed(make("remission")) is None


def test_a_rule_for_scores_refuses_a_variable_that_is_recorded_once():
    once = Variable(label="T", type="number", range=(0, 9), timing="end")
    for name, rule in RULES.items():
        if rule.is_of_visits:
            with pytest.raises(DefinitionError, match="is not assessed at visits"):
                rule.check_variable(make(name), once, lambda key: key)
