"""A random forest of probability trees, grown by XGBoost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost
from scipy.special import logit

from glabella.features.feature_columns import FeatureColumns
from glabella.features.spec import FeatureSpec
from glabella.models.encoding import Features, check_finite
from glabella.models.estimators.contributions import Contributions
from glabella.models.estimators.interface import (
    Floats,
)
from glabella.models.estimators.trees import BINS, TreeModel
from glabella.models.stored_trees import ExpectedTrees

__all__ = ["RandomForestModel"]


class RandomForestModel(TreeModel):
    """A random forest of probability trees, grown by XGBoost.

    A tree's prediction is the mean in the leaf of what exceeds the rate of the arm, and the
    forest's the mean over trees: it adds up on the probability scale. Rows are drawn without
    replacement.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of the row and column samples.
    n_trees : int
        Number of trees.
    max_depth : int
        Depth of each tree.
    min_leaf : int
        Fewest participants in a leaf.
    columns : float
        Share of columns drawn at each split.

    References
    ----------
    .. [1] Breiman L. Random forests. Mach Learn 2001;45:5-32.
    .. [2] Malley JD, Kruppa J, Dasgupta A, Malley KG, Ziegler A. Probability machines: consistent
       probability estimation using nonparametric learning machines. Methods Inf Med
       2012;51:74-81.
    """

    is_additive = False
    frees_arm = True

    def __init__(
        self,
        specs: Sequence[FeatureSpec] = (),
        random_state: int | None = None,
        n_trees: int = 300,
        max_depth: int = 8,
        min_leaf: int = 5,
        columns: float = 0.33,
    ):
        super().__init__(specs=specs, random_state=random_state)
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.min_leaf = min_leaf
        self.columns = columns

    def _describe_trees(self) -> ExpectedTrees:
        # A fit's only round is the forest.
        return ExpectedTrees("reg:squarederror", 1, self.n_trees, self._count_levels())

    def _fit(self, X: FeatureColumns, responded: npt.NDArray[np.int_]) -> None:
        self._learn_encoding(X)
        self.least_ = 0.5 / (len(responded) + 1.0)
        self.booster_ = xgboost.train(
            {
                # With neither shrinkage nor penalty a leaf holds the mean of what it is fitted to.
                "objective": "reg:squarederror",
                "base_score": float(responded.mean()),
                "learning_rate": 1.0,
                "reg_lambda": 0.0,
                "tree_method": "hist",
                "max_bin": BINS,
                "num_parallel_tree": self.n_trees,
                "max_depth": self.max_depth,
                "min_child_weight": float(self.min_leaf),
                "subsample": 0.632,
                "colsample_bynode": self.columns,
                "seed": self.random_state or 0,
                "nthread": 1,
            },
            self._collect(X, responded),
            num_boost_round=1,
        )

    def _find_probability(self, X: FeatureColumns) -> Floats:
        return np.clip(self._predict(X), self.least_, 1.0 - self.least_)

    def log_odds(self, X: Features) -> Floats:
        """Predict the log odds of response.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        array of float, shape (n_rows,)
            Of the mean over trees, kept from 0 and 1 by half a participant in all trained on.
        """
        return np.asarray(logit(self._find_probability(self._read(X))), dtype=float)

    def contributions(self, X: Features) -> Contributions:
        """Compute path-dependent tree SHAP values, exactly, by XGBoost itself.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Contributions
            On the probability scale.
        """
        columns = self._read(X)
        parts = self._attribute(columns)
        # What keeps a probability from 0 and 1 is no feature's.
        kept = self._find_probability(columns) - self._predict(columns)
        return Contributions(parts.features, parts.values, parts.base + kept, "probability")

    def export_state(self) -> dict[str, Any]:
        """Write the encoding as plain values; the trees are the binary part.

        Returns
        -------
        dict
            For JSON.
        """
        return {**super().export_state(), "least": self.least_}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take over an exported encoding.

        Parameters
        ----------
        state : dict
            From `export_state`.

        Raises
        ------
        ValueError
            If the least probability is none.
        """
        super().restore_state(state)
        self.least_ = check_finite(state["least"])
        if not 0.0 < self.least_ < 0.5:
            raise ValueError("the least probability is none")
