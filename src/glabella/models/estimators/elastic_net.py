"""Logistic regression with an elastic net, by coordinate descent inside Newton's steps."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import enet_path

from glabella.features.spec import FeatureSpec
from glabella.models.encoding import Features
from glabella.models.estimators.interface import Floats
from glabella.models.estimators.linear import LinearModel
from glabella.models.penalised import FREE_DEVIATION, PenalisedFit

__all__ = ["ElasticNetModel"]


class ElasticNetModel(LinearModel):
    """Logistic regression with an elastic net, which leaves features out, but never the arm.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Not used: the fit is deterministic.
    penalty : float
        Strength, on the scale of the mean log loss.
    l1_share : float
        Share of the penalty that is absolute rather than squared, above 0 up to 1.

    References
    ----------
    .. [1] Friedman J, Hastie T, Tibshirani R. Regularization paths for generalized linear models
       via coordinate descent. J Stat Softw 2010;33(1):1-22.
    """

    def __init__(
        self,
        specs: Sequence[FeatureSpec] = (),
        random_state: int | None = None,
        penalty: float = 0.03,
        l1_share: float = 0.5,
    ):
        super().__init__(specs=specs, random_state=random_state)
        self.penalty = penalty
        self.l1_share = l1_share

    def _fit_design(
        self, matrix: Floats, more: list[Floats], responded: npt.NDArray[np.int_]
    ) -> PenalisedFit:
        free = self._find_free()
        return _fit_elastic_net(matrix, free, responded, self.penalty, self.l1_share)

    def _follow(
        self,
        settings: Sequence[Mapping[str, Any]],
        X: Features,
        y: npt.ArrayLike,
        held_out: Features,
        **more: Any,
    ) -> Floats:
        """Fit from the strongest penalty to the weakest, each from the last."""
        columns, responded = self._check_fit(X, y)
        matrix, _ = self._learn_design(columns)
        free, design = self._find_free(), self._make_design(held_out)
        predicted = np.empty((len(settings), len(held_out)))
        stated = [{"penalty": self.penalty, "l1_share": self.l1_share, **item} for item in settings]
        fit = None
        for at in sorted(range(len(stated)), key=lambda at: -stated[at]["penalty"]):
            fit = _fit_elastic_net(matrix, free, responded, **stated[at], start=fit)
            predicted[at] = design @ fit.coefficients + fit.intercept
        return predicted


def _fit_elastic_net(
    matrix: Floats,
    free: npt.NDArray[np.bool_],
    responded: npt.NDArray[np.int_],
    penalty: float,
    l1_share: float,
    *,
    start: PenalisedFit | None = None,
) -> PenalisedFit:
    """Newton's steps, each a weighted least-squares problem for scikit-learn's descent.

    Free columns are projected out of each problem; their coefficients follow from the others'.
    """
    rate = float(responded.mean())
    intercept = float(np.log(rate / (1.0 - rate))) if start is None else start.intercept
    coefficients = np.zeros(matrix.shape[1]) if start is None else start.coefficients
    if matrix.shape[1] == 0:
        return PenalisedFit(intercept, coefficients, float("nan"))
    for _ in range(50):
        log_odds = matrix @ coefficients + intercept
        probability = expit(log_odds)
        weight = np.maximum(probability * (1.0 - probability), 1e-5)
        working = log_odds + (responded - probability) / weight
        share = weight / weight.sum()
        center, middle = share @ matrix, float(share @ working)
        root = np.sqrt(weight)[:, None]
        solved = _solve_step(
            (matrix - center) * root,
            (working - middle) * root[:, 0],
            free,
            penalty=penalty,
            l1_share=l1_share,
            start=coefficients,
        )
        moved_to = middle - float(center @ solved)
        moved = max(float(np.abs(solved - coefficients).max()), abs(moved_to - intercept))
        coefficients, intercept = solved, moved_to
        if moved < 1e-5:
            break
    return PenalisedFit(intercept, coefficients, float("nan"))


def _solve_step(
    matrix: Floats,
    target: Floats,
    free: npt.NDArray[np.bool_],
    *,
    penalty: float,
    l1_share: float,
    start: Floats,
) -> Floats:
    """Solve one weighted least-squares problem, with free columns projected out of it."""
    own, others = matrix[:, free], matrix[:, ~free]
    weak = np.eye(own.shape[1]) / FREE_DEVIATION
    # What free columns explain of the others and of the target; the rows below them are their
    # prior's.
    explained = np.linalg.solve(
        own.T @ own + weak @ weak, own.T @ np.column_stack([others, target])
    )
    left = np.vstack([others - own @ explained[:, :-1], -weak @ explained[:, :-1]])
    wanted = np.append(target - own @ explained[:, -1], -weak @ explained[:, -1])
    solved = np.empty(len(free))
    solved[~free] = _descend(
        left, wanted, penalty * len(target) / len(left), l1_share, start[~free]
    )
    solved[free] = explained[:, -1] - explained[:, :-1] @ solved[~free]
    return solved


def _descend(
    matrix: Floats, target: Floats, penalty: float, l1_share: float, start: Floats
) -> Floats:
    if not matrix.shape[1]:
        return start
    matrix = np.asfortranarray(matrix)
    with warnings.catch_warnings():
        # A step that is not solved to the end is followed by another.
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, path, _ = enet_path(
            matrix,
            target,
            l1_ratio=l1_share,
            alphas=[penalty],
            precompute=matrix.T @ matrix,
            Xy=matrix.T @ target,
            coef_init=start.copy(),
            # All of it is known to be finite; the checks would take most of the time.
            check_input=False,
            max_iter=5000,
            tol=1e-6,
        )
    return np.asarray(path[:, 0], dtype=float)
