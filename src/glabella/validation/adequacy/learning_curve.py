"""How a candidate's performance grows with the participants it learns from, and how on from there.

The interval of an extrapolation is a percentile bootstrap over persons and repetitions with the
curve fitted again. It can't hold what the law itself gets wrong: learning curves can be flat, then
fall, or rise (Viering and Loog 2023), which is why nothing beyond four times the size is said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.errors import AnalysisError
from glabella.validation.adequacy.power_law import PowerLaws, fit_power_laws
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.folds.splits import Fold, Rows
from glabella.validation.measures.discrimination import count_concordance
from glabella.validation.measures.estimation.estimate import LEVEL, Estimate, make_missing_estimate
from glabella.validation.measures.evaluation import FEWEST_OF_A_CLASS
from glabella.validation.measures.overall import compute_losses
from glabella.validation.measures.performance import measure_performance

Floats = npt.NDArray[np.float64]

CURVE_MEASURES = ("log_loss", "auc")
FACTORS = (2, 4)
FEWEST_SIZES = 4
_DRAWS = 2000
# Under about ten in a class curves bend other than the law has it, and a law fitted to that part
# expects too much: benchmarks/learning_curve.py. An eighth leaves twice the span of the question.
_SMALLEST_SHARE = 1 / 8


@dataclass(frozen=True)
class TrainingSubsets:
    """Subsets of the training parts of folds at one size.

    Parameters
    ----------
    size : float
        Persons in a subset; the mean over folds where training parts differ by one.
    folds : tuple of Fold
        The folds with the subset for their training part; the held-out part is the fold's own.
    is_full : bool
        Whether they are the whole training parts.
    reason : str or None
        Why nothing can be fitted to some of them.
    """

    size: float
    folds: tuple[Fold, ...]
    is_full: bool
    reason: str | None = None


@dataclass(frozen=True)
class CurvePoint:
    """What a candidate reaches when it learns from so many.

    Parameters
    ----------
    size : float
        Persons to learn from.
    log_loss, auc : Estimate
        Over the participants held out; ``auc`` is the headline concordance.
    reason : str or None
        Why the size was left out.
    """

    size: float
    log_loss: Estimate
    auc: Estimate
    reason: str | None = None


@dataclass(frozen=True)
class Projection:
    """What would be expected with several times the participants.

    Parameters
    ----------
    factor : int
        How many times.
    size : float
        Persons to learn from.
    value : Estimate
        The measure, with a percentile interval; null with a reason.
    change : Estimate
        The difference from the curve at the largest size measured; null with it.
    """

    factor: int
    size: float
    value: Estimate
    change: Estimate


@dataclass(frozen=True)
class Extrapolation:
    """A measure's curve carried on.

    Parameters
    ----------
    gained : Estimate
        The measure at the largest size less that at the smallest, with a percentile interval.
    limit, excess, rate : float or None
        The law ``limit + excess * (size / largest) ** -rate``; the excess is negative for a
        concordance. None where it was not fitted.
    projections : tuple of Projection
        One a factor of `FACTORS`.
    reason : str or None
        Why there is none at all.
    """

    gained: Estimate
    limit: float | None
    excess: float | None
    rate: float | None
    projections: tuple[Projection, ...]
    reason: str | None = None


@dataclass(frozen=True)
class LearningCurve:
    """A candidate's learning curve.

    Parameters
    ----------
    points : tuple of CurvePoint
        By size, growing.
    extrapolations : dict of Extrapolation
        ``log_loss`` and ``auc``.
    repeats : int
        Repetitions of the pooled design that it was measured over.
    """

    points: tuple[CurvePoint, ...]
    extrapolations: dict[str, Extrapolation]
    repeats: int


def draw_subsets(trainer: Trainer, folds: Sequence[Fold], *, points: int) -> list[TrainingSubsets]:
    """Draw nested subsets of each fold's training part, at sizes evenly spaced on the log scale.

    In each training part persons are put in one order in which every beginning holds outcome,
    and within outcome trial and arm, in the shares of the whole; a subset is a beginning. So
    subsets hold each other, and all rows of a person go together.

    Returns
    -------
    list of TrainingSubsets
        By size, growing; the last is the whole. Some with a reason, where imputation can't be
        learnt from a subset.
    """
    sample = trainer.sample
    orders = [_order_persons(sample, fold, trainer.seed) for fold in folds]
    fewest = max(trainer.inner_folds, FEWEST_OF_A_CLASS)
    full = max(len(order) for order in orders)
    needed = max(_count_needed(sample, order, fewest) for order in orders)
    smallest = max(needed, math.ceil(full * _SMALLEST_SHARE))
    sizes = np.unique(np.geomspace(min(smallest, full), full, points).round().astype(int))
    return [_draw_subsets(sample, folds, orders, int(size), bool(size == full)) for size in sizes]


def measure_learning_curve(
    subsets: Sequence[TrainingSubsets],
    predictions: Mapping[float, pd.DataFrame | str],
    sample: Sample,
    *,
    seed: int,
) -> LearningCurve:
    """Measure each size, and extrapolate."""
    points = []
    tables = {}
    for item in subsets:
        found = item.reason or predictions[item.size]
        if isinstance(found, str):
            missing = make_missing_estimate(found)
            points.append(CurvePoint(item.size, missing, missing, found))
            continue
        tables[item.size] = found
        estimates = measure_performance(found, sample).estimates
        points.append(CurvePoint(item.size, estimates["log_loss"], estimates["auc"]))
    extrapolations = {
        measure: _fit_extrapolation(measure, points, tables, sample, seed)
        for measure in CURVE_MEASURES
    }
    repeats = max((int(table["repeat"].nunique()) for table in tables.values()), default=0)
    return LearningCurve(tuple(points), extrapolations, repeats)


def _order_persons(sample: Sample, fold: Fold, seed: int) -> Rows:
    """Put the persons of a training part in an order of which every beginning is stratified."""
    draw = np.random.default_rng(derive_seed(seed, "learning curve", *fold.key))
    rows = pd.DataFrame(
        {
            "person": sample.people[fold.train],
            "ever": sample.labels[fold.train],
            "cell": pd.factorize(pd.Series(sample.trial) + "|" + pd.Series(sample.arm))[0][
                fold.train
            ],
        }
    )
    people = rows.groupby("person").agg(ever=("ever", "max"), cell=("cell", "first"))
    people["chance"] = draw.random(len(people))
    # Each cell's persons come at even steps, from a start of its own; then each outcome's.
    for within in (["ever", "cell"], ["ever"]):
        groups = people.groupby(within, sort=True)
        starts = pd.Series(draw.random(groups.ngroups))
        rank = groups["chance"].rank(method="first") - 1
        start = groups.ngroup().map(starts)
        people["chance"] = (rank + start) / groups["chance"].transform("size")
    return people.sort_values("chance", kind="stable").index.to_numpy(dtype=int)


def _count_needed(sample: Sample, order: Rows, fewest: int) -> int:
    """Count the persons of the order up to the one who completes both classes."""
    ever = np.isin(order, sample.people[sample.labels == 1])
    needed = 1 + np.maximum(
        np.searchsorted(np.cumsum(ever), fewest), np.searchsorted(np.cumsum(~ever), fewest)
    )
    return min(int(needed), len(order))


def _draw_subsets(
    sample: Sample, folds: Sequence[Fold], orders: Sequence[Rows], size: int, is_full: bool
) -> TrainingSubsets:
    taken = []
    reason = None
    for fold, order in zip(folds, orders, strict=True):
        kept = fold.train[np.isin(sample.people[fold.train], order[:size])]
        taken.append(replace(fold, design=f"learning from {size}", train=kept))
        if sample.imputation is not None and reason is None:
            try:
                sample.imputation.check_thin(kept, f"a subset of {size} participants")
            except AnalysisError as error:
                reason = error.finding
    mean = float(np.mean([min(size, len(order)) for order in orders]))
    return TrainingSubsets(mean, tuple(taken), is_full, None if is_full else reason)


def _fit_extrapolation(
    measure: str,
    points: Sequence[CurvePoint],
    tables: Mapping[float, pd.DataFrame],
    sample: Sample,
    seed: int,
) -> Extrapolation:
    values = {
        point.size: getattr(point, measure).value
        for point in points
        if getattr(point, measure).value is not None
    }
    if len(values) < 2:
        return _describe_none(
            "under two sizes could be measured: a subset needs enough of both classes"
        )
    sizes = np.array(list(values), dtype=float)
    measured = np.array(list(values.values()), dtype=float)
    drawn = _resample_persons(measure, [tables[size] for size in values], sample, seed)
    gained = _add_interval(float(measured[-1] - measured[0]), drawn[:, -1] - drawn[:, 0])
    # Concordance is fitted as what it lacks to 1, which falls and is at least 0 as a loss is.
    loss, losses = (measured, drawn) if measure == "log_loss" else (1.0 - measured, 1.0 - drawn)
    reason = _explain_no_law(sizes, loss, losses)
    if reason is not None:
        return _describe_none(reason, gained)
    law, laws = fit_power_laws(sizes, loss), fit_power_laws(sizes, losses)
    sign = 1.0 if measure == "log_loss" else -1.0
    fall = float(loss[0] - loss[-1])
    return Extrapolation(
        gained=gained,
        limit=float(law.floor[0]) if sign > 0 else 1.0 - float(law.floor[0]),
        excess=sign * float(law.excess[0]),
        rate=float(law.rate[0]),
        projections=tuple(
            _compute_projections(factor, law, laws, sign, fall) for factor in FACTORS
        ),
    )


def _explain_no_law(sizes: Floats, loss: Floats, losses: Floats) -> str | None:
    if len(sizes) < FEWEST_SIZES:
        return f"{len(sizes)} sizes were measured, and the law needs {FEWEST_SIZES}"
    tail = (1.0 - LEVEL) / 2.0
    if np.quantile(losses[:, 0] - losses[:, -1], tail) <= 0.0:
        return (
            f"the curve is flat within its interval: {sizes[-1]:.0f} participants are not clearly "
            f"better to learn from than {sizes[0]:.0f}"
        )
    rises = np.flatnonzero(np.quantile(np.diff(losses, axis=1), tail, axis=0) > 0.0)
    if len(rises):
        first = int(rises[0])
        return (
            f"the curve does not go one way: {sizes[first + 1]:.0f} participants are worse to "
            f"learn from than {sizes[first]:.0f}"
        )
    return None


def _compute_projections(
    factor: int, law: PowerLaws, laws: PowerLaws, sign: float, fall: float
) -> Projection:
    size = factor * law.largest
    expected, drawn = law.compute_at(size), laws.compute_at(size)
    change = _add_interval(
        sign * float((expected - law.compute_at(law.largest))[0]),
        sign * (drawn - laws.compute_at(law.largest)),
    )
    if change.low is not None and change.high is not None and change.high - change.low > fall:
        missing = make_missing_estimate(
            f"the interval of the change at {factor} times the participants is wider than all "
            "that was gained over the sizes measured"
        )
        return Projection(factor, size, missing, missing)
    if sign < 0:
        expected, drawn = 1.0 - expected, 1.0 - drawn
    return Projection(factor, size, _add_interval(float(expected[0]), drawn), change)


def _resample_persons(
    measure: str, tables: Sequence[pd.DataFrame], sample: Sample, seed: int
) -> Floats:
    """Draw persons and repetitions with replacement, the same at every size.

    Drawing repetitions adds what the draw of folds and subsets does, as in Owen, The pigeonhole
    bootstrap, Ann Appl Stat 2007;1:386-411; where outcomes are imputed, an imputation is drawn
    too.
    """
    draw = np.random.default_rng(derive_seed(seed, "learning curve", "bootstrap"))
    counted = [_count_by_person(measure, table, sample) for table in tables]
    imputations, repeats, _ = counted[0][0].shape
    first = pd.DataFrame({"person": sample.people, "stratum": sample.strata}).drop_duplicates(
        "person"
    )
    codes = pd.factorize(first["person"], sort=True)[0]
    strata = [codes[members] for members in first.groupby("stratum").indices.values()]
    # A pair is counted with both of its persons. To the first order in their weights the sum
    # over pairs is the sum over persons less half of what one sample counts.
    offset = 0.0 if measure == "log_loss" else 0.5
    drawn = np.empty((_DRAWS, len(tables)))
    weight = np.empty(len(codes))
    for number in range(_DRAWS):
        for members in strata:
            n = len(members)
            weight[members] = np.bincount(draw.integers(n, size=n), minlength=n)
        often = np.bincount(draw.integers(repeats, size=repeats), minlength=repeats)
        imputation = int(draw.integers(imputations))
        for at, (sums, totals) in enumerate(counted):
            above = often @ sums[imputation] @ (weight - offset)
            drawn[number, at] = above / (often @ totals[imputation] @ (weight - offset))
    return drawn


def _count_by_person(measure: str, table: pd.DataFrame, sample: Sample) -> tuple[Floats, Floats]:
    """Sum what a measure averages and divides by: imputation, repetition, person."""
    if measure == "auc":
        table = table[sample.active[table["row"].to_numpy()]]
    rows = table["row"].to_numpy()
    people = np.unique(sample.people)
    repeat, repeats = pd.factorize(table["repeat"], sort=True)
    cell = repeat * len(people) + np.searchsorted(people, sample.people[rows])
    probability = table["probability"].to_numpy(dtype=float)
    within = pd.factorize(
        pd.MultiIndex.from_arrays([repeat, table["fold"].to_numpy(), sample.strata[rows]])
    )[0]
    shape = (len(sample.outcomes), len(repeats), len(people))
    sums, totals = np.empty(shape), np.empty(shape)
    for number, outcomes in enumerate(sample.outcomes):
        responded = outcomes[rows].astype(bool)
        each, count = (
            (compute_losses(responded, probability), np.ones(len(rows)))
            if measure == "log_loss"
            else count_concordance(responded, probability, within)
        )
        for target, values in ((sums, each), (totals, count)):
            target[number] = np.bincount(
                cell, weights=values, minlength=len(repeats) * len(people)
            ).reshape(shape[1:])
    return sums, totals


def _add_interval(value: float, drawn: Floats) -> Estimate:
    low, high = np.quantile(drawn, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Estimate(value, float(low), float(high))


def _describe_none(reason: str, gained: Estimate | None = None) -> Extrapolation:
    missing = make_missing_estimate(reason)
    return Extrapolation(gained or missing, None, None, None, (), reason)
