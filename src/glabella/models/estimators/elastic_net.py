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
from glabella.models.penalised import PenalisedFit

__all__ = ["ElasticNetModel"]


class ElasticNetModel(LinearModel):
    """Logistic regression with an elastic net, which leaves features out.

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
        return _fit_elastic_net(matrix, responded, self.penalty, self.l1_share)

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
        design = self._make_design(held_out)
        predicted = np.empty((len(settings), len(held_out)))
        stated = [{"penalty": self.penalty, "l1_share": self.l1_share, **item} for item in settings]
        fit = None
        for at in sorted(range(len(stated)), key=lambda at: -stated[at]["penalty"]):
            fit = _fit_elastic_net(matrix, responded, **stated[at], start=fit)
            predicted[at] = design @ fit.coefficients + fit.intercept
        return predicted


def _fit_elastic_net(
    matrix: Floats,
    responded: npt.NDArray[np.int_],
    penalty: float,
    l1_share: float,
    *,
    start: PenalisedFit | None = None,
) -> PenalisedFit:
    """Newton's steps, each a weighted least-squares problem for scikit-learn's descent."""
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
        root = np.sqrt(share * len(responded))
        centred = np.asfortranarray((matrix - center) * root[:, None])
        target = (working - middle) * root
        with warnings.catch_warnings():
            # A step that is not solved to the end is followed by another.
            warnings.simplefilter("ignore", ConvergenceWarning)
            _, path, _ = enet_path(
                centred,
                target,
                l1_ratio=l1_share,
                alphas=[penalty * len(responded) / float(weight.sum())],
                precompute=centred.T @ centred,
                Xy=centred.T @ target,
                coef_init=coefficients.copy(),
                # All of it is known to be finite; the checks would take most of the time.
                check_input=False,
                max_iter=5000,
                tol=1e-6,
            )
        solved = path[:, 0]
        moved_to = middle - float(center @ solved)
        moved = max(float(np.abs(solved - coefficients).max()), abs(moved_to - intercept))
        coefficients, intercept = solved, moved_to
        if moved < 1e-5:
            break
    return PenalisedFit(intercept, coefficients, float("nan"))
