"""Shallow boosted trees."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost

from glabella.features.spec import FeatureSpec
from glabella.models.encoding import Encoding, fit_encoding
from glabella.models.estimators.interface import Centring, Contributions, Floats, ResponderModel


class XGBoostModel(ResponderModel):
    """Gradient-boosted trees by XGBoost, with missing values left to the trees.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of the row and column samples.
    n_trees : int
        Number of trees.
    max_depth : int
        Depth of each tree; 1 allows no interaction.
    learning_rate : float
        Shrinkage of each tree.
    min_child_weight : float
        Least sum of p(1 - p) in a leaf.
    penalty : float
        Ridge penalty on the leaves.
    subsample : float
        Share of rows drawn for each tree.
    centring : str
        ``none``, or ``trial``: the patient's features are centred at the means of each trial, so
        that trees learn of differences inside trials. Whose trial the fit did not see, or who is
        scored, is taken to come from a trial at the mean over trials.

    References
    ----------
    .. [1] Chen T, Guestrin C. XGBoost: a scalable tree boosting system. KDD 2016:785-794.
    """

    has_binary: ClassVar[bool] = True

    def __init__(
        self,
        specs: Sequence[FeatureSpec] = (),
        random_state: int | None = None,
        n_trees: int = 100,
        max_depth: int = 2,
        learning_rate: float = 0.05,
        min_child_weight: float = 1.0,
        penalty: float = 1.0,
        subsample: float = 0.8,
        centring: Centring = "none",
    ):
        super().__init__(specs=specs, random_state=random_state)
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.min_child_weight = min_child_weight
        self.penalty = penalty
        self.subsample = subsample
        self.centring = centring

    def _used(self) -> list[FeatureSpec]:
        return [spec for spec in self.specs if spec.part != "trial"]

    def _encode(self, X: pd.DataFrame) -> Floats:
        matrix = self.encoding_.transform(X)
        # XGBoost takes no matrix without columns; where nothing varies, one of zeros stands in.
        return matrix if matrix.shape[1] else np.zeros((len(X), 1))

    def _fit(self, X: pd.DataFrame, responded: npt.NDArray[np.int_]) -> None:
        self.encoding_ = fit_encoding(
            X, self._used(), fill_and_scale=False, within=self._find_trial()
        )
        rows = xgboost.DMatrix(self._encode(X), label=responded, nthread=1)
        self.booster_ = xgboost.train(
            {
                "objective": "binary:logistic",
                "tree_method": "hist",
                "max_depth": self.max_depth,
                "learning_rate": self.learning_rate,
                "min_child_weight": self.min_child_weight,
                "reg_lambda": self.penalty,
                "subsample": self.subsample,
                "seed": self.random_state or 0,
                # Folds are what runs in parallel; a fit takes one thread.
                "nthread": 1,
            },
            rows,
            num_boost_round=self.n_trees,
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
            Higher means likelier; computed by XGBoost in single precision.
        """
        matrix = self._encode(X)
        return np.asarray(self.booster_.inplace_predict(matrix, predict_type="margin"), dtype=float)

    def contributions(self, X: pd.DataFrame) -> Contributions:
        """Compute path-dependent tree SHAP values, exactly, by XGBoost itself.

        Parameters
        ----------
        X : DataFrame
            Features by name.

        Returns
        -------
        Contributions
            One-hot parts summed to their feature.

        References
        ----------
        .. [1] Lundberg SM et al. From local explanations to global understanding with explainable
           AI for trees. Nat Mach Intell 2020;2:56-67.
        """
        features = self._explained()
        rows = xgboost.DMatrix(self._encode(X), nthread=1)
        raw = np.asarray(self.booster_.predict(rows, pred_contribs=True), dtype=float)
        return Contributions(
            features=features,
            values=self.encoding_.sum_by_feature(raw[:, :-1], features),
            base=raw[:, -1],
        )

    def export_state(self) -> dict[str, Any]:
        """Write the encoding as plain values; the trees are the binary part.

        Returns
        -------
        dict
            For JSON.
        """
        trees = hashlib.sha256(self.export_binary()).hexdigest()
        return {"encoding": self.encoding_.export(), "trees_sha256": trees}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take over an exported encoding.

        Parameters
        ----------
        state : dict
            From `export_state`.
        """
        self.classes_ = np.array([0, 1])
        self.encoding_ = Encoding.restore(state["encoding"], self._used(), trial=self._find_trial())
        self.trees_sha256_ = str(state["trees_sha256"])

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
            If it is not what `export_state` was written with. XGBoost's own reader ends the
            process on a file that was cut off.
        """
        if hashlib.sha256(content).hexdigest() != self.trees_sha256_:
            raise ValueError("the trees are not those of the model")
        self.booster_ = xgboost.Booster(params={"nthread": 1})
        self.booster_.load_model(bytearray(content))
        if self.booster_.num_features() != max(len(self.encoding_.columns), 1):
            raise ValueError("the trees are of other columns than the encoding's")
