"""Predicts which patients respond to a treatment, from pooled patient-level trial data."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glabella.pipelines.check.check import check
    from glabella.pipelines.new_trial.update import update
    from glabella.pipelines.new_trial.validate import validate
    from glabella.pipelines.promotion.compare import compare
    from glabella.pipelines.promotion.promote import promote, roll_back
    from glabella.pipelines.rehearsal.rehearse import rehearse
    from glabella.pipelines.simulate import simulate
    from glabella.pipelines.training.train import train
    from glabella.scoring.batch import explain, score
    from glabella.scoring.frames import score_distributed

__all__ = [
    "__version__",
    "check",
    "compare",
    "explain",
    "promote",
    "rehearse",
    "roll_back",
    "score",
    "score_distributed",
    "simulate",
    "train",
    "update",
    "validate",
]

# Each verb is imported when it is first used: `glabella --help` must not wait for scikit-learn,
# nor scoring for mlflow.
_VERBS = {
    "check": "glabella.pipelines.check.check",
    "compare": "glabella.pipelines.promotion.compare",
    "explain": "glabella.scoring.batch",
    "promote": "glabella.pipelines.promotion.promote",
    "rehearse": "glabella.pipelines.rehearsal.rehearse",
    "roll_back": "glabella.pipelines.promotion.promote",
    "score": "glabella.scoring.batch",
    "score_distributed": "glabella.scoring.frames",
    "simulate": "glabella.pipelines.simulate",
    "train": "glabella.pipelines.training.train",
    "update": "glabella.pipelines.new_trial.update",
    "validate": "glabella.pipelines.new_trial.validate",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        # Read when it is asked for: no verb's help waits for it.
        from importlib.metadata import version

        return version("glabella")
    if name in _VERBS:
        return getattr(import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'glabella' has no attribute '{name}'")
