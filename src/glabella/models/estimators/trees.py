"""Boosted trees and forests, both grown by XGBoost."""

from __future__ import annotations

import hashlib
import tempfile
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost
from scipy.special import logit
from sklearn.base import clone

from glabella.errors import AnalysisError
from glabella.features.feature_columns import FeatureColumns
from glabella.features.spec import FeatureSpec
from glabella.models.encoding import Encoding, Features, check_finite, fit_encoding
from glabella.models.estimators.interface import (
    Centring,
    Contributions,
    Floats,
    Interactions,
    ResponderModel,
    Scale,
    find_rounds,
    refuse_infinite,
)
from glabella.models.interventional import TreeBackground, read_trees
from glabella.models.stored_trees import ExpectedTrees, check_trees

__all__ = ["RandomForestModel", "XGBoostModel"]

Batch = tuple[pd.DataFrame, npt.NDArray[np.int_]]

# XGBoost adds up in single precision: relative to the terms' sizes, it is off by no more than this.
_SINGLE = 1e-5

# Cuts beyond these change little in trials' sizes, and cost most of the time.
_BINS = 64


class TreeModel(ResponderModel):
    """Trees over encoded features, missing values and categories left to XGBoost.

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

    def _used(self) -> list[FeatureSpec]:
        return [spec for spec in self._specs() if spec.part != "trial"]

    def _learn_encoding(self, X: Features) -> None:
        # Codes have no mean: where features are centred, each level has an indicator.
        within = self._find_trial()
        self.background_: TreeBackground | None = None
        self.encoding_ = fit_encoding(
            X, self._used(), fill_and_scale=False, within=within, as_codes=within is None
        )

    def _encode(self, X: Features) -> Floats:
        matrix = self.encoding_.transform(X)
        # XGBoost takes no matrix without columns; where nothing varies, one of zeros stands in.
        return matrix if matrix.shape[1] else np.zeros((len(X), 1))

    @abstractmethod
    def _expect(self) -> ExpectedTrees:
        """Say what stored trees of this model must be of."""

    def _count_levels(self) -> tuple[int, ...]:
        return tuple(len(column.levels) for column in self.encoding_.columns) or (0,)

    def _types(self) -> list[str]:
        return ["c" if column.levels else "q" for column in self.encoding_.columns] or ["q"]

    def _gather(self, X: Features, label: Floats) -> xgboost.QuantileDMatrix:
        return xgboost.QuantileDMatrix(
            self._encode(X),
            label=label,
            max_bin=_BINS,
            nthread=1,
            feature_types=self._types(),
            enable_categorical=True,
        )

    def _predict(self, X: Features, rounds: tuple[int, int] = (0, 0)) -> Floats:
        if not len(X):
            # XGBoost warns of a table without rows.
            return np.empty(0)
        return self._ask(self._hand_over(X), output_margin=True, iteration_range=rounds)

    def _ask(self, rows: xgboost.DMatrix, **what: Any) -> Floats:
        try:
            return np.asarray(self.booster_.predict(rows, **what), dtype=float)
        except xgboost.core.XGBoostError:
            # Its own message holds addresses of its code, and may hold values of rows.
            raise AnalysisError(
                "XGBoost can't compute what was asked of the model's trees",
                remedy="Train the model again; if that does not help, report this with the "
                "version of XGBoost.",
            ) from None

    def _hand_over(self, X: Features) -> xgboost.DMatrix:
        return xgboost.DMatrix(
            self._encode(X), nthread=1, feature_types=self._types(), enable_categorical=True
        )

    def _attribute(self, X: Features) -> Contributions:
        """Compute path-dependent values by XGBoost itself, or those against a background."""
        features = self._explained()
        if self.background_ is not None:
            return self._attribute_against(self.background_, X, features)
        if not len(X):
            return Contributions(features, np.empty((0, len(features))), np.empty(0))
        rows = self._hand_over(X)
        raw = self._ask(rows, pred_contribs=True)
        margin = self._ask(rows, output_margin=True)
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
        features = self._explained()
        raw = self._ask(self._hand_over(columns), pred_interactions=True)
        count = len(self.encoding_.columns)
        scale: Scale = "log odds" if self.is_additive else "probability"
        return Interactions(
            features,
            self.encoding_.sum_pairs_by_feature(raw[:, :count, :count], features),
            scale,
        )

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
        self.background_ = TreeBackground.learn(
            read_trees(self.booster_), self._encode(self._read(background)), weight
        )

    def _attribute_against(
        self, background: TreeBackground, X: Features, features: tuple[str, ...]
    ) -> Contributions:
        matrix = self._encode(X)
        values, mean = background.attribute(matrix)
        margin = self._predict(X)
        base = margin - values.sum(axis=1)
        # Beside the mean there is what XGBoost starts from: one number for all rows.
        sizes = np.abs(values).sum(axis=1) + abs(mean)
        if len(base) and (np.abs(base - np.median(base)) > _SINGLE * (1.0 + sizes)).any():
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
            **({} if background is None else {"background": background.export()}),
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take over an exported encoding.

        Parameters
        ----------
        state : dict
            From `export_state`.
        """
        self._take_over()
        self.encoding_ = Encoding.restore(state["encoding"], self._used(), trial=self._find_trial())
        self.trees_sha256_ = str(state["trees_sha256"])
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
        check_trees(content, self._expect())
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


class _Batches(xgboost.DataIter):  # type: ignore[misc]
    """Batches of rows as XGBoost asks for them."""

    def __init__(
        self,
        batches: Iterable[Batch],
        encode: Callable[[pd.DataFrame], Floats],
        types: list[str],
        cache: Path,
    ):
        self._batches = batches
        self._left = iter(batches)
        self._encode = encode
        self._types = types
        super().__init__(cache_prefix=str(cache))

    def next(self, input_data: Callable[..., None]) -> bool:
        batch = next(self._left, None)
        if batch is None:
            return False
        frame, responded = batch
        input_data(
            data=self._encode(frame), label=responded.astype(float), feature_types=self._types
        )
        return True

    def reset(self) -> None:
        self._left = iter(self._batches)


def _list_levels(specs: Sequence[FeatureSpec], seen: Mapping[str, set[str]]) -> pd.DataFrame:
    """Make the shortest table that holds every level."""
    rows = pd.RangeIndex(max([1, *(len(levels) for levels in seen.values())]))
    frame = pd.DataFrame(index=rows)
    for spec in specs:
        if spec.kind == "category":
            found = pd.Series(sorted(seen[spec.name]), dtype=object).reindex(rows)
            frame[spec.name] = found.astype(pd.CategoricalDtype(list(spec.levels)))
        else:
            frame[spec.name] = np.nan
    return frame


class XGBoostModel(TreeModel):
    """Gradient-boosted trees by XGBoost, with missing values left to the trees.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of the row and column samples.
    n_trees : int
        Rounds of boosting.
    trees_per_round : int
        Trees grown side by side in each round; with many, each round is a forest.
    max_depth : int
        Depth of each tree; 1 allows no interaction.
    learning_rate : float
        Shrinkage of each round.
    min_child_weight : float
        Least sum of p(1 - p) in a leaf.
    penalty : float
        Ridge penalty on the leaves.
    subsample : float
        Share of rows drawn for each tree.
    columns : float
        Share of columns drawn at each split.
    monotone : str
        ``none``, or ``dictionary``: where the dictionary states a direction, probabilities go
        that way only.
    centring : str
        ``none``, or ``trial``: the patient's features are centred at the means of each trial, so
        that trees learn of differences inside trials. Whose trial the fit did not see, or who is
        scored, is taken to come from a trial at the mean over trials.

    References
    ----------
    .. [1] Chen T, Guestrin C. XGBoost: a scalable tree boosting system. KDD 2016:785-794.
    """

    def __init__(
        self,
        specs: Sequence[FeatureSpec] = (),
        random_state: int | None = None,
        n_trees: int = 100,
        trees_per_round: int = 1,
        max_depth: int = 2,
        learning_rate: float = 0.05,
        min_child_weight: float = 1.0,
        penalty: float = 1.0,
        subsample: float = 0.8,
        columns: float = 1.0,
        monotone: Literal["none", "dictionary"] = "none",
        centring: Centring = "none",
    ):
        super().__init__(specs=specs, random_state=random_state)
        self.n_trees = n_trees
        self.trees_per_round = trees_per_round
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.min_child_weight = min_child_weight
        self.penalty = penalty
        self.subsample = subsample
        self.columns = columns
        self.monotone = monotone
        self.centring = centring

    def _expect(self) -> ExpectedTrees:
        return ExpectedTrees(
            "binary:logistic", self.n_trees, self.trees_per_round, self._count_levels()
        )

    def _fit(self, X: Features, responded: npt.NDArray[np.int_]) -> None:
        self._learn_encoding(X)
        self._grow(self._gather(X, responded.astype(float)), int(responded.sum()), len(responded))

    def fit_batches(self, batches: Iterable[Batch], *, cache: Path | None = None) -> Self:
        """Fit to rows that need not fit into memory.

        They are read three times: for the levels that there are, for the bins, and to be written
        to the cache in bins. In memory remain some twenty bytes a row, and one batch.

        Parameters
        ----------
        batches : iterable of tuple of DataFrame and array of int
            Features by name, and 1 for responders, 0 for others; the same rows each time that it
            is iterated over, as `ParquetRows` gives them.
        cache : Path, optional
            A folder on a local disk with a byte for each value to spare; else where the system
            keeps temporary files. Nothing stays there.

        Returns
        -------
        XGBoostModel
            Itself, fitted.

        Raises
        ------
        AnalysisError
            If features are to be centred within trials, for which all rows are needed at once.
        ValueError
            If the rows hold one class only, or a number is infinite.

        References
        ----------
        .. [1] XGBoost 3.2, tutorial "Using XGBoost External Memory Version".
        """
        if not self.specs:
            raise ValueError("a fit to batches needs the features' descriptions")
        if self.centring != "none":
            raise AnalysisError(
                "features can't be centred within trials where rows are read in batches",
                remedy="Set `centring: none`.",
            )
        seen: dict[str, set[str]] = {s.name: set() for s in self.specs if s.kind == "category"}
        n_rows = n_responded = 0
        for frame, responded in batches:
            refuse_infinite(FeatureColumns.read(frame, self.specs))
            for name, levels in seen.items():
                levels.update(frame[name].dropna().unique())
            n_rows += len(responded)
            n_responded += int(responded.sum())
        if not 0 < n_responded < n_rows:
            raise ValueError("the training rows hold one class only")
        self._take_over()
        # All that trees learn of features beforehand is which levels there are.
        self._learn_encoding(_list_levels(self.specs, seen))
        with tempfile.TemporaryDirectory(dir=cache, prefix="glabella-") as folder:
            rows = xgboost.ExtMemQuantileDMatrix(
                _Batches(batches, self._encode, self._types(), Path(folder) / "rows"),
                max_bin=_BINS,
                nthread=1,
                enable_categorical=True,
            )
            self._grow(rows, n_responded, n_rows)
            # The cache stays mapped for as long as the rows are there.
            del rows
        return self

    def _grow(self, rows: xgboost.DMatrix, n_responded: int, n_rows: int) -> None:
        self.base_ = (n_responded + 0.5) / (n_rows + 1.0)
        parameters: dict[str, Any] = {
            "objective": "binary:logistic",
            "base_score": self.base_,
            "tree_method": "hist",
            "max_bin": _BINS,
            "num_parallel_tree": self.trees_per_round,
            "max_depth": self.max_depth,
            "learning_rate": self.learning_rate,
            "min_child_weight": self.min_child_weight,
            "reg_lambda": self.penalty,
            "subsample": self.subsample,
            "colsample_bynode": self.columns,
            "seed": self.random_state or 0,
            # Folds are what runs in parallel; a fit takes one thread.
            "nthread": 1,
        }
        if self.monotone == "dictionary":
            signs = {"increasing": 1, "decreasing": -1, None: 0}
            of = {spec.name: signs[spec.direction] for spec in self._used()}
            parameters["monotone_constraints"] = tuple(
                0 if column.level or column.levels else of[column.feature]
                for column in self.encoding_.columns
            ) or (0,)
        self.booster_ = xgboost.train(parameters, rows, num_boost_round=self.n_trees)

    def _follow(
        self,
        settings: Sequence[Mapping[str, Any]],
        X: Features,
        y: npt.ArrayLike,
        held_out: Features,
        **more: Any,
    ) -> Floats:
        """Bin once, and read settings that differ in rounds alone off the longest fit."""
        if any(setting.get("centring", self.centring) != self.centring for setting in settings):
            return super()._follow(settings, X, y, held_out, **more)
        columns, responded = self._start_fit(X, y)
        self._learn_encoding(columns)
        rows = self._gather(columns, responded.astype(float))
        predicted = np.empty((len(settings), len(held_out)))
        for others, rounds in find_rounds(settings, "n_trees", self.n_trees):
            model = clone(self).set_params(**others, n_trees=max(rounds.values()))
            model.background_ = None
            model.specs_, model.classes_, model.encoding_ = (
                self.specs_,
                self.classes_,
                self.encoding_,
            )
            model._grow(rows, int(responded.sum()), len(responded))
            reached, total = 0, np.zeros(len(held_out))
            for at in sorted(rounds, key=lambda at: rounds[at]):
                if rounds[at] > reached:
                    step = model._predict(held_out, (reached, rounds[at]))
                    # Each part of the path holds the base rate; it counts once.
                    total += step - (float(logit(model.base_)) if reached else 0.0)
                    reached = rounds[at]
                predicted[at] = total
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
            Higher means likelier; computed by XGBoost in single precision.
        """
        return self._predict(self._read(X))

    def contributions(self, X: Features) -> Contributions:
        """Compute path-dependent tree SHAP values, exactly, by XGBoost itself.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Contributions
            On the log-odds scale, one-hot parts summed to their feature.

        References
        ----------
        .. [1] Lundberg SM et al. From local explanations to global understanding with explainable
           AI for trees. Nat Mach Intell 2020;2:56-67.
        """
        return self._attribute(self._read(X))


class RandomForestModel(TreeModel):
    """A random forest of probability trees, grown by XGBoost.

    A tree's prediction is the share of responders in the leaf, and the forest's the mean over
    trees: what it adds up on is the probability. Rows are drawn without putting back.

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

    def _expect(self) -> ExpectedTrees:
        # A fit's only round is the forest.
        return ExpectedTrees("reg:squarederror", 1, self.n_trees, self._count_levels())

    def _fit(self, X: Features, responded: npt.NDArray[np.int_]) -> None:
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
                "max_bin": _BINS,
                "num_parallel_tree": self.n_trees,
                "max_depth": self.max_depth,
                "min_child_weight": float(self.min_leaf),
                "subsample": 0.632,
                "colsample_bynode": self.columns,
                "seed": self.random_state or 0,
                "nthread": 1,
            },
            self._gather(X, responded.astype(float)),
            num_boost_round=1,
        )

    def _find_probability(self, X: Features) -> Floats:
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
