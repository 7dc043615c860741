"""Settings weighed by predictions of held-out rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from glabella.features.feature_columns import FeatureColumns
from glabella.models.estimators.interface import Floats, ResponderModel
from glabella.models.penalised import find_losses

Rows = npt.NDArray[np.int_]

# A setting worse than the best by more than this many standard errors of their paired
# difference, over the folds so far, is not fitted to the others.
_HOPELESS = 2.0


@dataclass(frozen=True)
class TrainingRows:
    """What a model is fitted to.

    Parameters
    ----------
    features : FeatureColumns
        Of these rows.
    responded : array of int, shape (n_rows,)
        1 for responders, 0 for others.
    margin : array of float, shape (n_rows,), optional
        How far beyond the threshold of response each score lies, NaN where it is not known.
    """

    features: FeatureColumns
    responded: Rows
    margin: Floats | None = None

    def take(self, rows: Rows) -> TrainingRows:
        """Take rows by position."""
        margin = None if self.margin is None else self.margin[rows]
        return TrainingRows(self.features.take(rows), self.responded[rows], margin)

    def name_extras(self, model: ResponderModel) -> dict[str, Any]:
        """Give what a model's `fit` takes beside features and outcomes."""
        return {"margin": self.margin} if model.needs_margin else {}


@dataclass(frozen=True)
class Tuned:
    """A setting and what it predicted.

    Parameters
    ----------
    setting : dict
        Of the lowest log loss.
    held_out : array of float, shape (n_rows,)
        Its log odds of each row, by a fit without the row.
    """

    setting: dict[str, Any]
    held_out: Floats


def choose_settings(
    model: ResponderModel,
    settings: Sequence[Mapping[str, Any]],
    rows: TrainingRows,
    splits: Sequence[tuple[Rows, Rows]],
) -> Tuned:
    """Try settings on folds, and take that of the lowest log loss.

    References
    ----------
    .. [1] Maron O, Moore AW. The racing algorithm: model selection for lazy learners. Artif
       Intell Rev 1997;11:193-225.
    """
    held_out = np.full((len(settings), len(rows.responded)), np.nan)
    alive = list(range(len(settings)))
    seen: list[int] = []
    for number, (train, test) in enumerate(splits):
        part = rows.take(train)
        predicted = model.predict_settings(
            [settings[at] for at in alive],
            part.features,
            part.responded,
            rows.features.take(test),
            **part.name_extras(model),
        )
        held_out[np.array(alive)[:, None], test] = predicted
        seen += test.tolist()
        if number + 1 < len(splits):
            alive = _drop_hopeless(held_out, rows.responded, seen, alive)
    best = min(alive, key=lambda at: find_losses(held_out[at], rows.responded).mean())
    return Tuned(dict(settings[best]), held_out[best])


def _drop_hopeless(
    held_out: Floats, responded: Rows, seen: Sequence[int], alive: Sequence[int]
) -> list[int]:
    losses = {at: find_losses(held_out[at, seen], responded[seen]) for at in alive}
    best = min(alive, key=lambda at: losses[at].mean())
    kept = []
    for at in alive:
        worse = losses[at] - losses[best]
        error = worse.std(ddof=1) / np.sqrt(len(worse)) if len(worse) > 1 else np.inf
        if at == best or worse.mean() <= _HOPELESS * error:
            kept.append(at)
    return kept
