"""The endpoint's rule, participant by participant: a scale may decide the cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.dictionary import Variable
from glabella.data.endpoints.rules.interface import RuleSettings, VisitRule
from glabella.data.endpoints.visits import Visits
from glabella.domain.endpoints import Rule

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ScoreRule:
    """A rule for each participant.

    Parameters
    ----------
    rules : tuple of Rule
        The distinct rules.
    which : array of int, shape (n_participants,)
        The position of each participant's.
    """

    rules: tuple[Rule, ...]
    which: npt.NDArray[np.intp]

    def judge(self, baseline: Floats, score: Floats, people: npt.ArrayLike | None = None) -> Floats:
        """Put scores to the rule.

        Returns
        -------
        array of float, shape (n,)
            1, 0, or NaN where a score is missing, or a baseline that the rule needs.
        """
        which = self.which if people is None else self.which[np.asarray(people)]
        judged = np.full(len(score), np.nan)
        for position, rule in enumerate(self.rules):
            can = (which == position) & ~np.isnan(score)
            if rule.needs_baseline:
                can &= ~np.isnan(baseline)
            if rule.is_relative:
                can &= ~(baseline <= 0)
            judged[can] = rule.judge(baseline[can], score[can])
        return judged

    def find_margins(self, baseline: Floats, score: Floats) -> Floats:
        """Find how far beyond each participant's threshold of response their score lies.

        Returns
        -------
        array of float, shape (n_participants,)
            Points, not below zero for responders; NaN where `judge` gives NaN.
        """
        margins = np.full(len(score), np.nan)
        for position, rule in enumerate(self.rules):
            of_rule = self.which == position
            margins[of_rule] = rule.find_margin(baseline[of_rule], score[of_rule])
        return np.where(np.isnan(self.judge(baseline, score)), np.nan, margins)

    def find_lost(self, baseline: Floats, visits: Visits) -> Bools:
        """Find who did not meet the rule at some visit.

        Returns
        -------
        array of bool, shape (n_participants,)
            True where at least one visit fails.
        """
        person = visits.rows["person"].to_numpy()
        met = self.judge(baseline[person], visits.rows["aval"].to_numpy(dtype=float), person)
        lost = np.zeros(visits.n, dtype=bool)
        lost[person[met == 0]] = True
        return lost


def find_margins(
    variable: Variable, people: pd.DataFrame, scores: pd.DataFrame, rule: ScoreRule
) -> Floats:
    """Find how far beyond the threshold of response scores lie, on a footing for all scales.

    Returns
    -------
    array of float, shape (n_participants,)
        Proportions of the scale's range, not below zero for responders; NaN without a score.
    """
    named = people["scale"] if "scale" in people else pd.Series([None] * len(people))
    if variable.type == "score":
        widths = {
            name: scale.maximum - scale.minimum
            for name in set(named)
            for scale in [variable.find_scale(None if pd.isna(name) else str(name))]
        }
        width = named.map(widths.get).to_numpy(dtype=float)
    else:
        low, high = variable.range or (0.0, 1.0)
        width = np.full(len(people), high - low)
    margins = rule.find_margins(scores["baseline"].to_numpy(), scores["score"].to_numpy())
    return np.asarray(margins / width, dtype=float)


def make_score_rule(
    method: VisitRule, stated: RuleSettings, variable: Variable, people: pd.DataFrame
) -> ScoreRule:
    """Make the rule of each participant."""
    n = len(people)
    named = people["scale"] if "scale" in people else pd.Series([None] * n, index=people.index)
    codes, names = pd.factorize(named.astype(object), use_na_sentinel=False)
    scales = [None if pd.isna(name) else str(name) for name in names]
    rules = method.make_rules(stated, variable, scales)
    which = codes if len(rules) > 1 else np.zeros(n, dtype=np.intp)
    return ScoreRule(rules, which.astype(np.intp))
