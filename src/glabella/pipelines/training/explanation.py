"""What the chosen candidate uses, how sure that is, and beside what is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from glabella.explanation.attributions import Attributions
from glabella.explanation.budget import Budget
from glabella.explanation.evidence import EvidenceComparison
from glabella.explanation.noise import (
    Noise,
)
from glabella.explanation.predictors import Pair, Predictor
from glabella.tracking.runs import name_metric


@dataclass(frozen=True)
class Explanation:
    """What the chosen candidate uses, and how far that can be trusted.

    Parameters
    ----------
    attributions : Attributions
        Of held-out participants.
    members : Attributions
        The same for each feature alone, where some are shown as one.
    predictors : tuple of Predictor
        The patient's features, the most important first, then the arm.
    pairs : tuple of Pair
        The largest first.
    noise : Noise or None
        The importance of features that tell nothing, where it was measured.
    refits : int
        Bootstrap samples behind the intervals.
    rankings : DataFrame, shape (n_features, n_candidates)
        Each candidate's rank of each feature of the patient, by held-out attributions; missing
        where it does not use the feature. Indexed by the features' words.
    beside : tuple of EvidenceComparison
        Our predictors beside published ones.
    budget : Budget
        How much was done.
    """

    attributions: Attributions
    members: Attributions
    predictors: tuple[Predictor, ...]
    pairs: tuple[Pair, ...]
    noise: Noise | None
    refits: int
    rankings: pd.DataFrame
    beside: tuple[EvidenceComparison, ...]
    budget: Budget

    @property
    def patient(self) -> tuple[Predictor, ...]:
        """Those that are properties of the patient."""
        return tuple(item for item in self.predictors if item.is_patient)

    @property
    def beyond_noise(self) -> dict[str, bool | None]:
        """By feature of the patient, or group: whether it stands out; None where not tested."""
        return {item.feature: item.is_beyond_noise for item in self.patient}

    @property
    def standing(self) -> tuple[str, ...]:
        """The words of what stands out from noise."""
        return tuple(item.label for item in self.patient if item.is_beyond_noise)

    def describe(self) -> str:
        """Say what predicts, in a few sentences."""
        patient = self.patient
        used = [item for item in patient if (item.importance.value or 0.0) > 0.0]
        if not used:
            return "The chosen model uses no property of the patient, so there is no predictor."
        if self.noise is None or self.noise.threshold is None:
            why = f" ({self.noise.reason})" if self.noise is not None and self.noise.reason else ""
            return (
                f"Whether any predictor stands out from noise was not tested{why}: the order below "
                "may be chance."
            )
        beyond = [item for item in patient if item.is_beyond_noise]
        if not beyond:
            return (
                f"No predictor can be told from noise: features that tell nothing look as "
                f"important as all {len(patient)}. Nothing can be said of who responds."
            )
        named = "; ".join(f"{item.label}: {item.words}, {item.kind}" for item in beyond)
        words = f"{len(beyond)} of {len(patient)} features stand out from noise. {named}."
        turned = [item for item in beyond if item.reversed_in]
        for item in turned:
            words += f" {item.label} goes the other way in {', '.join(item.reversed_in)}."
        return words

    def list_metrics(self) -> dict[str, float]:
        """Name the figures for a tracking store.

        Returns
        -------
        dict of float
            Each feature's mean absolute attribution, the threshold of noise where there is one,
            and how many features of the patient stand out from it.
        """
        found = {
            f"importance.{name_metric(item.feature)}": item.importance.value
            for item in self.predictors
            if item.importance.value is not None
        }
        if self.noise is not None and self.noise.threshold is not None:
            found["importance.noise"] = self.noise.threshold
            found["importance.beyond_noise"] = float(
                sum(bool(item.is_beyond_noise) for item in self.patient)
            )
        return found

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values, without any participant's.

        Returns
        -------
        dict
            ``statement``, ``predictors``, ``pairs``, ``noise``, ``refits``, ``budget``
            (why there are fewer than by default), ``rankings``, ``evidence``.
        """
        noise = self.noise
        return {
            "statement": self.describe(),
            "method": self.attributions.method,
            "scale": self.attributions.scale,
            "refits": self.refits,
            "budget": self.budget.reason,
            "noise": None
            if noise is None
            else {
                "threshold": noise.threshold,
                "permutations": noise.permutations,
                "steps": noise.steps,
                "reason": noise.reason,
            },
            "predictors": [item.as_json() for item in self.predictors],
            "pairs": [item.as_json() for item in self.pairs],
            "rankings": {
                str(candidate): {
                    str(label): None if np.isnan(rank) else int(rank)
                    for label, rank in column.items()
                }
                for candidate, column in self.rankings.items()
            },
            "evidence": [item.as_json() for item in self.beside],
        }


def describe_unexplained(reason: str) -> dict[str, Any]:
    """Give what stands for an explanation that there is none of."""
    return {
        "statement": f"The chosen model is not explained: {reason}.",
        "method": "",
        "scale": "log odds",
        "refits": 0,
        "budget": "",
        "noise": None,
        "predictors": [],
        "pairs": [],
        "rankings": {},
        "evidence": [],
    }
