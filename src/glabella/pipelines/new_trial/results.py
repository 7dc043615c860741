"""What `validate` returns: a model in one new trial, and in all of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from glabella.pipelines.new_trial.read_table import NewTrial
from glabella.reporting.new_trial_page import draw_over_time
from glabella.reporting.verdict import PredictionInterval, Promise
from glabella.validation.across_trials.case_mix import CaseMix, TrialLikeness
from glabella.validation.across_trials.recalibration import UpdateChoice
from glabella.validation.comparison.candidate_result import describe_performance
from glabella.validation.measures.performance import Performance
from glabella.validation.measures.registry import MEASURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["TrialValidation", "ValidationResult"]


@dataclass(frozen=True)
class TrialValidation:
    """A model in one new trial.

    Parameters
    ----------
    trial : NewTrial
        The participants, and what was predicted for them.
    performance : Performance
        All measures, with intervals.
    case_mix : CaseMix
        Where a difference in concordance comes from.
    likeness : tuple of TrialLikeness
        How well features distinguish the new trial from each of training.
    promise : str
        Whether the prediction interval of training was kept.
    update : UpdateChoice or None
        How much of an update the data support; None if that can't be tested.
    update_reason : str
        Why not.
    verdict : str
        In words.
    """

    trial: NewTrial = field(repr=False)
    performance: Performance
    case_mix: CaseMix
    likeness: tuple[TrialLikeness, ...]
    promise: Promise
    update: UpdateChoice | None
    update_reason: str
    verdict: str

    @property
    def moved(self) -> tuple[str, ...]:
        """The features that are distributed otherwise than in training, beyond noise."""
        return tuple(name for name, item in self.trial.drift.items() if item["is_marked"])

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values, without any participant's.

        Returns
        -------
        dict
            Measures with bounds and reasons, counts, and each part of the transport report.
        """
        trial = self.trial
        return {
            "trial": trial.name,
            "rows": trial.rows,
            "refused_by_reason": trial.refused_by_reason,
            "without_outcome": trial.without_outcome,
            "out_of_domain": trial.out_of_domain,
            "overlap": trial.overlap,
            "table_sha256": trial.table_sha256,
            **describe_performance(self.performance),
            "case_mix": self.case_mix.as_json(),
            "likeness": [asdict(item) for item in self.likeness],
            "drift": trial.drift,
            "moved": list(self.moved),
            "promise": self.promise,
            "update": None if self.update is None else self.update.as_json(),
            "update_reason": self.update_reason or None,
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class ValidationResult:
    """A model in one or several new trials, in the order in which they came.

    Parameters
    ----------
    model : str
        The model's name.
    promised : PredictionInterval
        The prediction interval of training for the concordance in a new trial.
    trials : tuple of TrialValidation
        In order.
    report : str
        The page.
    run_id : str
        MLflow's id of the run.
    """

    model: str
    promised: PredictionInterval
    trials: tuple[TrialValidation, ...]
    report: str
    run_id: str

    @property
    def statement(self) -> str:
        """Where the prediction interval of training failed first, or that it did not."""
        broken = [item.trial.name for item in self.trials if item.promise == "broken"]
        if self.promised.low is None:
            return "Training left no trial out, so there is no prediction interval for a new one."
        if broken:
            return f"The prediction interval of training failed first in {broken[0]}."
        return "The prediction interval of training is not shown to fail in any of them."

    def frame(self) -> pd.DataFrame:
        """Tabulate the measures.

        Returns
        -------
        DataFrame
            A row a trial: ``trial``, ``n``, ``events``, ``promise`` and each measure with its
            interval.
        """
        rows = []
        for item in self.trials:
            row: dict[str, Any] = {
                "trial": item.trial.name,
                "n": item.performance.n,
                "events": item.performance.events,
                "promise": item.promise,
            }
            for measure in MEASURES:
                row |= item.performance.estimates[measure].as_columns(measure)
            rows.append(row)
        return pd.DataFrame(rows)

    def plot(self) -> Figure:
        """Draw the concordance in each trial beside the prediction interval.

        Returns
        -------
        Figure
            Of matplotlib.
        """
        return draw_over_time(self.frame(), self.promised)

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            ``model``, ``promised``, ``statement``, ``trials``, ``report``, ``run_id``.
        """
        return {
            "model": self.model,
            "promised": self.promised.as_json(),
            "statement": self.statement,
            "trials": [item.as_json() for item in self.trials],
            "report": self.report,
            "run_id": self.run_id,
        }
