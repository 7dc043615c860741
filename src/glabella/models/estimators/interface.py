"""What every estimator offers: log odds, probabilities, exact contributions, a plain state."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin

from glabella.errors import AnalysisError
from glabella.features.spec import FeatureSpec

Floats = npt.NDArray[np.float64]
Centring = Literal["none", "trial"]


@dataclass(frozen=True)
class Contributions:
    """What each feature adds to each prediction, on the log-odds scale.

    Parameters
    ----------
    features : tuple of str
        The features, patient's first.
    values : array of float, shape (n_rows, n_features)
        Positive towards response.
    base : array of float, shape (n_rows,)
        Each row's sum of values and base is its log odds.
    """

    features: tuple[str, ...]
    values: Floats
    base: Floats


class ResponderModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of response that can explain itself and be written as plain values.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of whatever the fit draws.
    """

    needs_arm: ClassVar[bool] = False
    needs_severity: ClassVar[bool] = False
    has_binary: ClassVar[bool] = False

    def __init__(self, specs: Sequence[FeatureSpec] = (), random_state: int | None = None):
        self.specs = specs
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Fit to training rows.

        Parameters
        ----------
        X : DataFrame, shape (n_rows, n_columns)
            Features by name.
        y : array of int, shape (n_rows,)
            1 for responders, 0 for others.

        Returns
        -------
        ResponderModel
            Itself, fitted.

        Raises
        ------
        AnalysisError
            If a column that the model cannot do without is missing.
        ValueError
            If `y` holds one class only.
        """
        responded = np.asarray(y, dtype=int)
        if len(np.unique(responded)) < 2:
            raise ValueError("the training rows hold one class only")
        if self.needs_arm and not any(spec.part == "arm" for spec in self.specs):
            raise AnalysisError("the analysis declares no arms", remedy="Declare `arms:`.")
        if self.needs_severity and not any(spec.is_severity for spec in self.specs):
            raise AnalysisError(
                "the feature set lacks the endpoint's own variable at baseline",
                remedy="Add it with `builder: baseline_score`.",
            )
        self.classes_ = np.array([0, 1])
        self._fit(X, responded)
        return self

    @abstractmethod
    def _fit(self, X: pd.DataFrame, responded: npt.NDArray[np.int_]) -> None: ...

    @abstractmethod
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

    @abstractmethod
    def contributions(self, X: pd.DataFrame) -> Contributions:
        """Compute what each feature adds to each prediction, exactly.

        Parameters
        ----------
        X : DataFrame
            Features by name.

        Returns
        -------
        Contributions
            Additive to `log_odds`.
        """

    @abstractmethod
    def export_state(self) -> dict[str, Any]:
        """Write what was learnt as plain values.

        Returns
        -------
        dict
            For JSON.
        """

    @abstractmethod
    def restore_state(self, state: dict[str, Any]) -> None:
        """Take over an exported state.

        Parameters
        ----------
        state : dict
            From `export_state`.
        """

    def count_parameters(self, X: pd.DataFrame) -> int | None:
        """Count what a fit to these rows would estimate beside the intercept.

        Parameters
        ----------
        X : DataFrame
            Features by name.

        Returns
        -------
        int or None
            None where the model has no fixed number.
        """
        return None

    def export_binary(self) -> bytes | None:
        """Write the part of the state that has a format of its own.

        Returns
        -------
        bytes or None
            None where the plain values are all.
        """
        return None

    def restore_binary(self, content: bytes) -> None:
        """Take over an exported binary part.

        Parameters
        ----------
        content : bytes
            From `export_binary`.

        Raises
        ------
        ValueError
            If this model has none.
        """
        raise ValueError("this model has no binary part")

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """Predict probabilities.

        Parameters
        ----------
        X : DataFrame
            Features by name.

        Returns
        -------
        array of float, shape (n_rows, 2)
            Of no response, of response.
        """
        probability = np.asarray(expit(self.log_odds(X)), dtype=float)
        return np.column_stack([1.0 - probability, probability])

    def predict(self, X: pd.DataFrame) -> npt.NDArray[np.int_]:
        """Predict the likelier class.

        Parameters
        ----------
        X : DataFrame
            Features by name.

        Returns
        -------
        array of int, shape (n_rows,)
            1 where response is likelier than not.
        """
        return (self.log_odds(X) > 0).astype(int)

    def _find_trial(self) -> str | None:
        """Name the column within which features are centred, where they are."""
        if getattr(self, "centring", "none") == "none":
            return None
        return next((spec.name for spec in self.specs if spec.part == "trial"), None)

    def _explained(self) -> tuple[str, ...]:
        """The features that contributions are given for: the patient's, then the arm."""
        parts = {"patient": 0, "arm": 1, "trial": 2}
        ordered = sorted(self.specs, key=lambda spec: parts[spec.part])
        return tuple(spec.name for spec in ordered if spec.part != "trial")
