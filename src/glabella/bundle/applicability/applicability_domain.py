"""How far a row is from the training participants, by their means and covariances alone."""

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
# This proportion of training participants, each compared with the others, is nearer.
PROPORTION_INSIDE = 0.99
# A mean over fewer could identify them.
FEWEST_IN_TRIAL = 10
_FOLDS = 10

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MahalanobisDistance:
    """The Mahalanobis distance from a set of participants, and its limit.

    Parameters
    ----------
    center : array of float, shape (n_columns,)
        Their mean.
    axes : array of float, shape (n_columns, n_columns)
        A difference from the mean, multiplied by it, has unit variance in every direction.
    limit : float
        The distance that one in a hundred similar participants exceeds, or, with fewer than a
        hundred, the largest distance of any of them; each is measured from the others.
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
class ApplicabilityDomain:
    """The distances from all training participants, and from those of each trial.

    Parameters
    ----------
    encoding : Encoding
        How features become numbers; a missing value becomes the mean.
    whole : MahalanobisDistance
        From all training participants.
    trials : tuple of MahalanobisDistance
        From those of each trial with at least ten participants; all use the axes of the
        covariance within trials.
    names : tuple of str
        Of these trials; empty in bundles of versions that did not write them.
    """

    encoding: Encoding
    whole: MahalanobisDistance
    trials: tuple[MahalanobisDistance, ...]
    names: tuple[str, ...] = ()

    def find(self, frame: pd.DataFrame) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Find rows that are far from the training participants.

        Returns
        -------
        tuple of array of bool, shape (n_rows,)
            Whether a row is beyond the limit of all participants, and whether it is beyond the
            limits of every trial; False for all rows if there are fewer than two trials.
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
        """Write the distances as JSON."""
        content = {
            "encoding": self.encoding.export(),
            "whole": _export_distance(self.whole),
            "trials": [_export_distance(cloud) for cloud in self.trials],
            "names": list(self.names),
        }
        return (json.dumps(content) + "\n").encode()

    @classmethod
    def restore(cls, content: bytes, specs: Sequence[FeatureSpec]) -> ApplicabilityDomain:
        """Read the distances that `export` wrote."""
        plain: Any = json.loads(content)
        encoding = Encoding.restore(plain["encoding"], select_patient(specs))
        width = len(encoding.columns)
        clouds = [_restore_distance(item, width) for item in (plain["whole"], *plain["trials"])]
        names = plain.get("names", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("a name of a trial is no text")
        if names and len(names) != len(plain["trials"]):
            raise ValueError("there are not as many names of trials as means")
        return cls(encoding, clouds[0], tuple(clouds[1:]), tuple(names))


def select_patient(specs: Sequence[FeatureSpec]) -> list[FeatureSpec]:
    """Select the features that are properties of the patient."""
    return [spec for spec in specs if spec.part == "patient"]


def learn_applicability_domain(
    features: FeatureTable, trial: npt.NDArray[np.str_]
) -> ApplicabilityDomain:
    """Learn the applicability domain from the training participants, with shrunk covariances.

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
    known = [at for at in range(len(names)) if (codes == at).sum() >= FEWEST_IN_TRIAL]
    return ApplicabilityDomain(
        encoding,
        _learn_distance(matrix, _find_axes(matrix - matrix.mean(axis=0)), _find_axes),
        tuple(_learn_distance(matrix[codes == at], axes, lambda _: axes) for at in known),
        tuple(str(names[at]) for at in known),
    )


def _learn_distance(matrix: Floats, axes: Floats, refit: Any) -> MahalanobisDistance:
    """Learn a distance, with the limit from participants who are compared with the others."""
    distances = np.empty(len(matrix))
    for fold in range(min(_FOLDS, len(matrix))):
        held_out = np.arange(len(matrix)) % min(_FOLDS, len(matrix)) == fold
        others = matrix[~held_out]
        center = others.mean(axis=0)
        distances[held_out] = MahalanobisDistance(center, refit(others - center), 0.0).measure(
            matrix[held_out]
        )
    # Counted so that a new participant is beyond the limit with a probability of 1 in 100; with
    # fewer than a hundred participants, of 1 in one more than their number.
    last = min(math.ceil((len(matrix) + 1) * PROPORTION_INSIDE), len(matrix)) - 1
    return MahalanobisDistance(matrix.mean(axis=0), axes, float(np.sort(distances)[last]))


def _find_axes(centred: Floats) -> Floats:
    if not centred.shape[1]:
        return np.empty((0, 0))
    # Only training needs it, and it takes long to import.
    from sklearn.covariance import ledoit_wolf

    covariance, _ = ledoit_wolf(centred, assume_centered=True)
    values, vectors = np.linalg.eigh(covariance)
    # A column that is constant in training does not contribute to the distance; its range is
    # checked separately.
    kept = values > 1e-8 * max(float(values.max()), 1e-300)
    return np.asarray(vectors * np.where(kept, 1.0 / np.sqrt(np.where(kept, values, 1.0)), 0.0))


def _export_distance(cloud: MahalanobisDistance) -> dict[str, Any]:
    return {"center": cloud.center.tolist(), "axes": cloud.axes.tolist(), "limit": cloud.limit}


def _restore_distance(plain: dict[str, Any], width: int) -> MahalanobisDistance:
    center = np.array([check_finite(value) for value in plain["center"]], dtype=float)
    axes = np.array([[check_finite(value) for value in row] for row in plain["axes"]], dtype=float)
    if center.shape != (width,) or axes.reshape(-1).shape != (width * width,):
        raise ValueError("a mean or an axis is of other features")
    return MahalanobisDistance(center, axes.reshape(width, width), check_finite(plain["limit"]))
