"""Refits to bootstrap samples, summarised in the participants that each left out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from glabella.explanation.attributions import find_direction, rank_values
from glabella.models.build import export_model
from glabella.models.estimators.contributions import Contributions
from glabella.models.estimators.interface import ResponderModel
from glabella.models.grouping import Grouping
from glabella.validation.adequacy.stability import Refit, explain_refit
from glabella.validation.folds.sample import Sample

# Interaction values cost as many times contributions as there are features: of five hundred rows
# more than a boosted forest and its tuning. Twenty refits of twenty still show four hundred rows.
MOST_FOR_PAIRS = 20
_FEWEST = 5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RefitAttributions:
    """The attributions of one refit in the participants that it was not fitted to.

    Parameters
    ----------
    features : tuple of str
        Features, and groups shown as one, in the order of the model's contributions.
    importance : array of float, shape (n_features,)
        Mean absolute attribution.
    directions : array of float, shape (n_features,)
        Rank correlation of value and attribution; NaN if the values have no order or the feature
        is not used.
    pairs : array of float, shape (n_features, n_features)
        Mean absolute interaction of each pair; 0 on the diagonal.
    """

    features: tuple[str, ...]
    importance: Floats
    directions: Floats
    pairs: Floats


@dataclass(frozen=True)
class RefitSummary:
    """A refit, summarised for stability and for explanations.

    Parameters
    ----------
    whole : Refit
        Its predictions for all participants.
    left_out : RefitAttributions or None
        Its attributions in the participants that were not drawn; None if these are fewer than
        five.
    files : dict of bytes
        The refit itself, in the files of `export_model`.
    """

    whole: Refit
    left_out: RefitAttributions | None
    files: dict[str, bytes]


@dataclass(frozen=True)
class SummariseRefit:
    """Summarise each refit as soon as it is fitted.

    Parameters
    ----------
    grouping : Grouping
        Features that are shown as one.
    """

    grouping: Grouping

    def __call__(
        self, model: ResponderModel, sample: Sample, drawn: npt.NDArray[np.int_]
    ) -> RefitSummary:
        """Summarise a model that was fitted to the rows ``drawn``, with repetitions."""
        rows = np.flatnonzero(~np.isin(sample.people, sample.people[drawn]))
        # Computed once for all participants, as those that were left out are among them.
        found = model.contributions(sample.features.columns)
        mine = replace(found, values=found.values[rows], base=found.base[rows])
        return RefitSummary(
            explain_refit(model, sample, found),
            self._compute_attributions(model, sample, mine, rows),
            export_model(model),
        )

    def _compute_attributions(
        self,
        model: ResponderModel,
        sample: Sample,
        contributions: Contributions,
        rows: npt.NDArray[np.int_],
    ) -> RefitAttributions | None:
        if len(rows) < _FEWEST:
            return None
        found = self.grouping.sum_values(contributions)
        ranks = rank_values(sample, found.features)[rows]
        # Evenly spaced over the table, in which one trial follows another.
        few = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_FOR_PAIRS)).astype(int)]
        pairs = self.grouping.sum_pairs(model.interactions(sample.features.take(few)))
        sizes = 2.0 * np.abs(pairs.values).mean(axis=0)
        np.fill_diagonal(sizes, 0.0)
        return RefitAttributions(
            found.features,
            np.abs(found.values).mean(axis=0),
            np.array(
                [find_direction(found.values[:, at], ranks[:, at]) for at in range(ranks.shape[1])]
            ),
            sizes,
        )


def export_refit(refit: RefitSummary) -> dict[str, Any]:
    """Convert a refit to plain values, bytes and arrays, for a checkpoint."""
    return asdict(refit)


def restore_refit(content: dict[str, Any]) -> RefitSummary:
    """Restore a refit from `export_refit`."""
    left_out = content["left_out"]
    if left_out is not None:
        left_out = RefitAttributions(**{**left_out, "features": tuple(left_out["features"])})
    return RefitSummary(Refit(**content["whole"]), left_out, content["files"])
