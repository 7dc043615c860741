"""An explainable boosting machine: a table of scores for each feature, and for a few pairs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from glabella.features.feature_columns import FeatureColumns
from glabella.features.spec import FeatureSpec
from glabella.models.arm_steps import ArmSteps, compute_rates
from glabella.models.encoding import Encoding, Features, check_finite, check_position, fit_encoding
from glabella.models.estimators.contributions import Contributions, Interactions, split_off_diagonal
from glabella.models.estimators.interface import Floats, ResponderModel

__all__ = ["ExplainableBoostingModel"]


@dataclass(frozen=True)
class ScoreTable:
    """What one or two columns add to the log odds.

    Parameters
    ----------
    columns : tuple of int
        Positions in the matrix: one, or two for a pair.
    cuts : tuple of array of float
        For each, where its next bin starts, in ascending order.
    scores : array of float, shape (n_bins,) or (n_bins, n_bins)
        By bin; the first of each axis is for a missing value.
    """

    columns: tuple[int, ...]
    cuts: tuple[Floats, ...]
    scores: Floats

    def look_up(self, matrix: Floats) -> Floats:
        """Find each row's score.

        Parameters
        ----------
        matrix : array of float, shape (n_rows, n_columns)
            Encoded rows, NaN where missing.

        Returns
        -------
        array of float, shape (n_rows,)
            In log odds.
        """
        places = []
        for column, cuts in zip(self.columns, self.cuts, strict=True):
            values = matrix[:, column]
            places.append(np.where(np.isnan(values), 0, np.searchsorted(cuts, values, "right") + 1))
        return np.asarray(self.scores[tuple(places)], dtype=float)

    def export(self) -> dict[str, Any]:
        """Write the table as plain values.

        Returns
        -------
        dict
            For JSON.
        """
        return {
            "columns": list(self.columns),
            "cuts": [cuts.tolist() for cuts in self.cuts],
            "scores": self.scores.tolist(),
        }

    @staticmethod
    def restore(content: Mapping[str, Any], n_columns: int) -> ScoreTable:
        """Read an exported table back.

        Parameters
        ----------
        content : mapping
            From `export`.
        n_columns : int
            Of the matrix.

        Returns
        -------
        ScoreTable
            Equal to the exported one.

        Raises
        ------
        ValueError
            If it is not one that `export` could have written.
        """
        columns = tuple(check_position(column, n_columns) for column in content["columns"])
        cuts = tuple(
            np.array([check_finite(cut) for cut in each], dtype=float) for each in content["cuts"]
        )
        scores = np.array(content["scores"], dtype=float)
        shape = tuple(len(each) + 2 for each in cuts)
        is_sound = (
            len(columns) in (1, 2)
            and len(columns) == len(cuts)
            and len(set(columns)) == len(columns)
            and all((np.diff(each) > 0).all() for each in cuts)
            and scores.shape == shape
        )
        if not is_sound:
            raise ValueError("a table of scores does not fit its columns")
        for score in scores.ravel().tolist():
            check_finite(score)
        return ScoreTable(columns, cuts, scores)


class ExplainableBoostingModel(ResponderModel):
    """Curves boosted a feature at a time, by the package interpret.

    They start from the log odds of response in each arm. Steps are fitted to one feature after the
    other, then to the few pairs that still matter. What is kept is the score of each bin, so that
    scoring needs no interpret.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Seed of its bags and of the rows that each keeps aside to know when to stop.
    bags : int
        Fits to other such rows, averaged.
    pairs : int
        Most pairs of columns that may act together.
    bins : int
        Most bins a number is cut into.
    min_leaf : int
        Fewest participants in a bin.

    References
    ----------
    .. [1] Lou Y, Caruana R, Gehrke J, Hooker G. Accurate intelligible models with pairwise
       interactions. KDD 2013:623-631.
    .. [2] Nori H, Jenkins S, Koch P, Caruana R. InterpretML: a unified framework for machine
       learning interpretability. arXiv:1909.09223, 2019.
    """

    attribution_method: ClassVar[str] = "the model's own scores, those of pairs shared in halves"
    package: ClassVar[str | None] = "interpret"

    def __init__(
        self,
        specs: Sequence[FeatureSpec] = (),
        random_state: int | None = None,
        bags: int = 8,
        pairs: int = 3,
        bins: int = 64,
        min_leaf: int = 4,
    ):
        super().__init__(specs=specs, random_state=random_state)
        self.bags = bags
        self.pairs = pairs
        self.bins = bins
        self.min_leaf = min_leaf

    def _fit(self, X: FeatureColumns, responded: npt.NDArray[np.int_]) -> None:
        from interpret.glassbox import ExplainableBoostingClassifier

        used = [spec for spec in self._list_specs() if spec.part != "trial"]
        learnt = fit_encoding(X, used, fill_and_scale=False)
        matrix = learnt.transform(X)
        # What does not vary has no bins.
        varied = [at for at in range(matrix.shape[1]) if len(np.unique(matrix[:, at])) > 1]
        self.encoding_ = Encoding(tuple(learnt.columns[at] for at in varied))
        self.tables_: tuple[ScoreTable, ...] = ()
        self.start_ = compute_rates(X, self._list_specs(), responded).to_log_odds()
        self.intercept_ = 0.0
        if not varied:
            return
        rarer = int(min(responded.sum(), len(responded) - responded.sum()))
        machine = ExplainableBoostingClassifier(
            feature_types=["continuous"] * len(varied),
            max_bins=self.bins,
            max_interaction_bins=min(self.bins, 32),
            interactions=self.pairs,
            outer_bags=self.bags,
            # Rows to stop by need both classes, and leave both behind.
            validation_size=0.15 if 0.15 * rarer >= 1.0 else 0,
            max_rounds=5_000 if 0.15 * rarer >= 1.0 else 50,
            min_samples_leaf=self.min_leaf,
            random_state=self.random_state or 0,
            n_jobs=1,
        )
        with warnings.catch_warnings():
            # It warns of missing values that its own pictures leave out.
            warnings.simplefilter("ignore")
            start = self.start_.find_values(X, self._list_specs())
            machine.fit(matrix[:, varied], responded, init_score=start)
        self.intercept_ = float(machine.intercept_[0])
        self.tables_ = tuple(
            ScoreTable(
                tuple(columns),
                tuple(_find_cuts(machine.bins_[column], len(columns)) for column in columns),
                # The last of each axis is for what is neither a number nor missing.
                np.asarray(scores, dtype=float)[(slice(None, -1),) * len(columns)],
            )
            for columns, scores in zip(machine.term_features_, machine.term_scores_, strict=True)
        )

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
        columns = self._read(X)
        matrix = self.encoding_.transform(columns)
        total = self.intercept_ + self.start_.find_values(columns, self._list_specs())
        for table in self.tables_:
            total += table.look_up(matrix)
        return total

    def contributions(self, X: Features) -> Contributions:
        """Give each feature its scores, and half of those of its pairs.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Contributions
            On the log-odds scale. Every table is centred on the training rows, so that these are
            Shapley values against a background with independent columns.
        """
        columns = self._read(X)
        matrix = self.encoding_.transform(columns)
        by_column = np.zeros(matrix.shape)
        for table in self.tables_:
            score = table.look_up(matrix) / len(table.columns)
            for column in table.columns:
                by_column[:, column] += score
        features = self._list_explained()
        values = self.encoding_.sum_by_feature(by_column, features)
        return Contributions(
            features,
            self.start_.add_to(values, columns, self._list_specs(), features),
            np.full(len(matrix), self.intercept_ + self.start_.center),
        )

    def interactions(self, X: Features) -> Interactions:
        """Divide contributions into each feature's own scores and those of pairs.

        Parameters
        ----------
        X : DataFrame or FeatureColumns
            Features by name.

        Returns
        -------
        Interactions
            A pair's table is all of the pair's.
        """
        matrix = self.encoding_.transform(self._read(X))
        found = super().interactions(X)
        pairs = np.zeros((len(matrix), matrix.shape[1], matrix.shape[1]))
        for table in self.tables_:
            if len(table.columns) == 2:
                left, right = table.columns
                half = 0.5 * table.look_up(matrix)
                pairs[:, left, right] += half
                pairs[:, right, left] += half
        summed = self.encoding_.sum_pairs_by_feature(pairs, found.features)
        # Two levels of one category make no pair of features.
        count = len(found.features)
        summed[:, range(count), range(count)] = 0.0
        return Interactions(found.features, split_off_diagonal(found.values, summed))

    def export_state(self) -> dict[str, Any]:
        """Write encoding and scores as plain values.

        Returns
        -------
        dict
            For JSON.
        """
        return {
            "encoding": self.encoding_.export(),
            "intercept": self.intercept_,
            "start": self.start_.export(),
            "tables": [table.export() for table in self.tables_],
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take over exported encoding and scores.

        Parameters
        ----------
        state : dict
            From `export_state`.
        """
        self._restore_notes()
        self.encoding_ = Encoding.restore(state["encoding"], self._list_specs())
        self.intercept_ = check_finite(state["intercept"])
        self.start_ = ArmSteps.restore(state["start"], self.specs_)
        n_columns = len(self.encoding_.columns)
        self.tables_ = tuple(ScoreTable.restore(each, n_columns) for each in state["tables"])


def _find_cuts(resolutions: Sequence[Any], n_columns: int) -> Floats:
    """A column has cuts for itself, and where it has others, coarser ones for its pairs."""
    return np.asarray(resolutions[min(n_columns, len(resolutions)) - 1], dtype=float)
