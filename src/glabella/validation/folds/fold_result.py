"""What one candidate did on one fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from glabella.models.estimators.contributions import Contributions
from glabella.validation.folds.splits import Fold


@dataclass(frozen=True)
class InnerLosses:
    """Log losses of a candidate, at its chosen setting, in the inner folds of a training part.

    Parameters
    ----------
    losses : tuple of float
        The mean over the participants held out in each inner fold.
    sizes : tuple of int
        How many these are; the same for all candidates.
    """

    losses: tuple[float, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class FoldResult:
    """What one candidate did on one fold.

    Parameters
    ----------
    candidate : str
        Its name.
    fold : Fold
        The split.
    probability : array of float, shape (n_test,), or None
        Predictions for the held-out participants; None where the fit failed.
    contributions : Contributions or None
        Of the held-out participants, by the model that never saw them.
    setting : dict
        The setting that the inner tuning chose.
    seconds : float
        Time of tuning, fit and prediction.
    error : str or None
        Why the fit failed.
    inner : InnerLosses or None
        What the choice among candidates inside the training part goes by; None where it was not
        asked for, or a class is too rare for two inner folds.
    """

    candidate: str
    fold: Fold
    probability: npt.NDArray[np.float64] | None
    contributions: Contributions | None
    setting: dict[str, Any]
    seconds: float
    error: str | None = None
    inner: InnerLosses | None = None
