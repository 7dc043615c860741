"""What one candidate did on one fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from glabella.models.estimators.interface import Contributions
from glabella.validation.splits import Fold


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
    """

    candidate: str
    fold: Fold
    probability: npt.NDArray[np.float64] | None
    contributions: Contributions | None
    setting: dict[str, Any]
    seconds: float
    error: str | None = None
