"""How well the features predict which trial a participant is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.encoding import fit_encoding

_FOLDS = 5


@dataclass(frozen=True)
class Membership:
    """How alike the trials are, seen through the features.

    Parameters
    ----------
    auc : float or None
        Of telling one trial from another by the features, averaged over pairs of trials: 0.5
        where they are alike, 1 where the features name the trial.
    auc_missing : float or None
        The same by which features are missing, and nothing else.
    reason : str or None
        Why there is none.
    """

    auc: float | None
    auc_missing: float | None
    reason: str | None = None


def estimate_membership(features: FeatureTable, trial: npt.ArrayLike, *, seed: int) -> Membership:
    """Estimate by cross-validated multinomial logistic regression how features name the trial.

    References
    ----------
    .. [1] Hand DJ, Till RJ. A simple generalisation of the area under the ROC curve for multiple
       class classification problems. Machine Learning 2001;45:171-186.
    .. [2] Debray TPA et al. A new framework to enhance the interpretation of external validation
       studies of clinical prediction models. J Clin Epidemiol 2015;68:279-289.
    """
    labels = pd.Series(np.asarray(trial).astype(str))
    kept = labels.map(labels.value_counts()) >= _FOLDS
    if labels[kept].nunique() < 2:
        return Membership(None, None, "there are not two trials of at least five participants")
    rows = np.flatnonzero(kept.to_numpy())
    specs = [spec for spec in features.specs if spec.part == "patient"]
    frame = features.frame.iloc[rows].reset_index(drop=True)
    names = [spec.name for spec in specs]
    missing = frame[names].isna().astype(float)
    with threadpool_limits(1):
        by_value = _predict_held_out(frame, specs, labels[kept].to_numpy(), seed)
        by_missing = 0.5
        if missing.to_numpy().any():
            flags = [FeatureSpec(name, name, "number") for name in names]
            by_missing = _predict_held_out(missing, flags, labels[kept].to_numpy(), seed)
    return Membership(by_value, by_missing)


def _predict_held_out(
    frame: pd.DataFrame, specs: Sequence[FeatureSpec], labels: npt.NDArray[np.str_], seed: int
) -> float:
    names = np.unique(labels)
    predicted = np.empty((len(labels), len(names)))
    for train, test in StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(
        labels, labels
    ):
        encoding = fit_encoding(frame.iloc[train], specs, fill_and_scale=True)
        if not encoding.columns:
            return 0.5
        model = LogisticRegression(max_iter=2000).fit(
            encoding.transform(frame.iloc[train]), labels[train]
        )
        predicted[test] = model.predict_proba(encoding.transform(frame.iloc[test]))
    if len(names) == 2:
        return float(roc_auc_score(labels == names[1], predicted[:, 1]))
    return float(roc_auc_score(labels, predicted, multi_class="ovo", labels=names))
