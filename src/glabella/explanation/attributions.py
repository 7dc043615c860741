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
from glabella.models.estimators.interface import Contributions, Scale
from glabella.validation.fold_result import FoldResult
from glabella.validation.sample import Sample

ADDITIVITY_TOLERANCE = 1e-6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Attributions:
    """SHAP values, averaged over the repetitions of cross-validation.

    Parameters
    ----------
    features : tuple of str
        The clinical features; the arm last, where there is one.
    labels : tuple of str
        Their words.
    is_patient : tuple of bool
        Whether each is a property of the patient.
    values : array of float, shape (n_participants, n_features)
        Positive towards response.
    base : array of float, shape (n_participants,)
        What the values add to.
    ranks : array of float, shape (n_participants, n_features)
        Each value's place within its feature, 0 low to 1 high; NaN where missing or unordered.
    uppers : tuple of str
        What stands at 1: ``higher``, or the label of a category's second level.
    method : str
        How they were computed, in words.
    scale : str
        What they add up to: the ``log odds``, or the ``probability``.
    """

    features: tuple[str, ...]
    labels: tuple[str, ...]
    is_patient: tuple[bool, ...]
    values: Floats
    base: Floats
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
            the rank correlation of value and attribution, NaN for what has no order; ``upper``,
            what the direction is of.
        """
        rows = []
        for index, feature in enumerate(self.features):
            values, ranks = self.values[:, index], self.ranks[:, index]
            known = ~np.isnan(ranks)
            varied = known.sum() > 2 and np.ptp(values[known]) > 0 and np.ptp(ranks[known]) > 0
            direction = (
                float(pd.Series(values[known]).corr(pd.Series(ranks[known]), method="spearman"))
                if varied
                else float("nan")
            )
            rows.append(
                {
                    "feature": feature,
                    "label": self.labels[index],
                    "is_patient": self.is_patient[index],
                    "mean_absolute": float(np.abs(values).mean()),
                    "direction": direction,
                    "upper": self.uppers[index],
                }
            )
        return pd.DataFrame(rows).sort_values("mean_absolute", ascending=False, kind="stable")


def collect_attributions(
    results: Sequence[FoldResult], sample: Sample, *, method: str
) -> Attributions:
    """Average the held-out attributions of one candidate over repeated cross-validation.

    Parameters
    ----------
    results : sequence of FoldResult
        Of one candidate and the pooled design.
    sample : Sample
        The participants.
    method : str
        How each fold's values were computed.

    Returns
    -------
    Attributions
        One row a participant.

    Raises
    ------
    AnalysisError
        If on some fold values and base do not add to the prediction.
    """
    first = results[0].contributions
    assert first is not None
    features = first.features
    values = np.zeros((sample.n, len(features)))
    base, counts = np.zeros(sample.n), np.zeros(sample.n)
    for result in results:
        found = result.contributions
        assert found is not None and result.probability is not None
        _check_additivity(result.candidate, found, result.probability)
        values[result.fold.test] += found.values
        base[result.fold.test] += found.base
        counts[result.fold.test] += 1
    specs = {spec.name: spec for spec in sample.features.specs}
    ranks = np.column_stack([_rank(sample.features.frame[name]) for name in features])
    return Attributions(
        features=features,
        labels=tuple(specs[name].label for name in features),
        is_patient=tuple(specs[name].part == "patient" for name in features),
        values=values / counts[:, None],
        base=base / counts,
        ranks=ranks,
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
            f"the attributions of '{candidate}' miss its prediction by up to {error.max():.2g} "
            f"on the scale of the {found.scale}, so they do not explain it",
            remedy="Report this: an exact method must add up.",
        )


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
