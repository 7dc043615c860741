"""Logistic regression on encoded features, penalised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from glabella.features.spec import FeatureSpec
from glabella.models.encoding import Encoding, Features, check_finite, fit_encoding
from glabella.models.estimators.contributions import Contributions, Interactions, split_off_diagonal
from glabella.models.estimators.interface import Centring, Floats, ResponderModel
from glabella.models.expansion import Expansion, fit_curves, fit_products
from glabella.models.penalised import (
    FREE_DEVIATION,
    Block,
    PenalisedFit,
    average_logistic,
    fit_logistic,
)

__all__ = [
    "ArmAndSeverityModel",
    "RidgeModel",
    "SplineModel",
    "TreatmentInteractionModel",
]

# Standard deviations of log odds ratios, per standard deviation of a number or between a level
# and the others: from next to nothing, so that features of noise cost little, to more than the
# features of patients ever showed.
DEVIATIONS = tuple(np.geomspace(0.01, 1.5, 10).tolist())
_OF_CURVES = (0.01, 0.05, 0.2, 0.6)
_OF_PRODUCTS = (0.01, 0.05, 0.2, 0.6)


class LinearModel(ResponderModel):
    """Log odds as a weighted sum of encoded features, of their curves and of their products.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of the rows that settle the penalty where there are more than 20,000.
    """

    attribution_method: ClassVar[str] = (
        "SHAP values of an additive model against the training mean, computed exactly"
    )
    draws_curves: ClassVar[bool] = False
    crosses_arms: ClassVar[bool] = False
    frees_arm = True

    @property
    def fills_missing(self) -> bool:
        """True: a number by its median in training, a category by its commonest level."""
        return True

    def _select_used(self) -> list[FeatureSpec]:
        return [spec for spec in self._list_specs() if spec.part != "trial"]

    def _fit(self, X: Features, responded: npt.NDArray[np.int_]) -> None:
        matrix, more = self._learn_design(X)
        self._keep(self._fit_design(matrix, more, responded))

    def _learn_design(self, X: Features) -> tuple[Floats, list[Floats]]:
        """Learn how rows become a matrix, and give it: the encoded columns, curves and products."""
        self.encoding_ = fit_encoding(
            X, self._select_used(), fill_and_scale=True, within=self._find_trial()
        )
        matrix = self.encoding_.transform(X)
        arms = [spec.name for spec in self._select_used() if spec.part == "arm"]
        curves = fit_curves(matrix, self.encoding_) if self.draws_curves else ()
        products = fit_products(matrix, self.encoding_, arms) if self.crosses_arms else ()
        self.expansion_ = Expansion(curves, products)
        parts = [Expansion(curves), Expansion((), products)]
        return matrix, [part.transform(matrix) for part in parts if part.count()]

    def _fit_design(
        self, matrix: Floats, more: list[Floats], responded: npt.NDArray[np.int_]
    ) -> PenalisedFit:
        blocks = [Block(matrix, DEVIATIONS, self._find_free())]
        if self.expansion_.curves:
            blocks.append(Block(more[0], _OF_CURVES))
        if self.expansion_.products:
            blocks.append(Block(more[-1], _OF_PRODUCTS))
        return average_logistic(blocks, responded, self.random_state or 0)

    def _find_free(self) -> npt.NDArray[np.bool_]:
        """Find the encoded columns that are not shrunk: a penalty on the arm hides its effect."""
        arms = {spec.name for spec in self._select_used() if spec.part == "arm"}
        return np.array([column.feature in arms for column in self.encoding_.columns], dtype=bool)

    def _keep(self, fit: PenalisedFit) -> None:
        self.intercept_, self.coefficients_ = fit.intercept, fit.coefficients
        self.background_: tuple[Floats, Floats] | None = None

    def _make_design(self, X: Features) -> Floats:
        columns = self._read(X)
        matrix = self.encoding_.transform(columns)
        return np.hstack([matrix, self.expansion_.transform(matrix)])

    def count_parameters(self, X: Features) -> int:
        """Count the coefficients.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        int
            One for each column of the encoding, each part of a curve and each product.
        """
        matrix, _ = self._learn_design(X)
        return int(matrix.shape[1]) + self.expansion_.count()

    def log_odds(self, X: Features) -> Floats:
        """Predict the log odds of response.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        array of float, shape (n_rows,)
            Higher means likelier.
        """
        # A sum along rows rather than a matrix product: BLAS rounds by the number of rows, and a
        # participant scored alone must get what they get in a batch.
        terms = self._make_design(X) * self.coefficients_
        return np.asarray(terms.sum(axis=1) + self.intercept_, dtype=float)

    def contributions(self, X: Features) -> Contributions:
        """Multiply each coefficient by the distance from the training mean.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Contributions
            SHAP values of an additive model whose background is the training mean, features
            taken as independent; a product of arm and feature is shared between them in halves.
            After `explain_against`, those against its rows.

        References
        ----------
        .. [1] Strumbelj E, Kononenko I. Explaining prediction models and individual predictions
           with feature contributions. Knowl Inf Syst 2014;41:647-665.
        """
        features = self._list_explained()
        columns = self._read(X)
        matrix = self.encoding_.transform(columns)
        own = self.coefficients_[: matrix.shape[1]]
        values = self.encoding_.sum_by_feature(matrix * own, features)
        means, shifts = self._compute_background()
        shared, constant = self.expansion_.attribute(
            matrix, self.coefficients_[matrix.shape[1] :], self.encoding_, features, means
        )
        return Contributions(
            features=features,
            values=values + shared - shifts,
            base=np.full(len(X), self.intercept_ + constant + shifts.sum()),
        )

    def explain_against(self, background: Features, weight: Floats) -> None:
        """Have contributions computed against stated rows.

        Parameters
        ----------
        background : DataFrame or FeatureColumns, shape (n_background, n_columns)
            Features by name. What stays of them are means.
        weight : array of float, shape (n_background,)
            Not negative, adding to one.
        """
        means = weight @ self.encoding_.transform(background)
        nothing = np.zeros(len(self._list_explained()))
        self.background_ = (means, nothing)
        self.background_ = (means, weight @ self.contributions(background).values)

    def _compute_background(self) -> tuple[Floats | None, Floats]:
        """Means of the encoded columns of a background, and of what each feature adds there."""
        if self.background_ is None:
            return None, np.zeros(len(self._list_explained()))
        return self.background_

    def interactions(self, X: Features) -> Interactions:
        """Divide contributions into each feature's own and those of products.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Interactions
            A product of arm and feature is all of the pair's.
        """
        found = super().interactions(X)
        if not self.expansion_.products:
            return found
        matrix = self.encoding_.transform(self._read(X))
        pairs = self.expansion_.attribute_pairs(
            matrix, self.coefficients_[matrix.shape[1] :], self.encoding_, found.features
        )
        return Interactions(found.features, split_off_diagonal(found.values, pairs))

    def export_state(self) -> dict[str, Any]:
        """Write encoding and coefficients as plain values.

        Returns
        -------
        dict
            For JSON.
        """
        means, shifts = self._compute_background()
        background = {} if means is None else {"background": [means.tolist(), shifts.tolist()]}
        return {
            "encoding": self.encoding_.export(),
            "expansion": self.expansion_.export(),
            "coefficients": self.coefficients_.tolist(),
            "intercept": self.intercept_,
            **background,
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take over an exported state.

        Parameters
        ----------
        state : dict
            From `export_state`.
        """
        self._restore_notes()
        self.encoding_ = Encoding.restore(
            state["encoding"], self._select_used(), trial=self._find_trial()
        )
        n_encoded = len(self.encoding_.columns)
        self.expansion_ = Expansion.restore(state["expansion"], n_encoded)
        self.coefficients_ = np.array([check_finite(value) for value in state["coefficients"]])
        self.intercept_ = check_finite(state["intercept"])
        if len(self.coefficients_) != n_encoded + self.expansion_.count():
            raise ValueError("there is not one coefficient for each column")
        self.background_ = None
        if "background" in state:
            means, shifts = (
                np.array([check_finite(value) for value in part]) for part in state["background"]
            )
            if len(means) != n_encoded or len(shifts) != len(self._list_explained()):
                raise ValueError("the background is not one of the model's columns")
            self.background_ = (means, shifts)


class RidgeModel(LinearModel):
    """Logistic regression with a ridge penalty on the features, and none on the arm.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of the rows that settle the penalty where there are more than 20,000.
    c : float, optional
        Inverse strength of the penalty, as in scikit-learn; by default, fits under ten
        strengths are averaged by their marginal likelihoods.
    centring : str
        ``none``, or ``trial``: the patient's features are centred at the means of each trial, so
        that coefficients are of differences inside trials. Whose trial the fit did not see, or
        who is scored, is taken to come from a trial at the mean over trials.

    References
    ----------
    .. [1] le Cessie S, van Houwelingen JC. Ridge estimators in logistic regression.
       J R Stat Soc C 1992;41:191-201.
    .. [2] MacKay DJC. The evidence framework applied to classification networks. Neural Comput
       1992;4:720-736.
    """

    def __init__(
        self,
        specs: Sequence[FeatureSpec] = (),
        random_state: int | None = None,
        c: float | None = None,
        centring: Centring = "none",
    ):
        super().__init__(specs=specs, random_state=random_state)
        self.c = c
        self.centring = centring

    def _fit_design(
        self, matrix: Floats, more: list[Floats], responded: npt.NDArray[np.int_]
    ) -> PenalisedFit:
        if self.c is None:
            return super()._fit_design(matrix, more, responded)
        if not self.c > 0:
            raise ValueError("the inverse strength of the penalty, c, must be above 0")
        return fit_logistic(matrix, responded, self._make_deviations(self.c))

    def _make_deviations(self, c: float) -> Floats:
        return np.where(self._find_free(), FREE_DEVIATION, np.sqrt(c))

    def _follow(
        self,
        settings: Sequence[Mapping[str, Any]],
        X: Features,
        y: npt.ArrayLike,
        held_out: Features,
        **more: Any,
    ) -> Floats:
        """Encode rows once where penalties alone differ, and start each fit from its neighbour."""
        if any(set(setting) != {"c"} or setting["c"] is None for setting in settings):
            return super()._follow(settings, X, y, held_out, **more)
        columns, responded = self._check_fit(X, y)
        matrix, _ = self._learn_design(columns)
        design = self._make_design(held_out)
        predicted = np.empty((len(settings), len(held_out)))
        fit = None
        for at in np.argsort([setting["c"] for setting in settings]):
            deviations = self._make_deviations(settings[at]["c"])
            fit = fit_logistic(matrix, responded, deviations, start=fit)
            predicted[at] = design @ fit.coefficients + fit.intercept
        return predicted


class SplineModel(LinearModel):
    """Logistic regression with a penalised curve for each continuous feature.

    Numbers and ordinal scales of at least six values get a natural cubic spline with five knots,
    in which the straight line and the bends are penalised apart.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of the rows that settle the penalties where there are more than 20,000.

    References
    ----------
    .. [1] Wood SN. Generalized Additive Models. 2nd ed. CRC Press, 2017.
    """

    draws_curves = True


class TreatmentInteractionModel(LinearModel):
    """Logistic regression in which each feature may act otherwise in each arm.

    Products of arm and feature have a penalty of their own, so that without need they vanish.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of the rows that settle the penalties where there are more than 20,000.

    References
    ----------
    .. [1] Tian L, Alizadeh AA, Gentles AJ, Tibshirani R. A simple method for estimating
       interactions between a treatment and a large number of covariates. JASA 2014;109:1517-1532.
    """

    attribution_method: ClassVar[str] = (
        f"{LinearModel.attribution_method}, products of arm and feature shared in halves"
    )
    needs_arm = True
    crosses_arms = True


class ArmAndSeverityModel(RidgeModel):
    """Logistic regression on arm and baseline severity alone, all but unpenalised.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Not used.
    c : float
        Inverse strength of the penalty: weak, and enough that separation ends in finite odds.
    """

    needs_severity = True

    def __init__(
        self, specs: Sequence[FeatureSpec] = (), random_state: int | None = None, c: float = 10.0
    ):
        super().__init__(specs=specs, random_state=random_state, c=c)

    def _select_used(self) -> list[FeatureSpec]:
        return [spec for spec in self._list_specs() if spec.part == "arm" or spec.is_severity]
