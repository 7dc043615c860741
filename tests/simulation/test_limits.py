"""How well any rule can do in simulated trials, and which variables are what."""

import numpy as np
import pytest

from glabella.simulation.generate import draw_trials
from glabella.simulation.limits import count_expected_pairs, describe_variables, tabulate_limits
from glabella.simulation.scenario.mechanism import Effect

from .conftest import read


def test_expected_pairs_are_counted_as_by_hand() -> None:
    rule, p = np.array([3.0, 1.0, 3.0]), np.array([0.5, 0.2, 0.9])
    agreeing = total = 0.0
    for i in range(3):
        for j in range(3):
            if i != j:
                weight = p[i] * (1 - p[j])
                total += weight
                agreeing += weight * (float(rule[i] > rule[j]) + 0.5 * float(rule[i] == rule[j]))
    assert count_expected_pairs(rule, p) == pytest.approx((agreeing, total))


def test_only_declared_variables_have_a_role() -> None:
    roles = describe_variables(read("predictive")).query("studyid == 'first'")
    found = roles.set_index("variable")["role"].to_dict()
    assert {name for name, role in found.items() if role != "neither"} == {
        "agitation", "illness_months", "severity",
    }  # fmt: skip
    assert found["agitation"] == "predictive"
    assert found["illness_months"] == found["severity"] == "prognostic"
    none = describe_variables(read("no_signal"))
    assert set(none["role"]) == {"neither"}
    pooled = describe_variables(read("bont_pooled")).query("variable == 'frown_max'")
    assert set(pooled["through"]) == {"unblinding"}


def test_an_interaction_with_both_arms_is_with_neither() -> None:
    """Where the control is a treatment too, what changes both effects changes no benefit."""
    scenario = read("active_control")
    both = scenario.model_copy(update={"effects": {"agitation": Effect(predictive=0.3)}})
    roles = describe_variables(both).set_index("variable")["role"]
    assert roles["agitation"] == "prognostic"
    silent = scenario.unblinding.model_copy(update={"guess": (0.5, 0.5, 0.5, 0.5)})
    blind = describe_variables(scenario.model_copy(update={"unblinding": silent}))
    assert blind.set_index("variable")["role"]["frown_max"] == "neither"


def test_the_limits_are_of_two_rules_over_each_trial_and_all_of_them() -> None:
    trials = draw_trials(read("bont_pooled"), seed=1)
    table = tabulate_limits(trials)
    assert len(table) == 2 * 3 * (len(trials) + 1)
    auc = table.set_index(["rule", "trial", "pairs"])["auc"]
    assert auc["oracle", "all", "active"] > auc["known", "all", "active"] > 0.5


def test_where_no_pair_can_be_expected_there_is_no_limit() -> None:
    [drawn, *_] = draw_trials(read("no_signal"), seed=1)
    for name in ("probability", "known"):
        drawn.truth[f"{name}_active"][:] = 1.0
    auc = tabulate_limits([drawn]).set_index(["rule", "trial", "pairs"])["auc"]
    assert np.isnan(auc["oracle", "all", "active"])
    assert not np.isnan(auc["oracle", "all", "control"])
