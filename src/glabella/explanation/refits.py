"""Refits to bootstrap samples, seen through the participants that each left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glabella.explanation.attributions import find_direction, rank_values
from glabella.models.build import export_model
from glabella.models.estimators.interface import ResponderModel
from glabella.models.grouping import Grouping
from glabella.validation.adequacy.stability import Refit, describe_refit
from glabella.validation.folds.sample import Sample

# Interaction values cost as many times contributions as there are features.
_MOST_FOR_PAIRS = 500
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
        """Look at a refit.

        Parameters
        ----------
        model : ResponderModel
            Fitted to the rows drawn.
        sample : Sample
            The participants.
        drawn : array of int
            With repetitions.

        Returns
        -------
        SeenRefit
            What is kept.
        """
        rows = np.flatnonzero(~np.isin(sample.people, sample.people[drawn]))
        whole = describe_refit(model, sample)
        return SeenRefit(whole, self._attribute(model, sample, rows), export_model(model))

    def _attribute(
        self, model: ResponderModel, sample: Sample, rows: npt.NDArray[np.int_]
    ) -> RefitAttributions | None:
        if len(rows) < _FEWEST:
            return None
        found = self.grouping.sum_values(model.contributions(sample.features.take(rows)))
        ranks = rank_values(sample, found.features)[rows]
        # Evenly over the table, which holds trial after trial.
        few = rows[np.linspace(0, len(rows) - 1, min(len(rows), _MOST_FOR_PAIRS)).astype(int)]
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
