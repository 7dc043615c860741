"""Gradient-boosted trees, grown by XGBoost."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost
from sklearn.base import clone

from glabella.errors import AnalysisError
from glabella.features.feature_columns import FeatureColumns
from glabella.features.spec import FeatureSpec
from glabella.models.arm_steps import find_arm, make_rates
from glabella.models.encoding import Features
from glabella.models.estimators.contributions import Contributions
from glabella.models.estimators.interface import (
    Centring,
    Floats,
    check_infinite,
    find_rounds,
)
from glabella.models.estimators.trees import BINS, TreeModel
from glabella.models.stored_trees import ExpectedTrees

__all__ = ["XGBoostModel"]

Batch = tuple[pd.DataFrame, npt.NDArray[np.int_]]


class _Batches(xgboost.DataIter):  # type: ignore[misc]
    """Batches of rows as XGBoost asks for them."""

    def __init__(
        self,
        batches: Iterable[Batch],
        encode: Callable[[pd.DataFrame], Floats],
        start: Callable[[pd.DataFrame], Floats],
        types: list[str],
        cache: Path,
    ):
        self._batches = batches
        self._left = iter(batches)
        self._encode = encode
        self._start = start
        self._types = types
        super().__init__(cache_prefix=str(cache))

    def next(self, input_data: Callable[..., None]) -> bool:
        batch = next(self._left, None)
        if batch is None:
            return False
        frame, responded = batch
        input_data(
            data=self._encode(frame),
            label=responded.astype(float),
            base_margin=self._start(frame),
            feature_types=self._types,
        )
        return True

    def reset(self) -> None:
        self._left = iter(self._batches)


def _count_responders(
    frame: pd.DataFrame,
    specs: Sequence[FeatureSpec],
    responded: npt.NDArray[np.int_],
    counts: dict[str, tuple[int, int]],
) -> None:
    """Add a batch's responders and participants to those of all, and of each arm."""
    arm = find_arm(specs)
    cells = {"": responded}
    if arm is not None:
        labels = frame[arm].to_numpy()
        cells |= {level: responded[labels == level] for level in frame[arm].dropna().unique()}
    for level, members in cells.items():
        hits, n = counts.get(level, (0, 0))
        counts[level] = (hits + int(members.sum()), n + len(members))


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

    def _describe_trees(self) -> ExpectedTrees:
        return ExpectedTrees(
            "binary:logistic", self.n_trees, self.trees_per_round, self._count_levels()
        )

    def _fit(self, X: FeatureColumns, responded: npt.NDArray[np.int_]) -> None:
        self._learn_encoding(X)
        self._fit_rounds(self._collect(X, responded))

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
        counts: dict[str, tuple[int, int]] = {"": (0, 0)}
        for frame, responded in batches:
            check_infinite(FeatureColumns.read(frame, self.specs))
            for name, levels in seen.items():
                levels.update(frame[name].dropna().unique())
            _count_responders(frame, self.specs, responded, counts)
        if not 0 < counts[""][0] < counts[""][1]:
            raise ValueError("the training rows hold one class only")
        self._restore_notes()
        # All that trees learn of features beforehand is which levels there are.
        self._learn_encoding(_list_levels(self.specs, seen))
        self._start_from(make_rates(counts))
        with tempfile.TemporaryDirectory(dir=cache, prefix="glabella-") as folder:
            rows = xgboost.ExtMemQuantileDMatrix(
                _Batches(
                    batches,
                    self._encode,
                    self._find_start,
                    self._list_types(),
                    Path(folder) / "rows",
                ),
                max_bin=BINS,
                nthread=1,
                enable_categorical=True,
            )
            self._fit_rounds(rows)
            # The cache stays mapped for as long as the rows are there.
            del rows
        return self

    def _fit_rounds(self, rows: xgboost.DMatrix) -> None:
        parameters: dict[str, Any] = {
            "objective": "binary:logistic",
            "base_score": 0.5,
            "tree_method": "hist",
            "max_bin": BINS,
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
            of = {spec.name: signs[spec.direction] for spec in self._select_used()}
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
        columns, responded = self._check_fit(X, y)
        self._learn_encoding(columns)
        rows = self._collect(columns, responded)
        start = self._find_start(held_out)
        predicted = np.empty((len(settings), len(held_out)))
        for others, rounds in find_rounds(settings, "n_trees", self.n_trees):
            model = clone(self).set_params(**others, n_trees=max(rounds.values()))
            model.background_ = None
            model.specs_, model.classes_ = self.specs_, self.classes_
            model.encoding_, model.start_ = self.encoding_, self.start_
            model._fit_rounds(rows)
            reached, total = 0, np.zeros(len(held_out))
            for at in sorted(rounds, key=lambda at: rounds[at]):
                if rounds[at] > reached:
                    step = model._predict(held_out, (reached, rounds[at]))
                    # Each part of the path holds the start; it counts once.
                    total += step - (start if reached else 0.0)
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
