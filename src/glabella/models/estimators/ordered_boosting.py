"""Boosted symmetric trees, by the package CatBoost."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from glabella.errors import AnalysisError
from glabella.features.spec import FeatureSpec
from glabella.models.encoding import Encoding, Features, check_finite, fit_encoding
from glabella.models.estimators.contributions import Contributions, Interactions
from glabella.models.estimators.interface import Floats, ResponderModel, find_rounds

__all__ = ["CatBoostModel"]

# What CatBoost writes of two classes, of a column, and of a question; and its own limit of depth.
_CLASSES = {
    "class_label_type": "Integer",
    "class_names": [0, 1],
    "class_to_label": [0, 1],
    "classes_count": 0,
}
_FEATURE = {
    "borders", "feature_id", "feature_index", "flat_feature_index", "has_nans",
    "nan_value_treatment",
}  # fmt: skip
_SPLIT = {"border", "float_feature_index", "split_index", "split_type"}
_DEEPEST = 16


class CatBoostModel(ResponderModel):
    """Boosted trees that split all nodes of a level alike, with ordered boosting.

    Categories stand as indicators of their levels: CatBoost's own statistics of the outcome by
    level would need the training outcomes in the file.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of permutations and of the noise in the choice of splits.
    n_trees : int
        Rounds of boosting.
    max_depth : int
        Depth of each tree.
    learning_rate : float
        Shrinkage of each round.
    penalty : float
        Ridge penalty on the leaves.

    References
    ----------
    .. [1] Prokhorenkova L, Gusev G, Vorobev A, Dorogush AV, Gulin A. CatBoost: unbiased boosting
       with categorical features. NeurIPS 2018:6638-6648.
    """

    attribution_method: ClassVar[str] = (
        "path-dependent tree SHAP values, computed exactly by CatBoost"
    )
    package: ClassVar[str | None] = "catboost"

    def __init__(
        self,
        specs: Sequence[FeatureSpec] = (),
        random_state: int | None = None,
        n_trees: int = 100,
        max_depth: int = 3,
        learning_rate: float = 0.05,
        penalty: float = 3.0,
    ):
        super().__init__(specs=specs, random_state=random_state)
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.penalty = penalty

    def _fit(self, X: Features, responded: npt.NDArray[np.int_]) -> None:
        from catboost import CatBoostClassifier

        used = [spec for spec in self._list_specs() if spec.part != "trial"]
        learnt = fit_encoding(X, used, fill_and_scale=False)
        matrix = learnt.transform(X)
        # It refuses a table of nothing but constants.
        varied = [at for at in range(matrix.shape[1]) if len(np.unique(matrix[:, at])) > 1]
        self.encoding_ = Encoding(tuple(learnt.columns[at] for at in varied))
        rate = (responded.sum() + 0.5) / (len(responded) + 1.0)
        self.base_ = float(np.log(rate / (1.0 - rate)))
        self.trees_, self.content_ = None, None
        if not varied:
            return
        trees = CatBoostClassifier(
            iterations=self.n_trees,
            depth=self.max_depth,
            learning_rate=self.learning_rate,
            l2_leaf_reg=self.penalty,
            boosting_type="Ordered",
            random_seed=self.random_state or 0,
            thread_count=1,
            verbose=False,
            allow_writing_files=False,
        )
        # From the base rate, so that the trees explain what differs from it.
        trees.fit(matrix[:, varied], responded, baseline=np.full(len(responded), self.base_))
        # JSON rounds the last digit: what predicts here is what a restored model predicts with.
        self.content_ = _write(trees)
        self.trees_ = _read(self.content_)

    def _predict(self, X: Features, rounds: int = 0) -> Floats:
        total = np.full(len(X), self.base_)
        if self.trees_ is not None and len(X):
            total += self.trees_.predict(
                self.encoding_.transform(X),
                prediction_type="RawFormulaVal",
                ntree_end=rounds,
                thread_count=1,
            )
        return total

    def _follow(
        self,
        settings: Sequence[Mapping[str, Any]],
        X: Features,
        y: npt.ArrayLike,
        held_out: Features,
        **more: Any,
    ) -> Floats:
        """Read settings that differ in rounds alone off the longest fit."""
        predicted = np.empty((len(settings), len(held_out)))
        for others, rounds in find_rounds(settings, "n_trees", self.n_trees):
            longest = max(rounds.values())
            model = clone(self).set_params(**others, n_trees=longest).fit(X, y)
            for at, reached in rounds.items():
                predicted[at] = model._predict(model._read(held_out), reached)
        return predicted

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
        return self._predict(self._read(X))

    def contributions(self, X: Features) -> Contributions:
        """Compute path-dependent tree SHAP values, exactly, by CatBoost itself.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Contributions
            On the log-odds scale, indicators summed to their feature.
        """
        columns = self._read(X)
        features = self._list_explained()
        if self.trees_ is None or not len(columns):
            base = np.full(len(columns), self.base_)
            return Contributions(features, np.zeros((len(columns), len(features))), base)
        from catboost import Pool

        raw = self.trees_.get_feature_importance(
            Pool(self.encoding_.transform(columns)), type="ShapValues", thread_count=1
        )
        return Contributions(
            features, self.encoding_.sum_by_feature(raw[:, :-1], features), raw[:, -1] + self.base_
        )

    def interactions(self, X: Features) -> Interactions:
        """Compute SHAP interaction values by CatBoost itself.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Interactions
            Indicators summed to their feature.
        """
        columns = self._read(X)
        if self.trees_ is None or not len(columns):
            return super().interactions(X)
        from catboost import Pool

        raw = self.trees_.get_feature_importance(
            Pool(self.encoding_.transform(columns)), type="ShapInteractionValues", thread_count=1
        )
        features = self._list_explained()
        return Interactions(
            features, self.encoding_.sum_pairs_by_feature(raw[:, :-1, :-1], features)
        )

    def export_state(self) -> dict[str, Any]:
        """Write encoding and trees as plain values.

        Returns
        -------
        dict
            For JSON; the trees in CatBoost's own JSON, without its record of the training.
        """
        return {"encoding": self.encoding_.export(), "base": self.base_, "trees": self.content_}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take over exported encoding and trees.

        Parameters
        ----------
        state : dict
            From `export_state`.

        Raises
        ------
        AnalysisError
            If CatBoost is not installed.
        ValueError
            If the trees are not such as `export_state` writes.
        """
        self._restore_notes()
        self.encoding_ = Encoding.restore(state["encoding"], self._list_specs())
        self.base_ = check_finite(state["base"])
        self.trees_, self.content_ = None, state["trees"]
        if self.content_ is None:
            return
        _check(self.content_, len(self.encoding_.columns), self.n_trees)
        self.trees_ = _read(self.content_)


def _write(trees: Any) -> dict[str, Any]:
    """Write trees in CatBoost's JSON, without its record of when and how they were grown."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trees.json"
        trees.save_model(str(file), format="json")
        content: dict[str, Any] = json.loads(file.read_bytes())
    content["model_info"] = {"class_params": content["model_info"]["class_params"]}
    return content


def _check(content: Mapping[str, Any], n_columns: int, most_trees: int) -> None:
    """Refuse trees that no fit writes: CatBoost's own reader takes positions on trust."""
    features, trees = content["features_info"]["float_features"], content["oblivious_trees"]
    scale, (bias,) = content["scale_and_bias"]
    is_sound = (
        set(content) == {"features_info", "model_info", "oblivious_trees", "scale_and_bias"}
        and set(content["features_info"]) == {"float_features"}
        and content["model_info"] == {"class_params": _CLASSES}
        and (check_finite(scale), check_finite(bias)) == (1.0, 0.0)
        and len(features) == n_columns
        and 0 < len(trees) <= most_trees
    )
    if not is_sound:
        raise ValueError("the trees are of another kind, or of other columns than the encoding's")
    known: list[tuple[int, float]] = []
    for at, feature in enumerate(features):
        if set(feature) != _FEATURE or {
            feature["feature_index"],
            feature["flat_feature_index"],
        } != {at}:
            raise ValueError("a column of the trees is none of the encoding's")
        # The lowest number of single precision is the border before which missing values lie.
        borders = [float(border) for border in feature["borders"]]
        if not np.isfinite(borders).all() or borders != sorted(set(borders)):
            raise ValueError("the borders of a column do not ascend")
        known += [(at, border) for border in borders]
    for tree in trees:
        _check_tree(tree, known)


def _check_tree(tree: Mapping[str, Any], known: Sequence[tuple[int, float]]) -> None:
    splits, values, weights = tree["splits"], tree["leaf_values"], tree["leaf_weights"]
    if set(tree) != {"splits", "leaf_values", "leaf_weights"} or len(splits) > _DEEPEST:
        raise ValueError("a tree has other parts than a fit writes")
    for split in splits:
        at = split["split_index"]
        if set(split) != _SPLIT or split["split_type"] != "FloatFeature" or at < 0:
            raise ValueError("a tree asks what no fit asks")
        if known[at] != (split["float_feature_index"], split["border"]):
            raise ValueError("a tree asks for a border that is not there")
    for numbers in (values, weights):
        if len(numbers) != 1 << len(splits):
            raise ValueError("a tree has more or fewer leaves than its questions lead to")
        for number in numbers:
            check_finite(number)
    if min(weights) < 0:
        raise ValueError("a leaf has a negative weight")


def _read(content: Mapping[str, Any]) -> Any:
    try:
        from catboost import CatBoostClassifier, CatBoostError
    except ImportError:
        raise AnalysisError(
            "the model was made with CatBoost, and it is not installed",
            remedy="Install the extra: pip install 'glabella[catboost]'",
        ) from None
    trees = CatBoostClassifier()
    # It reads JSON from files alone.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trees.json"
        file.write_text(json.dumps(content), encoding="utf-8")
        try:
            trees.load_model(str(file), format="json")
        except CatBoostError:
            raise ValueError("the trees can't be read") from None
    return trees
