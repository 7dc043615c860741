"""Multiple imputation of missing scores by trial and arm, then put to the endpoint's rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from glabella.data.endpoints.chained import draw_missing
from glabella.data.endpoints.score_rule import ScoreRule
from glabella.errors import AnalysisError

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int_]

# A regression within a trial and arm needs some degrees of freedom for its residual variance;
# arms with fewer observed scores share one regression with an intercept each.
FEWEST_IN_AN_ARM = 10
FEWEST_TO_LEARN_FROM = 5
_OBSERVED_PER_PREDICTOR = 3
_BASELINE, _ENDPOINT = 0, 1


@dataclass(frozen=True)
class OutcomeImputation:
    """Draws what missing outcomes may have been, learnt from whichever participants are given.

    Parameters
    ----------
    count : int
        How many times each missing score is drawn.
    known : array of float, shape (n_participants,)
        The response where it is known, else NaN.
    scores : array of float, shape (n_participants, n_visits)
        Baseline, endpoint, the later week of a sustained response if there is one, then the
        scheduled visits by nearness to the endpoint; NaN where missing.
    n_judged : int
        How many columns after the baseline are put to the rule: one, or two where the response
        must last.
    shift : array of float, shape (n_participants, n_judged)
        What is added to an imputed score: the delta of those who left, else zero.
    trial, arm : array of int, shape (n_participants,)
        Whose regression each participant belongs to.
    rule : ScoreRule
        The endpoint's rule for each participant.
    trials : tuple of str
        The names of the trials, for messages.
    """

    count: int
    known: Floats
    scores: Floats
    n_judged: int
    shift: Floats
    trial: Rows
    arm: Rows
    rule: ScoreRule
    trials: tuple[str, ...]

    def take(self, rows: npt.ArrayLike) -> OutcomeImputation:
        """Take some participants."""
        kept = np.asarray(rows)
        return replace(
            self,
            known=self.known[kept],
            scores=self.scores[kept],
            shift=self.shift[kept],
            trial=self.trial[kept],
            arm=self.arm[kept],
            rule=ScoreRule(self.rule.rules, self.rule.which[kept]),
        )

    def complete(
        self,
        rows: npt.ArrayLike,
        seed: np.random.SeedSequence,
        covariates: Floats | None = None,
    ) -> npt.NDArray[np.int8]:
        """Draw the outcomes of some participants, learning from them alone.

        Returns
        -------
        array of int, shape (count, n)
            1 for responders, 0 for others; where the response is known, the same in each row.

        References
        ----------
        .. [1] Meng XL. Multiple-imputation inferences with uncongenial sources of input. Stat Sci
           1994;9:538-558.
        """
        self.check_thin(rows, "the part to learn from")
        part = self.take(rows)
        random = np.random.default_rng(seed)
        drawn = np.broadcast_to(part.scores, (self.count, *part.scores.shape)).copy()
        for members, targets in part._list_regressions():
            known = None if covariates is None else covariates[members]
            made = part._complete_one(members, random, known)
            drawn[:, targets] = made[:, np.isin(members, targets)]
        responded = np.ones((self.count, len(part.known)))
        for number in range(self.n_judged):
            column = 1 + number
            was_missing = np.isnan(part.scores[:, column])
            drawn[:, was_missing, column] += part.shift[was_missing, number]
            responded *= part._judge(drawn[:, :, _BASELINE], drawn[:, :, column])
        return np.where(np.isnan(part.known), responded, part.known).astype(np.int8)

    def check_thin(self, rows: npt.ArrayLike, part: str) -> None:
        """Refuse participants among whom too few scores of some trial are observed."""
        learning = self.take(rows)
        for trial in np.unique(learning.trial[np.isnan(learning.known)]):
            observed = learning.count_observed(np.flatnonzero(learning.trial == trial))
            if observed < FEWEST_TO_LEARN_FROM:
                raise AnalysisError(
                    f"{part} holds {observed} observed scores of trial '{self.trials[trial]}', "
                    "too few to impute the others from",
                    place="missing `multiple_imputation`",
                    remedy="Ask for more folds, leave the trial out, or take another strategy.",
                )

    def _judge(self, baseline: Floats, score: Floats) -> Floats:
        people = np.tile(np.arange(len(self.known)), self.count)
        judged = self.rule.judge(baseline.ravel(), score.ravel(), people)
        return judged.reshape(baseline.shape)

    def _list_regressions(self) -> Iterator[tuple[Rows, Rows]]:
        """Name who is learnt from together, and whose scores that completes."""
        for trial in np.unique(self.trial[np.isnan(self.known)]):
            members = np.flatnonzero(self.trial == trial)
            small = [np.zeros(0, dtype=int)]
            for arm in np.unique(self.arm[members]):
                of_arm = members[self.arm[members] == arm]
                if self.count_observed(of_arm) < FEWEST_IN_AN_ARM:
                    small.append(of_arm)
                else:
                    yield of_arm, of_arm
            if len(small) > 1:
                yield members, np.sort(np.concatenate(small))

    def count_observed(self, members: Rows) -> int:
        """Count the observed scores that are put to the rule."""
        judged = self.scores[members, _ENDPOINT : _ENDPOINT + self.n_judged]
        return int((~np.isnan(judged)).sum(axis=0).min())

    def _complete_one(
        self, members: Rows, random: np.random.Generator, covariates: Floats | None
    ) -> Floats:
        scores, observed = self.scores[members], self.count_observed(members)
        used = self._choose_columns(scores, observed)
        arms = np.unique(self.arm[members])
        known = (self.arm[members][:, None] == arms[1:]).astype(float)
        room = observed // _OBSERVED_PER_PREDICTOR - len(used) - known.shape[1]
        if covariates is not None and room > 0:
            known = np.hstack([known, _select_varied(covariates)[:, :room]])
        completed = draw_missing(scores[:, used], known, count=self.count, random=random)
        made = np.broadcast_to(scores, (self.count, *scores.shape)).copy()
        made[:, :, used] = completed
        return made

    def _choose_columns(self, scores: Floats, observed: int) -> Rows:
        """Take as many visits as the observed scores can carry, nearest to the endpoint first."""
        judged = 1 + self.n_judged
        room = max(observed // _OBSERVED_PER_PREDICTOR - judged, 0)
        seen = (~np.isnan(scores)).sum(axis=0)
        others = [
            column
            for column in range(judged, scores.shape[1])
            if seen[column] >= FEWEST_TO_LEARN_FROM
        ]
        return np.array([*range(judged), *others[:room]], dtype=int)


def _select_varied(covariates: Floats) -> Floats:
    """Take the columns that vary, with their mean where a value is missing."""
    present = ~np.isnan(covariates)
    sums = np.where(present, covariates, 0.0).sum(axis=0)
    filled = np.where(present, covariates, sums / np.maximum(present.sum(axis=0), 1))
    return np.asarray(filled[:, np.ptp(filled, axis=0) > 0])
