"""How like the training participants a row is, kept as means and covariances alone."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.encoding import Encoding, check_finite, fit_encoding

LIKENESS_FILE = "likeness.json"
# So many in a hundred training participants, each held against the others, lie nearer.
SHARE_INSIDE = 0.99
# A mean over fewer could tell who they are.
FEWEST_IN_TRIAL = 10
_FOLDS = 10

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cloud:
    """Participants as a mean, the axes of their spread, and how far the last of them lie.

    Parameters
    ----------
    center : array of float, shape (n_columns,)
        Their mean.
    axes : array of float, shape (n_columns, n_columns)
        What a difference from the mean is multiplied by to have unit variance in every direction.
    limit : float
        The distance beyond which one in a hundred of their kind lies, or where there are fewer,
        beyond which none of them does; each is measured without itself.
    """

    center: Floats
    axes: Floats
    limit: float

    def measure(self, matrix: Floats) -> Floats:
        """Measure the Mahalanobis distance of each row.

        Returns
        -------
        array of float, shape (n_rows,)
            In standard deviations.
        """
        along = (matrix - self.center) @ self.axes
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", along, along)))


@dataclass(frozen=True)
class Likeness:
    """The training participants together, and trial by trial.

    Parameters
    ----------
    encoding : Encoding
        How features become numbers; what is missing lies in the middle.
    whole : Cloud
        All of them.
    trials : tuple of Cloud
        Each trial that has ten participants or more; they share the axes within trials.
    """

    encoding: Encoding
    whole: Cloud
    trials: tuple[Cloud, ...]

    def find(self, frame: pd.DataFrame) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Find rows that are unlike the training participants.

        Returns
        -------
        tuple of array of bool, shape (n_rows,)
            Farther from all of them than 99 % of them are; and the same of every trial, where
            there are several.
        """
        matrix = self.encoding.transform(frame)
        far = self.whole.measure(matrix) > self.whole.limit
        if len(self.trials) < 2:
            return far, np.zeros(len(matrix), dtype=bool)
        unlike = np.ones(len(matrix), dtype=bool)
        for cloud in self.trials:
            left = np.flatnonzero(unlike)
            unlike[left] = cloud.measure(matrix[left]) > cloud.limit
        return far, unlike

    def export(self) -> bytes:
        """Write it as JSON."""
        content = {
            "encoding": self.encoding.export(),
            "whole": _export_cloud(self.whole),
            "trials": [_export_cloud(cloud) for cloud in self.trials],
        }
        return (json.dumps(content) + "\n").encode()

    @classmethod
    def restore(cls, content: bytes, specs: Sequence[FeatureSpec]) -> Likeness:
        """Read what `export` wrote."""
        plain: Any = json.loads(content)
        encoding = Encoding.restore(plain["encoding"], select_patient(specs))
        width = len(encoding.columns)
        clouds = [_restore_cloud(item, width) for item in (plain["whole"], *plain["trials"])]
        return cls(encoding, clouds[0], tuple(clouds[1:]))


def select_patient(specs: Sequence[FeatureSpec]) -> list[FeatureSpec]:
    """Select the features that are properties of the patient."""
    return [spec for spec in specs if spec.part == "patient"]


def learn_likeness(features: FeatureTable, trial: npt.NDArray[np.str_]) -> Likeness:
    """Learn what the training participants are like.

    Returns
    -------
    Likeness
        Covariances are shrunk, so that they serve few participants and many features.

    References
    ----------
    .. [1] Ledoit O, Wolf M. A well-conditioned estimator for large-dimensional covariance
       matrices. J Multivar Anal 2004;88:365-411.
    """
    encoding = fit_encoding(features.frame, select_patient(features.specs), fill_and_scale=True)
    matrix = encoding.transform(features.frame)
    names, codes = np.unique(trial, return_inverse=True)
    within = (
        matrix - np.stack([matrix[codes == at].mean(axis=0) for at in range(len(names))])[codes]
    )
    axes = _find_axes(within)
    return Likeness(
        encoding,
        _learn_cloud(matrix, _find_axes(matrix - matrix.mean(axis=0)), _find_axes),
        tuple(
            _learn_cloud(matrix[codes == at], axes, lambda _: axes)
            for at in range(len(names))
            if (codes == at).sum() >= FEWEST_IN_TRIAL
        ),
    )


def _learn_cloud(matrix: Floats, axes: Floats, refit: Any) -> Cloud:
    """Take the limit from participants who are held against the others, as a new one will be."""
    distances = np.empty(len(matrix))
    for fold in range(min(_FOLDS, len(matrix))):
        held_out = np.arange(len(matrix)) % min(_FOLDS, len(matrix)) == fold
        others = matrix[~held_out]
        center = others.mean(axis=0)
        distances[held_out] = Cloud(center, refit(others - center), 0.0).measure(matrix[held_out])
    # Counted so that a new participant lies beyond with a chance of 1 in 100; with fewer than a
    # hundred, of 1 in one more than there are.
    last = min(math.ceil((len(matrix) + 1) * SHARE_INSIDE), len(matrix)) - 1
    return Cloud(matrix.mean(axis=0), axes, float(np.sort(distances)[last]))


def _find_axes(centred: Floats) -> Floats:
    if not centred.shape[1]:
        return np.empty((0, 0))
    # Only training needs it, and it takes long to import.
    from sklearn.covariance import ledoit_wolf

    covariance, _ = ledoit_wolf(centred, assume_centered=True)
    values, vectors = np.linalg.eigh(covariance)
    # A column that is constant in training tells nothing of likeness; ranges tell of it.
    kept = values > 1e-8 * max(float(values.max()), 1e-300)
    return np.asarray(vectors * np.where(kept, 1.0 / np.sqrt(np.where(kept, values, 1.0)), 0.0))


def _export_cloud(cloud: Cloud) -> dict[str, Any]:
    return {"center": cloud.center.tolist(), "axes": cloud.axes.tolist(), "limit": cloud.limit}


def _restore_cloud(plain: dict[str, Any], width: int) -> Cloud:
    center = np.array([check_finite(value) for value in plain["center"]], dtype=float)
    axes = np.array([[check_finite(value) for value in row] for row in plain["axes"]], dtype=float)
    if center.shape != (width,) or axes.reshape(-1).shape != (width * width,):
        raise ValueError("a mean or an axis is of other features")
    return Cloud(center, axes.reshape(width, width), check_finite(plain["limit"]))
