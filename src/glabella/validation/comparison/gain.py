"""What a candidate gains over a reference, on the same pairs and folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.validation.comparison.choice import adjust_by_holm, compare_losses
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.attempt import attempt_estimate
from glabella.validation.measures.discrimination import average_over_pairs, count_concordance
from glabella.validation.measures.estimate import LEVEL, Estimate, estimate_mean, not_estimable
from glabella.validation.measures.evaluation import explain_few
from glabella.validation.measures.overall import average_over_participants, compute_losses
from glabella.validation.measures.rubin import pool_estimates

_PLACE = ["repeat", "fold", "group", "row"]


@dataclass(frozen=True)
class Gain:
    """What a candidate gains over a reference; above 0 it is better in either.

    Parameters
    ----------
    candidate, against : str
        Whose gain, over whom.
    auc : Estimate
        The candidate's headline concordance less the reference's, over the same pairs.
    log_loss : Estimate
        The reference's log loss less the candidate's, of the same participants.
    p_value : float or None
        Two-sided, of no gain in log loss; None where folds are not repeated.
    p_holm : float or None
        The same, adjusted for all candidates that are held against the reference.
    """

    candidate: str
    against: str
    auc: Estimate
    log_loss: Estimate
    p_value: float | None = None
    p_holm: float | None = None

    @property
    def is_better(self) -> bool:
        """Whether a gain in log loss is shown, with all candidates taken into account."""
        p = self.p_value if self.p_holm is None else self.p_holm
        gained = self.log_loss.value is not None and self.log_loss.value > 0
        return gained and p is not None and p < 1.0 - LEVEL


def measure_gain(
    candidate: str,
    against: str,
    predictions: Mapping[str, pd.DataFrame],
    sample: Sample,
    *,
    by_fold: bool,
) -> Gain:
    """Measure what a candidate gains over a reference.

    Parameters
    ----------
    candidate, against : str
        Their names.
    predictions : mapping of DataFrame
        Rows of `collect_predictions` of one design, by candidate, on the same folds.
    sample : Sample
        The participants.
    by_fold : bool
        Whether the interval of log loss is the corrected resampled t over folds of
        `compare_losses`, for repeated cross-validation. Over trials left out, which are few and
        unlike each other, it would say nothing; there participants are the unit, and the fitted
        models as given.

    Returns
    -------
    Gain
        Concordance as `compute_concordance_gain`. Where outcomes are imputed, each is pooled by
        Rubin's rules.

    Raises
    ------
    ValueError
        If the two were not predicted on the same folds.
    """
    first = predictions[candidate].set_index(_PLACE)["probability"].sort_index()
    second = predictions[against].set_index(_PLACE)["probability"].sort_index()
    if not first.index.equals(second.index):
        raise ValueError(f"{candidate} and {against} were not predicted on the same folds")
    places = first.index.to_frame(index=False)
    rows = places["row"].to_numpy()
    outer = places.groupby(["repeat", "fold", "group"]).ngroup().to_numpy()
    cells = pd.factorize(sample.strata[rows])[0]
    within = outer * (cells.max() + 1) + cells
    active = sample.active[rows]
    concordance = partial(
        compute_concordance_gain,
        probability=first.to_numpy()[active],
        reference=second.to_numpy()[active],
        strata=within[active],
        participant=sample.people[rows][active],
    )
    each = [
        attempt_estimate(partial(concordance, outcome[rows][active]))
        for outcome in sample.outcomes.astype(bool)
    ]
    units = len(np.unique(sample.people[rows]))
    auc = attempt_estimate(lambda: pool_estimates(each, units=units))
    p_value = None
    if by_fold:
        difference = compare_losses(candidate, against, predictions, sample.outcomes)
        loss, p_value = -difference.log_loss, difference.p_value
    else:
        lost = partial(
            compute_loss_gain,
            probability=first.to_numpy(),
            reference=second.to_numpy(),
            participant=sample.people[rows],
        )
        losses = [
            attempt_estimate(partial(lost, outcome[rows]))
            for outcome in sample.outcomes.astype(bool)
        ]
        loss = attempt_estimate(lambda: pool_estimates(losses, units=units))
    return Gain(candidate, against, auc, loss, p_value)


def adjust_gains(gains: Mapping[str, Sequence[Gain]]) -> dict[str, tuple[Gain, ...]]:
    """Adjust the gains of all candidates over each reference for their number.

    Parameters
    ----------
    gains : mapping of sequence of Gain
        By candidate, over each reference, of one design.

    Returns
    -------
    dict of tuple of Gain
        The same with `p_holm`: a family a reference.
    """
    adjusted: dict[tuple[str, str], float | None] = {}
    for against in dict.fromkeys(gain.against for mine in gains.values() for gain in mine):
        family = [gain for mine in gains.values() for gain in mine if gain.against == against]
        holm = adjust_by_holm([gain.p_value for gain in family])
        adjusted |= {(gain.candidate, against): p for gain, p in zip(family, holm, strict=True)}
    return {
        name: tuple(replace(gain, p_holm=adjusted[name, gain.against]) for gain in mine)
        for name, mine in gains.items()
    }


def compute_concordance_gain(
    responded: npt.ArrayLike,
    probability: npt.ArrayLike,
    reference: npt.ArrayLike,
    *,
    strata: npt.ArrayLike,
    participant: npt.ArrayLike,
) -> Estimate:
    """Difference of two concordances over the same pairs, with an interval over participants.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability, reference : array of float, shape (n_predictions,)
        The candidate's and the reference's out-of-fold predictions of the same participants.
    strata : array, shape (n_predictions,)
        Only a responder and a non-responder of the same stratum form a pair.
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    Estimate
        The candidate's concordance less the reference's. Null where a class has under five
        participants in pairs; without an interval where the two order every pair alike.

    References
    ----------
    .. [1] DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more
       correlated receiver operating characteristic curves. Biometrics 1988;44:837-845. With one
       stratum and one repetition the variance is theirs, with the covariance of the two.

    Examples
    --------
    >>> gain = compute_concordance_gain(
    ...     [1] * 5 + [0] * 5, [5, 6, 7, 8, 4, 1, 2, 3, 4, 5], [1] * 10,
    ...     strata=[0] * 10, participant=range(10))
    >>> round(gain.value, 2)
    0.42
    """
    outcome = np.asarray(responded, dtype=bool)
    who = pd.factorize(np.asarray(participant))[0]
    labels = pd.factorize(np.asarray(strata))[0]
    agreeing, pairs = count_concordance(outcome, np.asarray(probability, dtype=float), labels)
    before, _ = count_concordance(outcome, np.asarray(reference, dtype=float), labels)
    paired = pairs > 0
    few = explain_few(outcome[paired], who[paired])
    if few:
        return not_estimable(f"in pairs: {few}")
    if not np.any(agreeing - before):
        return Estimate(0.0, reason="the two order every pair alike")
    return estimate_mean(*average_over_pairs(agreeing - before, pairs, outcome, who))


def compute_loss_gain(
    responded: npt.ArrayLike,
    probability: npt.ArrayLike,
    reference: npt.ArrayLike,
    *,
    participant: npt.ArrayLike,
) -> Estimate:
    """Difference of two log losses over the same participants, with an interval over them.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability, reference : array of float, shape (n_predictions,)
        The candidate's and the reference's out-of-fold predictions of the same participants.
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    Estimate
        The reference's log loss less the candidate's, in nats. Null where a class has under five
        participants.

    References
    ----------
    .. [1] Diebold FX, Mariano RS. Comparing predictive accuracy. J Bus Econ Stat 1995;13:253-263.
       Participants are independent here, so that no correlation in time enters.

    Examples
    --------
    >>> gain = compute_loss_gain(
    ...     [1] * 5 + [0] * 5, [0.8] * 5 + [0.2] * 5, [0.5] * 10, participant=range(10))
    >>> round(gain.value, 3)
    0.47
    """
    fewer = compute_losses(responded, reference) - compute_losses(responded, probability)
    return average_over_participants(fewer, responded, participant)
