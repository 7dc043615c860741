"""What choosing the best of several candidates, and fitting it, make look better than it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.validation.comparison.choice import choose_by_losses, number_folds
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.discrimination import count_concordance
from glabella.validation.measures.estimation.estimate import LEVEL, Estimate, make_missing_estimate
from glabella.validation.measures.evaluation import FEWEST_OF_A_CLASS, explain_few
from glabella.validation.measures.overall import compute_losses
from glabella.validation.measures.performance import Performance, measure_performance

RESAMPLES = 200
_FEWEST_RESAMPLES = 20

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int_]


@dataclass(frozen=True)
class BiasCorrected:
    """The figures of the procedure that chooses, rather than of the candidate it chose.

    Parameters
    ----------
    auc, log_loss : Estimate
        Of whichever candidate the rule chose in a bootstrap sample, on the participants that are
        not in it.
    naive_auc, naive_log_loss : float or None
        The best over candidates that could be chosen, each by its own cross-validation.
    chosen : dict of int
        How often the rule chose each candidate.
    resamples : int
        Bootstrap samples.
    """

    auc: Estimate
    log_loss: Estimate
    naive_auc: float | None
    naive_log_loss: float | None
    chosen: dict[str, int]
    resamples: int


@dataclass(frozen=True)
class Optimism:
    """How much better a model looks on the participants it was fitted to.

    Parameters
    ----------
    apparent : Performance
        On those participants.
    optimism : dict of float
        Apparent less validated, by measure; what either lacks is left out.
    """

    apparent: Performance
    optimism: dict[str, float]


@dataclass(frozen=True)
class _Prepared:
    """Out-of-fold predictions by candidate as arrays, sorted by person.

    `folds` are those of `number_folds`; `stands_in` are each person's rows of the sample.
    """

    probability: dict[str, Floats]
    losses: dict[str, Floats]
    folds: Rows
    person: Rows
    stands_in: Rows
    rows: Rows
    within: Rows
    active: npt.NDArray[np.bool_]
    outcomes: npt.NDArray[np.int8]

    def compute_concordance(self, name: str, kept: npt.NDArray[np.bool_], imputation: int) -> float:
        """Compute the headline concordance of some of the predictions; NaN without pairs."""
        kept = kept & self.active
        responded = self.outcomes[imputation, self.rows[kept]].astype(bool)
        probability = self.probability[name][kept]
        agreeing, pairs = count_concordance(responded, probability, self.within[kept])
        total = float(pairs[responded].sum())
        return float(agreeing[responded].sum()) / total if total else float("nan")


def correct_choice(
    names: Sequence[str],
    references: Sequence[str],
    predictions: Mapping[str, pd.DataFrame],
    sample: Sample,
    *,
    seed: np.random.SeedSequence,
    resamples: int = RESAMPLES,
) -> BiasCorrected:
    """Estimate how the procedure performs that chooses among candidates, by bootstrap.

    Each bootstrap sample of persons takes their out-of-fold predictions along; the declared rule
    of `choose_candidate` is replayed on it, and its choice is measured on the persons left out.
    No model is fitted again.

    Returns
    -------
    BiasCorrected
        Means over the bootstrap samples with percentile intervals; null with a reason where under
        five of a class are there, or too few bootstrap samples leave pairs out.

    References
    ----------
    .. [1] Tsamardinos I, Greasidou E, Borboudakis G. Bootstrapping the out-of-sample predictions
       for efficient and accurate cross-validation. Mach Learn 2018;107:1895-1922.
    """
    if not names or resamples < 1:
        raise ValueError("there must be a candidate, and a bootstrap sample")
    eligible = [name for name in names if name not in references] or list(names)
    prepared = _make_tables(eligible, predictions, sample)
    chosen = dict.fromkeys(eligible, 0)
    # Persons, not rows: bootstrap samples draw these, and some stand in several rows.
    if any(explain_few(outcome.astype(bool), sample.people) for outcome in sample.outcomes):
        missing = make_missing_estimate(f"under {FEWEST_OF_A_CLASS} of a class")
        return BiasCorrected(missing, missing, None, None, chosen, 0)
    draw = np.random.default_rng(seed)
    counted = np.bincount(prepared.person)
    starts = np.concatenate([[0], np.cumsum(counted)[:-1]])
    values = np.full((resamples, 2), np.nan)
    for number in range(resamples):
        drawn = draw.integers(0, len(counted), len(counted))
        left_out = np.bincount(drawn, minlength=len(counted))[prepared.person] == 0
        name = _choose_on_resample(eligible, prepared, drawn, counted, starts)
        chosen[name] += 1
        if left_out.any():
            imputation = number % len(prepared.outcomes)
            values[number, 0] = prepared.compute_concordance(name, left_out, imputation)
            values[number, 1] = prepared.losses[name][left_out].mean()
    everybody = np.ones(len(prepared.person), dtype=bool)
    own = [
        np.mean(
            [
                prepared.compute_concordance(name, everybody, imputation)
                for imputation in range(len(prepared.outcomes))
            ]
        )
        for name in eligible
    ]
    return BiasCorrected(
        auc=_summarise(values[:, 0]),
        log_loss=_summarise(values[:, 1]),
        naive_auc=None if np.isnan(own).all() else float(np.nanmax(own)),
        naive_log_loss=float(min(prepared.losses[name].mean() for name in eligible)),
        chosen=chosen,
        resamples=resamples,
    )


def measure_optimism(
    probability: npt.ArrayLike, validated: Performance, sample: Sample
) -> Optimism:
    """Set the apparent figures of a model against the validated ones.

    Returns
    -------
    Optimism
        Positive where the model looks better in a measure of which more is better; for losses
        below zero.

    References
    ----------
    .. [1] Efron B. Estimating the error rate of a prediction rule: improvement on
       cross-validation. J Am Stat Assoc 1983;78:316-331.
    .. [2] Steyerberg EW et al. Internal validation of predictive models. J Clin Epidemiol
       2001;54:774-781.
    """
    whole = pd.DataFrame(
        {
            "row": np.arange(sample.n),
            "repeat": 0,
            "fold": 0,
            "group": "",
            "responded": sample.expected,
            "probability": np.asarray(probability, dtype=float),
        }
    )
    apparent = measure_performance(whole, sample)
    differences = {}
    for name, estimate in apparent.estimates.items():
        other = validated.estimates[name].value
        if estimate.value is not None and other is not None:
            differences[name] = estimate.value - other
    return Optimism(apparent, differences)


def _make_tables(
    names: Sequence[str], predictions: Mapping[str, pd.DataFrame], sample: Sample
) -> _Prepared:
    """Sort all tables alike, so that a row stands for the same prediction in each."""
    keys = ["repeat", "fold", "row"]
    columns = [*keys, "responded", "probability"]
    tables = {name: predictions[name][columns].sort_values(keys) for name in names}
    first = tables[names[0]]
    person = pd.factorize(sample.people[first["row"].to_numpy()])[0]
    order = np.argsort(person, kind="stable")
    tables = {name: table.iloc[order].reset_index(drop=True) for name, table in tables.items()}
    first = tables[names[0]]
    rows = first["row"].to_numpy()
    outer = first.groupby(["repeat", "fold"]).ngroup().to_numpy()
    cells = pd.factorize(sample.strata[rows])[0]
    person = person[order]
    distinct = np.unique(rows, return_index=True)[1]
    return _Prepared(
        probability={
            name: table["probability"].to_numpy(dtype=float) for name, table in tables.items()
        },
        losses={
            name: compute_losses(table["responded"], table["probability"])
            for name, table in tables.items()
        },
        folds=number_folds(first),
        person=person,
        stands_in=np.bincount(person[distinct]),
        rows=rows,
        within=outer * (cells.max() + 1) + cells,
        active=sample.active[rows],
        outcomes=sample.outcomes,
    )


def _choose_on_resample(
    names: Sequence[str], prepared: _Prepared, drawn: Rows, counted: Rows, starts: Rows
) -> str:
    """Choose on a bootstrap sample, in which who was drawn twice is two participants."""
    sizes = counted[drawn]
    offsets = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    taken = np.repeat(starts[drawn], sizes) + offsets
    losses = {name: prepared.losses[name][taken] for name in names}
    in_all = float(prepared.stands_in[drawn].sum())
    return choose_by_losses(losses, prepared.folds[taken], in_all=in_all).name


def _summarise(values: Floats) -> Estimate:
    known = values[~np.isnan(values)]
    if len(known) < min(_FEWEST_RESAMPLES, len(values)):
        return make_missing_estimate("too few bootstrap samples leave out pairs to compare")
    low, high = np.quantile(known, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Estimate(float(known.mean()), float(low), float(high))
