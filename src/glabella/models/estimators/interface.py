"""What every estimator offers: log odds, probabilities, exact contributions, a plain state."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from glabella.errors import AnalysisError
from glabella.features.feature_columns import FeatureColumns
from glabella.features.spec import FeatureSpec
from glabella.models.encoding import Features
from glabella.models.estimators.contributions import Contributions, Interactions

__all__ = ["ResponderModel"]

Floats = npt.NDArray[np.float64]
Centring = Literal["none", "trial"]


class ResponderModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of response that can explain itself and be written as plain values.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used. Without any, a table of numbers is taken as it is, as other
        estimators of scikit-learn take it.
    random_state : int, optional
        Seed of whatever the fit draws.
    """

    needs_arm: ClassVar[bool] = False
    needs_severity: ClassVar[bool] = False
    needs_margin: ClassVar[bool] = False
    has_binary: ClassVar[bool] = False
    # What an extra of the same name as the estimator installs, and a fit needs.
    package: ClassVar[str | None] = None
    # How its contributions are computed, for the report; every estimator says it of itself.
    attribution_method: ClassVar[str]
    attribution_method_against: ClassVar[str] = (
        "interventional SHAP values, computed exactly, against {count} training participants at "
        "most, weighted by trial and arm"
    )
    is_additive: bool = True
    # Whether the effect of the arm is fitted without shrinkage; if not, each arm gets an intercept
    # from held-out predictions.
    frees_arm: bool = False

    def __init__(self, specs: Sequence[FeatureSpec] = (), random_state: int | None = None):
        self.specs = specs
        self.random_state = random_state

    def __sklearn_clone__(self) -> Self:
        # Specs are frozen, and scikit-learn would copy each of them deeply in every fit.
        params = self.get_params(deep=False).items()
        return type(self)(
            **{
                name: value if name == "specs" else clone(value, safe=False)
                for name, value in params
            }
        )

    def fit(self, X: Features, y: npt.ArrayLike) -> Self:
        """Fit to training rows.

        Parameters
        ----------
        X : DataFrame or FeatureColumns, shape (n_rows, n_columns)
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
            If `y` holds one class only, or a number is infinite.
        """
        self._fit(*self._check_fit(X, y))
        return self

    def _check_fit(
        self, X: Features, y: npt.ArrayLike
    ) -> tuple[FeatureColumns, npt.NDArray[np.int_]]:
        """Read and check what is fitted to, and note the columns and classes."""
        if self.specs:
            self.specs_ = tuple(self.specs)
            self.n_features_in_ = len(self.specs_)
            columns = self._read_features(X)
            labels = np.asarray(y)
        else:
            columns, labels = self._read_digits(X, y)
            self.specs_ = tuple(FeatureSpec(name, name, "number") for name in columns.names)
        self.classes_, responded = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("the training rows hold one class only")
        if self.needs_arm and not any(spec.part == "arm" for spec in self.specs_):
            raise AnalysisError("the analysis declares no arms", remedy="Declare `arms:`.")
        if self.needs_severity and not any(spec.is_severity for spec in self.specs_):
            raise AnalysisError(
                "the feature set lacks the endpoint's own variable at baseline",
                remedy="Add it with `builder: baseline_score`.",
            )
        return columns, responded

    def _read_digits(
        self, X: Features, y: npt.ArrayLike
    ) -> tuple[FeatureColumns, npt.NDArray[Any]]:
        if y is None:
            raise ValueError("the fit requires y to be passed, but the target y is None")
        matrix, labels = validate_data(self, X, y, dtype=float, ensure_all_finite="allow-nan")
        columns = self._name_columns(matrix)
        check_classification_targets(labels)
        if type_of_target(labels) != "binary" and len(np.unique(labels)) > 2:
            raise ValueError(
                "Only binary classification is supported. "
                f"The type of the target is {type_of_target(labels)}."
            )
        return columns, column_or_1d(labels)

    def _name_columns(self, matrix: Floats) -> FeatureColumns:
        if np.isinf(matrix).any():
            raise ValueError("Input X contains infinity")
        return FeatureColumns.of_matrix(matrix)

    def _read(self, X: Features) -> FeatureColumns:
        """Read rows to be predicted."""
        check_is_fitted(self, "classes_")
        if self.specs:
            return self._read_features(X)
        if isinstance(X, FeatureColumns):
            return X
        return self._name_columns(
            validate_data(self, X, dtype=float, ensure_all_finite="allow-nan", reset=False)
        )

    def _read_features(self, X: Features) -> FeatureColumns:
        columns = X if isinstance(X, FeatureColumns) else FeatureColumns.read(X, self.specs)
        check_infinite(columns)
        return columns

    def _restore_notes(self) -> None:
        """Note what a fit notes, where a state is restored instead."""
        self.classes_ = np.array([0, 1])
        self.specs_ = tuple(self.specs)
        self.n_features_in_ = len(self.specs_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def predict_settings(
        self,
        settings: Sequence[Mapping[str, Any]],
        X: Features,
        y: npt.ArrayLike,
        held_out: Features,
        **more: Any,
    ) -> Floats:
        """Predict held-out rows under each of several settings.

        Parameters
        ----------
        settings : sequence of mapping
            Each over this model's own.
        X : DataFrame or FeatureColumns
            Training rows.
        y : array of int, shape (n_rows,)
            1 for responders, 0 for others.
        held_out : DataFrame or FeatureColumns
            The rows to predict.
        **more : Any
            For `fit`.

        Returns
        -------
        array of float, shape (n_settings, n_held_out)
            Log odds; a model that can follow many settings at the cost of one fit does so.
        """
        return self._follow(settings, X, y, held_out, **more)

    def _follow(
        self,
        settings: Sequence[Mapping[str, Any]],
        X: Features,
        y: npt.ArrayLike,
        held_out: Features,
        **more: Any,
    ) -> Floats:
        return np.array(
            [
                clone(self).set_params(**setting).fit(X, y, **more).log_odds(held_out)
                for setting in settings
            ]
        )

    @abstractmethod
    def _fit(self, X: FeatureColumns, responded: npt.NDArray[np.int_]) -> None: ...

    @abstractmethod
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

    @abstractmethod
    def contributions(self, X: Features) -> Contributions:
        """Compute what each feature adds to each prediction, exactly.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Contributions
            Additive to `log_odds`.
        """

    def explain_against(self, background: Features, weight: Floats) -> None:
        """Have contributions computed against stated rows: interventional SHAP values, exactly.

        Parameters
        ----------
        background : DataFrame or FeatureColumns, shape (n_background, n_columns)
            Features by name. Of the rows, only sums stay.
        weight : array of float, shape (n_background,)
            Not negative, adding to one.

        Raises
        ------
        AnalysisError
            If the model can't do so.

        References
        ----------
        .. [1] Janzing D, Minorics L, Blobaum P. Feature relevance quantification in explainable
           AI: a causal problem. AISTATS 2020, PMLR 108:2907-2916.
        """
        raise AnalysisError(
            f"a {type(self).__name__} can't be explained against a background",
            remedy="Set `values: path_dependent` under `explanation:`, or leave it out.",
        )

    def interactions(self, X: Features) -> Interactions:
        """Divide contributions into each feature's own and those of pairs, exactly.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Interactions
            All of it on the diagonal for a model that adds its features up. Against a background
            pairs stay as they are without one.
        """
        found = self.contributions(X)
        count = len(found.features)
        values = np.zeros((len(found.values), count, count))
        values[:, range(count), range(count)] = found.values
        return Interactions(found.features, values, found.scale)

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

    def count_parameters(self, X: Features) -> int | None:
        """Count what a fit to these rows would estimate beside the intercept.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
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

    def predict_proba(self, X: Features) -> Floats:
        """Predict probabilities.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        array of float, shape (n_rows, 2)
            Of no response, of response.
        """
        probability = np.asarray(expit(self.log_odds(X)), dtype=float)
        return np.column_stack([1.0 - probability, probability])

    def predict(self, X: Features) -> npt.NDArray[Any]:
        """Predict the likelier class.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        array, shape (n_rows,)
            1 where response is likelier than not.
        """
        likelier = (self.log_odds(X) > 0).astype(int)
        return np.asarray(self.classes_[likelier])

    def decision_function(self, X: Features) -> Floats:
        """Give the log odds under the name that scikit-learn looks for.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        array of float, shape (n_rows,)
            Above zero where response is likelier than not.
        """
        return self.log_odds(X)

    @property
    def fills_missing(self) -> bool:
        """Whether a missing value is filled in with what was learnt, the commonest or a median."""
        return False

    def _find_trial(self) -> str | None:
        """Name the column within which features are centred, where they are."""
        if getattr(self, "centring", "none") == "none":
            return None
        return next((spec.name for spec in self._list_specs() if spec.part == "trial"), None)

    def _list_specs(self) -> tuple[FeatureSpec, ...]:
        """The columns of the fit; before it, those that it may use."""
        return getattr(self, "specs_", None) or tuple(self.specs)

    def _list_explained(self) -> tuple[str, ...]:
        """The features that contributions are given for: the patient's, then the arm."""
        parts = {"patient": 0, "arm": 1, "trial": 2}
        ordered = sorted(self._list_specs(), key=lambda spec: parts[spec.part])
        return tuple(spec.name for spec in ordered if spec.part != "trial")


def find_rounds(
    settings: Sequence[Mapping[str, Any]], name: str, default: int
) -> list[tuple[dict[str, Any], dict[int, int]]]:
    """Group settings that differ in their number of rounds alone.

    Parameters
    ----------
    settings : sequence of mapping
        Each over a model's own.
    name : str
        The setting that is the number of rounds.
    default : int
        Where a setting states none.

    Returns
    -------
    list of tuple of dict
        For each group what its settings share, and the rounds by position in `settings`.

    Examples
    --------
    >>> find_rounds([{"n": 5, "depth": 1}, {"depth": 1}, {"n": 5, "depth": 2}], "n", 9)
    [({'depth': 1}, {0: 5, 1: 9}), ({'depth': 2}, {2: 5})]
    """
    groups: dict[tuple[Any, ...], dict[int, int]] = {}
    for at, setting in enumerate(settings):
        others = {other: value for other, value in setting.items() if other != name}
        groups.setdefault(tuple(sorted(others.items())), {})[at] = setting.get(name, default)
    return [(dict(others), rounds) for others, rounds in groups.items()]


def check_infinite(columns: FeatureColumns) -> None:
    """Refuse numbers without end, which no model can weigh.

    Parameters
    ----------
    columns : FeatureColumns
        What was read.

    Raises
    ------
    ValueError
        With the feature's name.
    """
    name = columns.find_infinite()
    if name is not None:
        raise ValueError(f"the feature {name} holds infinite values")
