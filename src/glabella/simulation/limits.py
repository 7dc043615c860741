"""How well any rule can do in simulated trials, and which variables are what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.simulation.effects import list_terms
from glabella.simulation.generate import TrialDraw
from glabella.simulation.scenario.definition import SEVERITY, VARIABLES, Scenario
from glabella.simulation.scenario.trials import ScenarioTrial

# Variables that stand in the data as an item of the Hamilton scale.
ITEMS_OF = {"hamd09": "agitation"}

Floats = npt.NDArray[np.float64]


def count_expected_pairs(rule: Floats, probability: Floats) -> tuple[float, float]:
    """Count the pairs of a responder and another that can be expected, and those that agree.

    Returns
    -------
    tuple of float
        Expected agreeing pairs, a tie counting one half, and expected pairs.

    Examples
    --------
    >>> count_expected_pairs(np.array([1.0, 2.0]), np.array([0.0, 1.0]))
    (1.0, 1.0)
    """
    order = np.argsort(rule, kind="stable")
    responds, fails = probability[order], 1.0 - probability[order]
    groups = np.concatenate([[0], np.cumsum(np.diff(rule[order]) != 0)])
    by_group = np.bincount(groups, weights=responds)
    not_by_group = np.bincount(groups, weights=fails)
    below = np.concatenate([[0.0], np.cumsum(not_by_group)[:-1]])
    # Nobody is in a pair with oneself.
    own = np.bincount(groups, weights=responds * fails)
    agreeing = float(by_group @ below + (by_group @ not_by_group - own.sum()) / 2.0)
    pairs = float(responds.sum() * fails.sum() - own.sum())
    return agreeing, pairs


def tabulate_limits(trials: Sequence[TrialDraw]) -> pd.DataFrame:
    """Tabulate the concordance that can be expected of two rules.

    Returns
    -------
    DataFrame
        ``rule``: the ``oracle`` ranks by the true chance of response, ``known`` by the chance to
        who knows the baseline table alone. ``trial``: each, and ``all`` for pairs within trials.
        ``pairs``: ``active`` (the headline), ``control``, or ``both arms`` of a trial together.
        ``auc`` is NaN where no pair can be expected.
    """
    rows = []
    for rule, column in (("oracle", "probability"), ("known", "known")):
        for scope in ("active", "control", "both arms"):
            totals = np.zeros(2)
            for drawn in trials:
                counted = np.sum(list(_count(drawn, column, scope)), axis=0)
                totals += counted
                rows.append((rule, drawn.trial.id, scope, *counted))
            rows.append((rule, "all", scope, *totals))
    frame = pd.DataFrame(rows, columns=["rule", "trial", "pairs", "agreeing", "expected"])
    frame["auc"] = frame["agreeing"] / frame["expected"].where(frame["expected"] > 0)
    return frame[["rule", "trial", "pairs", "auc"]]


def _count(drawn: TrialDraw, column: str, scope: str) -> Iterable[tuple[float, float]]:
    active = drawn.is_active
    # If values are missing by response, which are missing is part of all that can be known.
    whole = "expected" if "expected_active" in drawn.truth else "probability"
    ranked = whole if column == "probability" else column
    own = {
        name: np.where(active, drawn.truth[f"{name}_active"], drawn.truth[f"{name}_control"])
        for name in (whole, ranked)
    }
    cohort = np.array([one.cohort for one in drawn.trial.arms])[drawn.arm]
    for name in drawn.trial.cohorts:
        mine = cohort == name
        if scope != "both arms":
            mine &= active == (scope == "active")
        if mine.any():
            yield count_expected_pairs(own[ranked][mine], own[whole][mine])


def tabulate_arms(scenario: Scenario, trials: Sequence[TrialDraw]) -> pd.DataFrame:
    """Tabulate what is true of each arm of simulated trials.

    Returns
    -------
    DataFrame
        One row a trial and arm: ``studyid``, ``cohort``, ``arm``, ``role``; ``background`` and
        ``effect``, the trial's random effects included; ``asked``, the scenario's response rate
        in a trial without random effects, NaN if none is stated; ``expected``, the mean of the
        true chances of response of the cohort's participants under the arm; and ``left``, the
        proportion of the arm that has left by the endpoint.
    """
    rows = []
    for drawn in trials:
        cohort = np.array([one.cohort for one in drawn.trial.arms])[drawn.arm]
        stays = drawn.stays[:, drawn.trial.weeks.index(scenario.endpoint_week)]
        for at, (arm, effect) in enumerate(zip(drawn.trial.arms, drawn.effects.arms, strict=True)):
            rows.append(
                {
                    "studyid": drawn.trial.id,
                    "cohort": arm.cohort,
                    "arm": arm.code,
                    "role": arm.role,
                    "background": drawn.effects.background,
                    "effect": effect,
                    "asked": np.nan if arm.response_rate is None else arm.response_rate,
                    "expected": drawn.truth[f"probability_{arm.role}"][cohort == arm.cohort].mean(),
                    "left": 1.0 - stays[drawn.arm == at].mean(),
                }
            )
    return pd.DataFrame(rows)


def tabulate_sites(trials: Sequence[TrialDraw], names: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Tabulate what is true of each site of simulated trials.

    Parameters
    ----------
    trials : sequence of TrialDraw
        The trials.
    names : sequence of sequence of str
        The names of each trial's sites.

    Returns
    -------
    DataFrame
        One row a trial and site: ``studyid``, ``siteid``; ``effect``, on the logarithm of the fall
        in every arm; and for each variable that is tied to sites the deviate that participants of
        the site share, NaN in trials in which it is not.
    """
    rows = [
        {
            "studyid": drawn.trial.id,
            "siteid": name,
            "effect": drawn.effects.sites[at],
            **{variable: deviates[at] for variable, deviates in drawn.effects.tied.items()},
        }
        for drawn, of_trial in zip(trials, names, strict=True)
        for at, name in enumerate(of_trial)
    ]
    return pd.DataFrame(rows)


def describe_variables(scenario: Scenario) -> pd.DataFrame:
    """Say which variables are prognostic, predictive or neither.

    Returns
    -------
    DataFrame
        One row a trial and variable: ``prognostic`` and ``predictive``, the weights a unit of its
        linear effect on the logarithm of the fall; ``role``; and ``through``, what carries the
        role: an effect or another term of its own, the error of the baseline rating, or the frown
        that shows which arm it is. A variable that is only correlated with another has no role of
        its own.
    """
    rows = []
    for trial in scenario.trials:
        effects = scenario.find_effects(trial)
        # Where both arms of a cohort have an effect of their own, an interaction is with neither.
        has_contrast = any(arm.role == "control" and arm.effect == 0 for arm in trial.arms)
        for name in (SEVERITY, *VARIABLES, *scenario.nominal):
            effect = effects.get(name)
            prognostic = effect.prognostic / effect.unit if effect else 0.0
            predictive = effect.predictive / effect.unit if effect else 0.0
            through = ["an effect"] if prognostic or predictive else []
            terms = [term for term in list_terms(scenario, trial) if name in term.variables]
            through += dict.fromkeys(term.through for term in terms)
            interacts = predictive != 0.0 or any(term.predictive for term in terms)
            is_predictive = interacts and has_contrast
            is_prognostic = (
                prognostic != 0.0
                or any(term.prognostic for term in terms)
                or (interacts and not has_contrast)
            )
            if name == SEVERITY and scenario.rating_error > 0:
                is_prognostic = True
                through.append("regression to the mean")
            if name == "frown_max" and _is_revealing(scenario, trial):
                is_predictive = True
                through.append("unblinding")
            rows.append(
                {
                    "studyid": trial.id,
                    "variable": name,
                    "prognostic": prognostic,
                    "predictive": predictive,
                    "role": _name_role(is_prognostic, is_predictive),
                    "through": ", ".join(through),
                }
            )
    return pd.DataFrame(rows)


def _is_revealing(scenario: Scenario, trial: ScenarioTrial) -> bool:
    """Whether the frown before injection says how likely belief in the active arm is."""
    unblinding = scenario.unblinding
    chances = unblinding.find_chance(np.arange(4.0), relaxes=True)
    relaxes = any(arm.relaxes_frown and arm.guess is None for arm in trial.arms)
    return relaxes and unblinding.effect != 0 and bool(np.ptp(chances) > 0)


def _name_role(is_prognostic: bool, is_predictive: bool) -> str:
    if is_predictive:
        return "prognostic and predictive" if is_prognostic else "predictive"
    return "prognostic" if is_prognostic else "neither"
