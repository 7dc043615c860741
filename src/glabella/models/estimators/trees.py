"""What boosted trees and forests have in common: XGBoost's booster, read and explained."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import xgboost

from glabella.errors import AnalysisError
from glabella.features.feature_columns import FeatureColumns
from glabella.features.spec import FeatureSpec
from glabella.models.arm_steps import ArmSteps, compute_rates
from glabella.models.encoding import Encoding, Features, fit_encoding
from glabella.models.estimators.contributions import Contributions, Interactions, Scale
from glabella.models.estimators.interface import (
    Floats,
    ResponderModel,
)
from glabella.models.interventional import TreeBackground, read_trees
from glabella.models.stored_trees import ExpectedTrees, check_trees

# XGBoost adds up in single precision: relative to the terms' sizes, it is off by no more than this.
_SINGLE = 1e-5

# Cuts beyond these change little in trials' sizes, and cost most of the time.
BINS = 64


class TreeModel(ResponderModel):
    """Trees over encoded features, missing values and categories left to XGBoost.

    They start from the rate of response in each arm and are fitted to what is left: the arm, one
    feature among many, would be shrunk otherwise.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of the row and column samples.
    """

    has_binary: ClassVar[bool] = True
    attribution_method: ClassVar[str] = (
        "path-dependent tree SHAP values, computed exactly by XGBoost"
    )

    def _select_used(self) -> list[FeatureSpec]:
        return [spec for spec in self._list_specs() if spec.part != "trial"]

    def _learn_encoding(self, X: Features) -> None:
        # Codes have no mean: where features are centred, each level has an indicator.
        within = self._find_trial()
        self.background_: TreeBackground | None = None
        self.encoding_ = fit_encoding(
            X, self._select_used(), fill_and_scale=False, within=within, as_codes=within is None
        )

    def _encode(self, X: Features) -> Floats:
        matrix = self.encoding_.transform(X)
        # XGBoost takes no matrix without columns; where nothing varies, one of zeros stands in.
        return matrix if matrix.shape[1] else np.zeros((len(X), 1))

    @abstractmethod
    def _describe_trees(self) -> ExpectedTrees:
        """Say what stored trees of this model must be of."""

    def _count_levels(self) -> tuple[int, ...]:
        return tuple(len(column.levels) for column in self.encoding_.columns) or (0,)

    def _list_types(self) -> list[str]:
        return ["c" if column.levels else "q" for column in self.encoding_.columns] or ["q"]

    def _collect(
        self, X: FeatureColumns, responded: npt.NDArray[np.int_]
    ) -> xgboost.QuantileDMatrix:
        """Bin rows to be fitted to, and learn the rates that trees start from."""
        self._start_from(compute_rates(X, self._list_specs(), responded))
        return xgboost.QuantileDMatrix(
            self._encode(X),
            label=responded.astype(float),
            base_margin=self._find_start(X),
            max_bin=BINS,
            nthread=1,
            feature_types=self._list_types(),
            enable_categorical=True,
        )

    def _start_from(self, rates: ArmSteps) -> None:
        self.start_ = rates.to_log_odds() if self.is_additive else rates

    def _find_start(self, X: Features) -> Floats:
        columns = X if isinstance(X, FeatureColumns) else self._read(X)
        return self.start_.find_values(columns, self._list_specs())

    def _predict(self, X: Features, rounds: tuple[int, int] = (0, 0)) -> Floats:
        if not len(X):
            # XGBoost warns of a table without rows.
            return np.empty(0)
        return self._predict_booster(
            self._read_booster(X), output_margin=True, iteration_range=rounds
        )

    def _predict_booster(self, rows: xgboost.DMatrix, **what: Any) -> Floats:
        try:
            return np.asarray(self.booster_.predict(rows, **what), dtype=float)
        except xgboost.core.XGBoostError:
            # Its own message holds addresses of its code, and may hold values of rows.
            raise AnalysisError(
                "XGBoost can't compute what was asked of the model's trees",
                remedy="Train the model again; if that does not help, report this with the "
                "version of XGBoost.",
            ) from None

    def _read_booster(self, X: Features) -> xgboost.DMatrix:
        return xgboost.DMatrix(
            self._encode(X),
            base_margin=self._find_start(X),
            nthread=1,
            feature_types=self._list_types(),
            enable_categorical=True,
        )

    def _attribute(self, X: Features) -> Contributions:
        """Attribute what trees add as XGBoost does or against a background, and the start."""
        found = self._attribute_trees(X)
        columns, start = self._read(X), self._find_start(X)
        values = self.start_.add_to(found.values, columns, self._list_specs(), found.features)
        return replace(found, values=values, base=found.base - start + self.start_.center)

    def _attribute_trees(self, X: Features) -> Contributions:
        """Attribute what trees add; the base of a row is its start, and what trees add anyway."""
        features = self._list_explained()
        if self.background_ is not None:
            return self._attribute_against(self.background_, X, features)
        if not len(X):
            return Contributions(features, np.empty((0, len(features))), np.empty(0))
        rows = self._read_booster(X)
        raw = self._predict_booster(rows, pred_contribs=True)
        margin = self._predict_booster(rows, output_margin=True)
        return Contributions(
            features=features,
            values=self.encoding_.sum_by_feature(raw[:, :-1], features),
            # What single precision rounds off is no feature's.
            base=raw[:, -1] + _find_rounding(margin, raw),
        )

    def interactions(self, X: Features) -> Interactions:
        """Compute path-dependent SHAP interaction values, exactly, by XGBoost itself.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Interactions
            One-hot parts summed to their feature.

        References
        ----------
        .. [1] Lundberg SM et al. From local explanations to global understanding with explainable
           AI for trees. Nat Mach Intell 2020;2:56-67.
        """
        columns = self._read(X)
        features = self._list_explained()
        raw = self._predict_booster(self._read_booster(columns), pred_interactions=True)
        count = len(self.encoding_.columns)
        scale: Scale = "log odds" if self.is_additive else "probability"
        values = self.encoding_.sum_pairs_by_feature(raw[:, :count, :count], features)
        own = range(len(features))
        values[:, own, own] = self.start_.add_to(
            values[:, own, own], columns, self._list_specs(), features
        )
        return Interactions(features, values, scale)

    def explain_against(self, background: Features, weight: Floats) -> None:
        """Have contributions computed against stated rows.

        Parameters
        ----------
        background : DataFrame or FeatureColumns, shape (n_background, n_columns)
            Features by name. What stays of them is, for each leaf, how many pass which of the
            questions on the way.
        weight : array of float, shape (n_background,)
            Not negative, adding to one.
        """
        columns = self._read(background)
        self.background_ = TreeBackground.learn(
            read_trees(self.booster_), self._encode(columns), weight
        )
        self.start_ = self.start_.with_center(columns, self._list_specs(), weight)

    def _attribute_against(
        self, background: TreeBackground, X: Features, features: tuple[str, ...]
    ) -> Contributions:
        matrix = self._encode(X)
        values, mean = background.attribute(matrix)
        margin = self._predict(X)
        base = margin - values.sum(axis=1)
        # Beside where trees start there is their mean: one number for all rows.
        rest = base - self._find_start(X)
        sizes = np.abs(values).sum(axis=1) + abs(mean)
        if len(base) and (np.abs(rest - np.median(rest)) > _SINGLE * (1.0 + sizes)).any():
            raise AnalysisError(
                "attributions against the background do not add up to XGBoost's prediction",
                remedy="Report this with the version of XGBoost: an exact method must add up.",
            )
        return Contributions(features, self.encoding_.sum_by_feature(values, features), base)

    def export_state(self) -> dict[str, Any]:
        """Write the encoding as plain values; the trees are the binary part.

        Returns
        -------
        dict
            For JSON.
        """
        trees = hashlib.sha256(self.export_binary()).hexdigest()
        background = self.background_
        return {
            "encoding": self.encoding_.export(),
            "trees_sha256": trees,
            "start": self.start_.export(),
            **({} if background is None else {"background": background.export()}),
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take over an exported encoding.

        Parameters
        ----------
        state : dict
            From `export_state`.
        """
        self._restore_notes()
        self.encoding_ = Encoding.restore(
            state["encoding"], self._select_used(), trial=self._find_trial()
        )
        self.trees_sha256_ = str(state["trees_sha256"])
        self.start_ = ArmSteps.restore(state["start"], self.specs_)
        self._patterns = state.get("background")

    def export_binary(self) -> bytes:
        """Write the trees in XGBoost's own UBJSON.

        Returns
        -------
        bytes
            Data only: nothing in the format can be executed.
        """
        return bytes(self.booster_.save_raw(raw_format="ubj"))

    def restore_binary(self, content: bytes) -> None:
        """Take over trees in UBJSON.

        Parameters
        ----------
        content : bytes
            From `export_binary`.

        Raises
        ------
        ValueError
            If it is not what `export_state` was written with, or such as no fit writes: XGBoost's
            own reader takes the structure on trust, and ends the process where it is wrong.
        """
        if hashlib.sha256(content).hexdigest() != self.trees_sha256_:
            raise ValueError("the trees are not those of the model")
        check_trees(content, self._describe_trees())
        self.booster_ = xgboost.Booster(params={"nthread": 1})
        self.booster_.load_model(bytearray(content))
        self.background_ = (
            None
            if self._patterns is None
            else TreeBackground.restore(read_trees(self.booster_), self._patterns)
        )


def _find_rounding(margin: Floats, raw: Floats) -> Floats:
    """Compare sums of attributions with what they explain, and refuse more than rounding."""
    rounding = margin - raw.sum(axis=1)
    if (np.abs(rounding) > _SINGLE * (1.0 + np.abs(raw).sum(axis=1))).any():
        raise AnalysisError(
            f"XGBoost's attributions miss its prediction by up to {np.abs(rounding).max():.2g}, "
            "so they do not explain it",
            remedy="Report this with the version of XGBoost: an exact method must add up.",
        )
    return np.asarray(rounding, dtype=float)
