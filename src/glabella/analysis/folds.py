"""The folds of every design that an analysis asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glabella.analysis.definition import Analysis
from glabella.errors import AnalysisError, add_place
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.folds.splits import (
    Fold,
    Rows,
    Unit,
    count_classes,
    make_left_out_folds,
    make_repeated_folds,
)

_LEFT_OUT: dict[str, Unit] = {"leave_one_trial_out": "trial", "leave_one_site_out": "site"}


@dataclass(frozen=True)
class FoldPlan:
    """The folds of every design, and the trials that are too small for folds of their own.

    Parameters
    ----------
    folds : tuple of Fold
        Of all designs.
    infeasible : dict
        Trial to the reason why it can't be validated inside.
    """

    folds: tuple[Fold, ...]
    infeasible: dict[str, str]


def plan_folds(analysis: Analysis, sample: Sample) -> FoldPlan:
    """Make the folds of every design that the analysis asks for."""
    design = analysis.validation
    cells = [sample.arm, sample.trial]
    with add_place("validation.pooled"):
        folds = make_repeated_folds(
            cells,
            sample.labels,
            folds=design.pooled.folds,
            repeats=design.pooled.repeats,
            seed=derive_seed(analysis.seed, "pooled"),
            people=sample.people,
            unit=design.pooled.unit,
            groups=sample.group_by(design.pooled.unit),
        )
    infeasible: dict[str, str] = {}
    if design.inside is not None:
        for trial in dict.fromkeys(sample.trial.tolist()):
            try:
                folds += make_repeated_folds(
                    cells,
                    sample.labels,
                    folds=design.inside.folds,
                    repeats=design.inside.repeats,
                    seed=derive_seed(analysis.seed, "inside", trial),
                    design="inside",
                    rows=_select_rows(sample, trial),
                    group=trial,
                    people=sample.people,
                    unit=design.inside.unit,
                    groups=sample.group_by(design.inside.unit),
                )
            except AnalysisError as error:
                infeasible[trial] = error.finding
    if design.across is not None:
        unit = _LEFT_OUT[design.across]
        across = make_left_out_folds(sample.trial if unit == "trial" else sample.site, unit)
        for fold in across:
            if min(count_classes(sample.labels[fold.train])) == 0:
                raise AnalysisError(
                    f"without '{fold.group}' the training participants are of one class",
                    place="validation.across",
                    remedy="Leave `across:` out, or pool more trials.",
                )
        folds += across
    if sample.imputation is not None:
        for fold in folds:
            sample.imputation.check_thin(fold.train, _name_training(fold))
    return FoldPlan(tuple(folds), infeasible)


def _name_training(fold: Fold) -> str:
    where = f" inside trial '{fold.group}'" if fold.design == "inside" else ""
    if fold.design == "across":
        return f"what is left without '{fold.group}'"
    return f"the training part of fold {fold.number + 1}{where}"


def _select_rows(sample: Sample, trial: str) -> Rows:
    return np.flatnonzero(sample.trial == trial)
