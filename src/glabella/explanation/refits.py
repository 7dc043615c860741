"""Refits to bootstrap samples, seen through the participants that each left out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from glabella.explanation.attributions import find_direction, rank_values
from glabella.models.build import export_model
from glabella.models.estimators.interface import Contributions, ResponderModel
from glabella.models.grouping import Grouping
from glabella.validation.adequacy.stability import Refit, look_through
from glabella.validation.folds.sample import Sample

# Interaction values cost as many times contributions as there are features: of five hundred rows
# more than a boosted forest and its tuning. Twenty refits of twenty still show four hundred rows.
MOST_FOR_PAIRS = 20
_FEWEST = 5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RefitAttributions:
    """What one refit uses, of the participants that it did not see.

    Parameters
    ----------
    features : tuple of str
        What is shown, in the order of the model's contributions.
    importance : array of float, shape (n_features,)
        Mean absolute attribution.
    directions : array of float, shape (n_features,)
        Rank correlation of value and attribution; NaN for what has no order or is not used.
    pairs : array of float, shape (n_features, n_features)
        Mean absolute of what each pair adds beyond its features; nought on the diagonal.
    """

    features: tuple[str, ...]
    importance: Floats
    directions: Floats
    pairs: Floats


@dataclass(frozen=True)
class SeenRefit:
    """A refit as stability sees it, and as explanations do.

    Parameters
    ----------
    whole : Refit
        Through all participants.
    left_out : RefitAttributions or None
        Through those that were not drawn; None where these are under five.
    files : dict of bytes
        The refit itself, as `export_model` writes it.
    """

    whole: Refit
    left_out: RefitAttributions | None
    files: dict[str, bytes]


@dataclass(frozen=True)
class LookAtRefit:
    """What is kept of a refit.

    Parameters
    ----------
    grouping : Grouping
        What is shown as one.
    """

    grouping: Grouping

    def __call__(
        self, model: ResponderModel, sample: Sample, drawn: npt.NDArray[np.int_]
    ) -> SeenRefit:
        """Look at a refit."""
        rows = np.flatnonzero(~np.isin(sample.people, sample.people[drawn]))
        # Once for all participants: those that were left out are among them.
        found = model.contributions(sample.features.columns)
        mine = replace(found, values=found.values[rows], base=found.base[rows])
        return SeenRefit(
            look_through(model, sample, found),
            self._attribute(model, sample, mine, rows),
            export_model(model),
        )

    def _attribute(
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
        # Evenly over the table, which holds trial after trial.
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


def pack_refit(refit: SeenRefit) -> dict[str, Any]:
    """Give a refit as plain values, bytes and arrays."""
    return asdict(refit)


def unpack_refit(content: dict[str, Any]) -> SeenRefit:
    """Give a packed refit back."""
    left_out = content["left_out"]
    if left_out is not None:
        left_out = RefitAttributions(**{**left_out, "features": tuple(left_out["features"])})
    return SeenRefit(Refit(**content["whole"]), left_out, content["files"])
