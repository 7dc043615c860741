"""The stated probability of response is the probability of response."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import binomtest, kstest, norm

from glabella.simulation.effects import weight_effects
from glabella.simulation.generate import TrialDraw, draw_trials
from glabella.simulation.limits import tabulate_limits
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.mechanism import BetweenTrials, Effect, Individual

from .conftest import SCENARIOS, enlarge, read

N = 40_000
TRIALS = [(name, trial.id) for name in SCENARIOS for trial in read(name).trials]


def find_response(drawn: TrialDraw, week: float) -> np.ndarray:
    """Response by the definition, of everybody, whether or not they were still seen."""
    at = drawn.trial.weeks.index(week)
    total = drawn.scores["depression_total"]
    return total[:, at] <= total[:, 0] / 2


def own(drawn: TrialDraw, what: str) -> np.ndarray:
    return np.where(drawn.is_active, drawn.truth[f"{what}_active"], drawn.truth[f"{what}_control"])


@pytest.mark.parametrize(("name", "trial"), TRIALS)
def test_responders_are_as_many_as_the_stated_probabilities_say(name: str, trial: str) -> None:
    scenario = enlarge(read(name), trial, N)
    [drawn] = draw_trials(scenario, seed=7)
    responded = find_response(drawn, scenario.endpoint_week)
    probability = own(drawn, "probability")
    for active in (True, False):
        arm = drawn.is_active == active
        # In tenths of the stated probability, in each of which z is standard normal.
        edges = np.quantile(probability[arm], np.linspace(0, 1, 11)[1:-1])
        tenth = np.digitize(probability[arm], edges)
        for part in np.unique(tenth):
            p, y = probability[arm][tenth == part], responded[arm][tenth == part]
            z = (y.sum() - p.sum()) / np.sqrt((p * (1 - p)).sum())
            assert abs(z) < 4.5, (name, trial, active, part)


@pytest.mark.parametrize("name", ["bont_pooled", "predictive", "illusory", "no_signal"])
def test_the_known_probability_is_calibrated_where_trials_have_many_sites(name: str) -> None:
    # The rule does not know the site, so over few sites it is right only on average over draws.
    scenario = read(name)
    first = scenario.trials[0].id
    [trial] = enlarge(scenario, first, N).trials
    many = scenario.model_copy(update={"trials": (trial.model_copy(update={"sites": 4000}),)})
    [drawn] = draw_trials(many, seed=3)
    responded, known = find_response(drawn, scenario.endpoint_week), own(drawn, "known")
    for active in (True, False):
        arm = drawn.is_active == active
        tenth = np.digitize(known[arm], np.quantile(known[arm], np.linspace(0, 1, 11)[1:-1]))
        for part in np.unique(tenth):
            k, y = known[arm][tenth == part], responded[arm][tenth == part]
            z = (y.sum() - k.sum()) / np.sqrt((k * (1 - k)).sum())
            # Sites share their effect, which widens the spread a little.
            assert abs(z) < 5, (name, active, part)


def test_the_known_probability_averages_over_unseen_agitation() -> None:
    """In a trial without items the rule must not know agitation, and be right all the same."""
    scenario = enlarge(read("bont_pooled"), "onadep2024", N)
    [drawn] = draw_trials(scenario, seed=5)
    responded, known = find_response(drawn, 6), own(drawn, "known")
    grade = drawn.values["agitation"]
    arm = drawn.is_active
    by_grade = [responded[arm & (grade == level)].mean() for level in range(4)]
    assert np.all(np.diff(by_grade) > 0.03)
    stated = [known[arm & (grade == level)].mean() for level in range(4)]
    # Agitation goes with severity a little, and that is all that may show.
    assert np.ptp(stated) < 0.05
    assert known[arm].mean() == pytest.approx(responded[arm].mean(), abs=0.01)


def test_the_oracle_s_concordance_is_the_same_by_two_routes() -> None:
    scenario = read("bont_pooled").with_participants(9220)
    trials = draw_trials(scenario, seed=11)
    table = tabulate_limits(trials).set_index(["rule", "trial", "pairs"])["auc"]
    for rule, column in (("oracle", "probability"), ("known", "known")):
        agreeing = total = 0.0
        for drawn in trials:
            responded, rank = find_response(drawn, 6), own(drawn, column)
            cohort = np.array([arm.cohort for arm in drawn.trial.arms])[drawn.arm]
            for name in drawn.trial.cohorts:
                mine = drawn.is_active & (cohort == name)
                cases, others = rank[mine & responded], rank[mine & ~responded]
                apart = cases[:, None] - others[None, :]
                agreeing += (apart > 0).sum() + (apart == 0).sum() / 2
                total += apart.size
        # By who responded, against by the probabilities alone; 4,000 treated leave about 0.01.
        assert agreeing / total == pytest.approx(table[rule, "all", "active"], abs=0.02)


def test_the_oracle_s_concordance_is_that_of_the_integral() -> None:
    """With one normal prognostic part the concordance has a closed form to integrate."""
    base = enlarge(read("no_signal"), "first", N)
    effects = {"severity": Effect(prognostic=0.3)}
    scenario = base.model_copy(
        update={
            "effects": effects,
            "between_trials": BetweenTrials(),
            "individual": Individual(background_sd=0.3, effect_sd=0.0),
        }
    )
    severity = scenario.trials[0].severity.model_copy(update={"low": 1, "high": 52})
    trial = scenario.trials[0].model_copy(update={"severity": severity})
    [drawn] = draw_trials(scenario.model_copy(update={"trials": (trial,)}), seed=2)
    table = tabulate_limits([drawn]).set_index(["rule", "trial", "pairs"])["auc"]

    mean, sd = trial.background, 0.3

    def chance(z: float) -> float:
        return float(ndtr((mean + 0.3 * z - np.log(2)) / sd))

    rate = quad(lambda z: chance(z) * norm.pdf(z), -8, 8)[0]
    inner = quad(
        lambda z: chance(z) * norm.pdf(z)
        * quad(lambda v: (1 - chance(v)) * norm.pdf(v), -8, z)[0], -8, 8,
    )[0]  # fmt: skip
    exact = inner / (rate * (1 - rate))
    assert table["oracle", "first", "control"] == pytest.approx(exact, abs=0.005)


def test_no_signal_states_one_probability_for_each_trial_and_arm() -> None:
    for drawn in draw_trials(read("no_signal"), seed=1):
        for what in ("probability", "known"):
            for role in ("active", "control"):
                assert np.ptp(drawn.truth[f"{what}_{role}"]) < 1e-12


def test_without_signal_no_variable_is_related_to_response() -> None:
    """Each variable's rank test within trial and arm, of outcomes as seen, is uniform."""
    scenario = read("no_signal").with_participants(2600)
    p_values = []
    for seed in range(40):
        for drawn in draw_trials(scenario, seed=seed):
            seen = ~np.isnan(drawn.find_seen("depression_total", 6))
            responded = find_response(drawn, 6)
            variables = {**drawn.values, "baseline": drawn.scores["depression_total"][:, 0]}
            for active in (True, False):
                arm = seen & (drawn.is_active == active)
                for values in variables.values():
                    p_values.append(_test_ranks(values[arm], responded[arm]))
    known = np.array(p_values)[~np.isnan(p_values)]
    assert len(known) > 2000
    assert binomtest(int((known < 0.05).sum()), len(known), 0.05).pvalue > 1e-3
    assert kstest(known, "uniform").pvalue > 1e-3


def _test_ranks(values: np.ndarray, responded: np.ndarray) -> float:
    """A two-sided rank test with the exact variance under ties, smoothed over its steps."""
    from scipy.stats import rankdata

    ranks = rankdata(values)
    n, k = len(ranks), int(responded.sum())
    if k in (0, n) or np.ptp(ranks) == 0:
        return float("nan")
    variance = k * (n - k) / (n * (n - 1)) * ((ranks - ranks.mean()) ** 2).sum()
    z = (ranks[responded].sum() - k * ranks.mean()) / np.sqrt(variance)
    return float(2 * norm.sf(abs(z)))


def test_agitation_changes_the_benefit_where_it_is_predictive_and_not_where_it_is_not() -> None:
    def find_benefit(name: str) -> np.ndarray:
        drawn = draw_trials(enlarge(read(name), "third", N), seed=4)[0]
        # On the probit scale, where an interaction is one.
        active = norm.ppf(drawn.truth["probability_active"])
        control = norm.ppf(drawn.truth["probability_control"])
        grade = drawn.values["agitation"]
        return np.array([(active - control)[grade == level].mean() for level in range(4)])

    assert np.all(np.diff(find_benefit("predictive")) > 0.3)
    # Without an interaction what is left is the larger chance variation of an effect.
    assert np.all(np.diff(find_benefit("prognostic_only")) < 0)


def test_what_predicts_in_one_trial_of_illusory_predicts_the_opposite_in_the_next() -> None:
    trials = draw_trials(read("illusory"), seed=1)
    slopes = [
        np.corrcoef(drawn.values["agitation"], drawn.truth["probability_control"])[0, 1]
        for drawn in trials
    ]
    assert np.sign(slopes).tolist() == [1, -1, 1, -1]
    assert min(np.abs(slopes)) > 0.5
    limits = tabulate_limits(trials).set_index(["rule", "trial", "pairs"])["auc"]
    assert limits["known", "all", "active"] > 0.75


def test_the_later_trial_of_shifted_has_an_ordinary_placebo_response() -> None:
    rates = {}
    scenario = read("shifted").with_participants(3800)
    for seed in range(40):
        for drawn in draw_trials(scenario, seed=seed):
            control = find_response(drawn, 6)[~drawn.is_active]
            rates.setdefault(drawn.trial.id, []).append(control.mean())
    means = {name: float(np.mean(values)) for name, values in rates.items()}
    # Furukawa 2016: 35 to 40 %, here over the trial's random effects.
    assert 0.36 <= means.pop("later") <= 0.39
    assert max(means.values()) < 0.15


def test_a_value_at_its_centre_weighs_nothing() -> None:
    numbers = {"severity": np.array([0.0, 1.0]), "age_years": np.array([49.0, 69.0])}
    effects = {"age_years": Effect(centre=49, unit=10, prognostic=-0.1, predictive=0.3)}
    assert weight_effects(numbers, effects, "prognostic").tolist() == [0.0, -0.2]
    assert weight_effects(numbers, effects, "predictive").tolist() == pytest.approx([0.0, 0.6])


def test_those_who_enter_by_a_high_rating_regress_to_the_mean(bont_pooled: Scenario) -> None:
    [drawn] = draw_trials(enlarge(bont_pooled, "finzi2014", N), seed=9)
    rated, true = drawn.scores["depression_total"][:, 0], drawn.truth["true_severity"]
    assert rated.min() == 26
    # Cut at 26 with a rating error of 12 %, the admitted are rated higher than they are.
    assert 1.03 < rated.mean() / true.mean() < 1.10
