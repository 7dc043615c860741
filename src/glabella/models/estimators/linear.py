"""Logistic regression on encoded features, penalised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression

from glabella.features.spec import FeatureSpec
from glabella.models.encoding import Encoding, check_finite, fit_encoding
from glabella.models.estimators.interface import Centring, Contributions, Floats, ResponderModel


class RidgeModel(ResponderModel):
    """Logistic regression with a ridge penalty on the standardised features and the arm.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Not used: the fit is deterministic.
    c : float
        Inverse strength of the penalty, as in scikit-learn.
    centring : str
        ``none``, or ``trial``: the patient's features are centred at the means of each trial, so
        that coefficients are of differences inside trials. Whose trial the fit did not see, or
        who is scored, is taken to come from a trial at the mean over trials.

    References
    ----------
    .. [1] le Cessie S, van Houwelingen JC. Ridge estimators in logistic regression.
       J R Stat Soc C 1992;41:191-201.
    """

    def __init__(
        self,
        specs: Sequence[FeatureSpec] = (),
        random_state: int | None = None,
        c: float = 1.0,
        centring: Centring = "none",
    ):
        super().__init__(specs=specs, random_state=random_state)
        self.c = c
        self.centring = centring

    def _used(self) -> list[FeatureSpec]:
        return [spec for spec in self.specs if spec.part != "trial"]

    def _fit(self, X: pd.DataFrame, responded: npt.NDArray[np.int_]) -> None:
        self.encoding_ = fit_encoding(
            X, self._used(), fill_and_scale=True, within=self._find_trial()
        )
        matrix = self.encoding_.transform(X)
        if matrix.shape[1] == 0:
            rate = (responded.sum() + 0.5) / (len(responded) + 1.0)
            self.coefficients_, self.intercept_ = np.zeros(0), float(np.log(rate / (1 - rate)))
            return
        fitted = LogisticRegression(C=self.c, solver="newton-cholesky", tol=1e-8, max_iter=1000)
        fitted.fit(matrix, responded)
        self.coefficients_ = np.asarray(fitted.coef_[0], dtype=float)
        self.intercept_ = float(fitted.intercept_[0])

    def count_parameters(self, X: pd.DataFrame) -> int:
        """Count the coefficients.

        Parameters
        ----------
        X : DataFrame
            Features by name.

        Returns
        -------
        int
            One for each column of the encoding.
        """
        return len(
            fit_encoding(X, self._used(), fill_and_scale=True, within=self._find_trial()).columns
        )

    def log_odds(self, X: pd.DataFrame) -> Floats:
        """Predict the log odds of response.

        Parameters
        ----------
        X : DataFrame
            Features by name.

        Returns
        -------
        array of float, shape (n_rows,)
            Higher means likelier.
        """
        # A sum along rows rather than a matrix product: BLAS rounds by the number of rows, and a
        # participant scored alone must get what they get in a batch.
        terms = self.encoding_.transform(X) * self.coefficients_
        return np.asarray(terms.sum(axis=1) + self.intercept_, dtype=float)

    def contributions(self, X: pd.DataFrame) -> Contributions:
        """Multiply each coefficient by the distance from the training mean.

        Parameters
        ----------
        X : DataFrame
            Features by name.

        Returns
        -------
        Contributions
            SHAP values of a linear model whose background is the training mean.

        References
        ----------
        .. [1] Strumbelj E, Kononenko I. Explaining prediction models and individual predictions
           with feature contributions. Knowl Inf Syst 2014;41:647-665.
        """
        features = self._explained()
        terms = self.encoding_.transform(X) * self.coefficients_
        return Contributions(
            features=features,
            values=self.encoding_.sum_by_feature(terms, features),
            base=np.full(len(X), self.intercept_),
        )

    def export_state(self) -> dict[str, Any]:
        """Write encoding and coefficients as plain values.

        Returns
        -------
        dict
            For JSON.
        """
        return {
            "encoding": self.encoding_.export(),
            "coefficients": self.coefficients_.tolist(),
            "intercept": self.intercept_,
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take over an exported state.

        Parameters
        ----------
        state : dict
            From `export_state`.
        """
        self.classes_ = np.array([0, 1])
        self.encoding_ = Encoding.restore(state["encoding"], self._used(), trial=self._find_trial())
        self.coefficients_ = np.array([check_finite(value) for value in state["coefficients"]])
        self.intercept_ = check_finite(state["intercept"])
        if len(self.coefficients_) != len(self.encoding_.columns):
            raise ValueError("there is not one coefficient for each column")


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

    def _used(self) -> list[FeatureSpec]:
        return [spec for spec in self.specs if spec.part == "arm" or spec.is_severity]
