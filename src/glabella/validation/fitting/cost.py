"""What fits cost, counted and not timed: so that a budget is the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glabella.models.candidate import Candidate, EnsembleCandidate
from glabella.validation.folds.splits import Fold

# Milliseconds of one core for a single fit to 500 participants with ten features, measured on the
# shipped candidates; only their ratios matter. An estimator that is not listed counts as an
# ordinary one.
_OF_A_FIT = {
    "prevalence": 0.5,
    "arm_only": 0.5,
    "severity": 0.5,
    "ridge": 2.0,
    "elastic_net": 3.5,
    "score_regression": 3.0,
    "spline": 6.0,
    "treatment_interaction": 5.0,
    "xgboost": 25.0,
    "random_forest": 40.0,
    "explainable_boosting": 350.0,
}
_ORDINARY = 10.0
# The same for the contributions and for the interactions of a participant: of trees, which are
# walked for each row. Others' are products of matrices.
_OF_CONTRIBUTIONS = {"xgboost": 0.13, "random_forest": 1.15}
_OF_INTERACTIONS = {"xgboost": 2.0, "random_forest": 16.0}
# A fit takes half of its time whatever the number of participants, up to some five hundred.
_FIXED_ROWS = 500


def count_cost(candidate: Candidate, rows: int, *, inner_folds: int) -> float:
    """Count what it costs to tune and fit a candidate.

    Returns
    -------
    float
        About milliseconds of one core; of an ensemble, those of its members.
    """
    if isinstance(candidate, EnsembleCandidate):
        members = candidate.resolved.values()
        return sum(count_cost(member, rows, inner_folds=inner_folds) for member in members)
    fits = 1
    if candidate.role == "candidate":
        settings = candidate.draws if candidate.search else 1
        fits += settings * inner_folds
    each = _OF_A_FIT.get(candidate.estimator, _ORDINARY)
    return fits * each * (rows + _FIXED_ROWS) / (2 * _FIXED_ROWS)


def count_look(candidate: Candidate, rows: float, *, pairs: int = 0) -> float:
    """Count what it costs to look into a fitted candidate."""
    if isinstance(candidate, EnsembleCandidate):
        members = candidate.resolved.values()
        return sum(count_look(member, rows, pairs=pairs) for member in members)
    each = _OF_CONTRIBUTIONS.get(candidate.estimator, 0.0)
    return rows * each + pairs * _OF_INTERACTIONS.get(candidate.estimator, 0.0)


def count_validation(
    candidates: Mapping[str, Candidate], folds: Sequence[Fold], *, inner_folds: int
) -> float:
    """Count what it costs to validate candidates.

    Returns
    -------
    float
        As `count_cost`. An ensemble's members that are candidates themselves count once.
    """
    fitted = dict(candidates)
    for candidate in candidates.values():
        if isinstance(candidate, EnsembleCandidate):
            fitted.update(candidate.resolved)
    single = [item for item in fitted.values() if not isinstance(item, EnsembleCandidate)]
    fits = sum(
        count_cost(item, len(fold.train), inner_folds=inner_folds)
        for fold in folds
        for item in single
    )
    # An ensemble's contributions are computed for itself, beside its members'.
    return fits + sum(
        count_look(item, len(fold.test)) for fold in folds for item in candidates.values()
    )
