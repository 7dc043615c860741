"""Attributions of held-out participants, each from models that never saw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit

from glabella.errors import AnalysisError
from glabella.features.spec import FeatureSpec
from glabella.models.estimators.contributions import Contributions, Scale
from glabella.models.grouping import Grouping
from glabella.validation.folds.fold_result import FoldResult
from glabella.validation.folds.sample import Sample

ADDITIVITY_TOLERANCE = 1e-6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Attributions:
    """SHAP values, averaged over the repetitions of cross-validation.

    Parameters
    ----------
    features : tuple of str
        The clinical features; the arm last, if there is one.
    labels : tuple of str
        Their labels.
    is_patient : tuple of bool
        Whether each is a property of the patient.
    values : array of float, shape (n_participants, n_features)
        Attributions, positive for likelier response.
    base : array of float, shape (n_participants,)
        The prediction that the values are added to.
    sizes : array of float, shape (n_participants, n_features)
        The absolute values, averaged over the repetitions.
    ranks : array of float, shape (n_participants, n_features)
        Each value's rank within its feature, 0 low to 1 high; NaN if missing or without an order.
    uppers : tuple of str
        The values with rank 1: ``higher``, or the label of a category's second level.
    method : str
        How they were computed, in words.
    scale : str
        The scale of their sum: ``log odds`` or ``probability``.
    """

    features: tuple[str, ...]
    labels: tuple[str, ...]
    is_patient: tuple[bool, ...]
    values: Floats
    base: Floats
    sizes: Floats
    ranks: Floats
    uppers: tuple[str, ...]
    method: str
    scale: Scale = "log odds"

    def summarise(self) -> pd.DataFrame:
        """Summarise each feature, largest first.

        Returns
        -------
        DataFrame
            ``feature``, ``label``, ``is_patient``, ``mean_absolute`` (log odds), ``direction``:
            the rank correlation of value and attribution, NaN if there is no order; ``upper``, the
            values that the direction describes.
        """
        rows = [
            {
                "feature": feature,
                "label": self.labels[index],
                "is_patient": self.is_patient[index],
                "mean_absolute": float(self.sizes[:, index].mean()),
                "direction": find_direction(self.values[:, index], self.ranks[:, index]),
                "upper": self.uppers[index],
            }
            for index, feature in enumerate(self.features)
        ]
        return pd.DataFrame(rows).sort_values("mean_absolute", ascending=False, kind="stable")


def find_direction(values: Floats, ranks: Floats) -> float:
    """Find the rank correlation of a feature's values and attributions; NaN without an order."""
    known = ~np.isnan(ranks)
    if known.sum() <= 2 or np.ptp(values[known]) == 0 or np.ptp(ranks[known]) == 0:
        return float("nan")
    return float(pd.Series(values[known]).corr(pd.Series(ranks[known]), method="spearman"))


def collect_attributions(
    results: Sequence[FoldResult],
    sample: Sample,
    *,
    method: str,
    grouping: Grouping | None = None,
) -> Attributions:
    """Average the held-out attributions of one candidate over repeated cross-validation.

    Each fold's attributions and base must add to its prediction, or an error is raised.
    """
    together = grouping or Grouping()
    first = results[0].contributions
    assert first is not None
    features = together.name_shown(first.features)
    values, sizes = np.zeros((sample.n, len(features))), np.zeros((sample.n, len(features)))
    base, counts = np.zeros(sample.n), np.zeros(sample.n)
    for result in results:
        found = result.contributions
        assert found is not None and result.probability is not None
        _check_additivity(result.candidate, found, result.probability)
        shown = together.sum_values(found).values
        values[result.fold.test] += shown
        sizes[result.fold.test] += np.abs(shown)
        base[result.fold.test] += found.base
        counts[result.fold.test] += 1
    specs = together.describe(sample.features.specs)
    return Attributions(
        features=features,
        labels=tuple(specs[name].label for name in features),
        is_patient=tuple(specs[name].part == "patient" for name in features),
        values=values / counts[:, None],
        base=base / counts,
        sizes=sizes / counts[:, None],
        ranks=rank_values(sample, features),
        uppers=tuple(_name_upper(specs[name]) for name in features),
        method=method,
        scale=first.scale,
    )


def _name_upper(spec: FeatureSpec) -> str:
    labels = list(spec.levels.values())
    return labels[1] if spec.kind == "category" and len(labels) == 2 else "higher"


def _check_additivity(candidate: str, found: Contributions, probability: Floats) -> None:
    inside = (probability > 1e-6) & (probability < 1 - 1e-6)
    safe = np.where(inside, probability, 0.5)
    wanted = logit(safe) if found.scale == "log odds" else safe
    error = np.abs(found.values.sum(axis=1) + found.base - wanted)[inside]
    if error.size and error.max() > ADDITIVITY_TOLERANCE:
        raise AnalysisError(
            f"the attributions of '{candidate}' differ from its prediction by up to "
            f"{error.max():.2g} on the scale of the {found.scale}, so they do not explain it",
            remedy="Report this: attributions of an exact method add up to the prediction.",
        )


def rank_values(sample: Sample, features: Sequence[str]) -> Floats:
    """Rank each value within its feature.

    Returns
    -------
    array of float, shape (n_participants, n_features)
        0 low to 1 high; NaN if missing or without an order, as for a group of features.
    """
    frame = sample.features.frame
    none = np.full(sample.n, np.nan)
    return np.column_stack([_rank(frame[name]) if name in frame else none for name in features])


def _rank(column: pd.Series) -> Floats:
    if isinstance(column.dtype, pd.CategoricalDtype):
        if len(column.cat.categories) > 2:
            return np.full(len(column), np.nan)
        codes = column.cat.codes.to_numpy(dtype=float)
        return np.where(codes < 0, np.nan, codes)
    ranks = column.rank(method="average")
    span = ranks.max() - ranks.min()
    scaled = (ranks - ranks.min()) / span if span > 0 else ranks * 0.0 + 0.5
    return np.asarray(scaled, dtype=float)
