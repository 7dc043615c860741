"""The endpoint's rule, participant by participant: a scale may decide the cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.dictionary import Variable
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.visits import Visits
from glabella.domain.endpoints import Rule
from glabella.errors import AnalysisError

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

        Parameters
        ----------
        baseline, score : array of float, shape (n,)
            Before treatment and at the visit.
        people : array of int, shape (n,), optional
            Whose they are; all participants in order unless stated.

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

        Parameters
        ----------
        baseline, score : array of float, shape (n_participants,)
            Before treatment and at the endpoint.

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

        Parameters
        ----------
        baseline : array of float, shape (n_participants,)
            Before treatment.
        visits : Visits
            The visits that count.

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
    endpoint: EndpointDefinition,
    variable: Variable,
    people: pd.DataFrame,
    scores: pd.DataFrame,
    rule: ScoreRule,
) -> Floats | None:
    """Find how far beyond the threshold of response scores lie, on a footing for all scales.

    Parameters
    ----------
    endpoint : EndpointDefinition
        The endpoint.
    variable : Variable
        Its variable, with its scale or range.
    people : DataFrame
        The participants, with the ``scale`` where the trial decides.
    scores : DataFrame
        Their ``baseline`` and ``score`` at the endpoint.
    rule : ScoreRule
        The rule of each.

    Returns
    -------
    array of float, shape (n_participants,), or None
        Shares of the scale's range, not below zero for responders; NaN without a score. None
        where a later visit has a say: a single score does not decide then.
    """
    if endpoint.sustained is not None:
        return None
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
    endpoint: EndpointDefinition, variable: Variable, people: pd.DataFrame
) -> ScoreRule:
    """Make the rule of each participant.

    Parameters
    ----------
    endpoint : EndpointDefinition
        The endpoint.
    variable : Variable
        Its variable, with its scale.
    people : DataFrame
        The participants, with the ``scale`` where the trial decides.

    Returns
    -------
    ScoreRule
        For remission by each participant's scale, else the same for all.

    Raises
    ------
    AnalysisError
        If a scale has no published cut for remission, or a threshold in points would be put to
        several scales.
    """
    n = len(people)
    named = people["scale"] if "scale" in people else pd.Series([None] * n, index=people.index)
    codes, names = pd.factorize(named.astype(object), use_na_sentinel=False)
    several = variable.scale == "by_trial" and len(names) > 1
    if endpoint.rule != "remission":
        if several and (endpoint.rule == "threshold" or endpoint.points is not None):
            raise AnalysisError(
                "points would be compared between totals of different scales",
                place=f"endpoint of '{endpoint.of}'",
                remedy="Take `rule: remission` or a `fraction`, or pool trials of one scale.",
            )
        return ScoreRule((endpoint.find_rule(None),), np.zeros(n, dtype=np.intp))
    if variable.type != "score":
        raise AnalysisError(
            f"'{endpoint.of}' is not the total of a rating scale, so no cut says what remission is",
            place=f"endpoint of '{endpoint.of}'",
            remedy="Take `rule: threshold` with the cut that you mean.",
        )
    rules = []
    for name in names:
        scale = variable.find_scale(None if pd.isna(name) else str(name))
        if scale.remission_at_most is None:
            raise AnalysisError(
                f"no cut for remission is published for {scale.label}",
                place=f"endpoint of '{endpoint.of}'",
                remedy="Take `rule: threshold` with the cut that you mean, or leave the trial out.",
            )
        rules.append(endpoint.find_rule(scale.remission_at_most))
    return ScoreRule(tuple(rules), codes.astype(np.intp))
