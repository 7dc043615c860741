"""References that know no patient: observed rates of response by arm, and by trial."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit
from sklearn.utils import Tags

from glabella.features.feature_columns import FeatureColumns
from glabella.models.encoding import Features, check_finite
from glabella.models.estimators.contributions import Contributions
from glabella.models.estimators.interface import Floats, ResponderModel

__all__ = ["ArmRateModel", "PrevalenceModel"]


class RateModel(ResponderModel):
    """Rates of response in the cells of some columns.

    A rate is (responders + 1/2) / (participants + 1), so that no cell predicts certainty. Where
    a cell was never seen, the last column is left aside, and so on down to the overall rate.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Not used.

    References
    ----------
    .. [1] Jeffreys H. Theory of Probability. Oxford, 1961: the prior Beta(1/2, 1/2).
    """

    attribution_method: ClassVar[str] = "steps from the overall rate to the rate of the cell"
    attribution_method_against: ClassVar[str] = attribution_method
    parts: ClassVar[tuple[str, ...]] = ()
    frees_arm = True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # Rates know no patient: on other tables they tell nothing apart.
        tags.classifier_tags.poor_score = True
        return tags

    def _find_columns(self) -> list[str]:
        return [
            spec.name for part in self.parts for spec in self._list_specs() if spec.part == part
        ]

    def _fit(self, X: FeatureColumns, responded: npt.NDArray[np.int_]) -> None:
        self.columns_ = self._find_columns()
        self.rates_: dict[tuple[str, ...], float] = {}
        for depth in range(len(self.columns_) + 1):
            keys = _list_keys(X, self.columns_[:depth])
            table = pd.DataFrame({"key": keys, "responded": responded})
            for key, group in table.groupby("key", sort=True)["responded"]:
                rate = (group.sum() + 0.5) / (len(group) + 1.0)
                self.rates_[tuple(key)] = float(logit(rate))  # type: ignore[arg-type]

    def count_parameters(self, X: Features) -> int:
        """Count the cells beyond the first.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        int
            One for each further rate.
        """
        columns = self._find_columns()
        return len(set(_list_keys(self._read_features(X), columns))) - 1

    def _compute_levels(self, X: FeatureColumns) -> Floats:
        """Log odds of each row as column after column is taken into account."""
        path = np.empty((len(X), len(self.columns_) + 1))
        for depth in range(len(self.columns_) + 1):
            known = path[:, depth - 1] if depth else np.zeros(len(X))
            keys = _list_keys(X, self.columns_[:depth])
            path[:, depth] = [
                self.rates_.get(key, before) for key, before in zip(keys, known, strict=True)
            ]
        return path

    def log_odds(self, X: Features) -> Floats:
        """Look up each row's rate.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        array of float, shape (n_rows,)
            Log odds.
        """
        return np.asarray(self._compute_levels(self._read(X))[:, -1], dtype=float)

    def contributions(self, X: Features) -> Contributions:
        """Attribute to each column the step from the rate without it to the rate with it.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Contributions
            The trial's step belongs to the base: it is no feature of the patient.
        """
        path = self._compute_levels(self._read(X))
        features = self._list_explained()
        values = np.zeros((len(X), len(features)))
        base = path[:, 0].copy()
        for index, column in enumerate(self.columns_):
            step = path[:, index + 1] - path[:, index]
            if column in features:
                values[:, features.index(column)] = step
            else:
                base += step
        return Contributions(features, values, base)

    def explain_against(self, background: Features, weight: Floats) -> None:
        """Stay as it is: steps from one rate to another have no background.

        Parameters
        ----------
        background : DataFrame or FeatureColumns
            Not used.
        weight : array of float
            Not used.
        """

    def export_state(self) -> dict[str, Any]:
        """Write the rates as plain values.

        Returns
        -------
        dict
            Columns and the log odds of each cell.
        """
        return {
            "columns": self.columns_,
            "rates": [[list(key), value] for key, value in self.rates_.items()],
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take over exported rates.

        Parameters
        ----------
        state : dict
            From `export_state`.
        """
        self._restore_notes()
        self.columns_ = self._find_columns()
        self.rates_ = {tuple(map(str, key)): check_finite(value) for key, value in state["rates"]}
        if state["columns"] != self.columns_ or () not in self.rates_:
            raise ValueError("the rates are not of the columns that the model uses")


class PrevalenceModel(RateModel):
    """The rate by arm, and by trial where the trial is known; a new trial gets the pooled one.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Not used.
    """

    parts = ("arm", "trial")


class ArmRateModel(RateModel):
    """The rate by arm.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Not used.
    """

    parts = ("arm",)
    needs_arm = True


def _list_keys(columns: FeatureColumns, names: list[str]) -> list[tuple[str, ...]]:
    if not names:
        return [()] * len(columns)
    return list(zip(*(columns.get_labels(name).tolist() for name in names), strict=True))
