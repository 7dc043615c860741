"""Predicts which patients respond to a treatment, from pooled patient-level trial data."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glabella.pipelines.check import check
    from glabella.pipelines.compare import compare
    from glabella.pipelines.later_trials import validate
    from glabella.pipelines.promote import promote, roll_back
    from glabella.pipelines.rehearse import rehearse
    from glabella.pipelines.simulate import simulate
    from glabella.pipelines.train import train
    from glabella.pipelines.update import update
    from glabella.scoring.batch import explain, score
    from glabella.scoring.frames import score_distributed

__version__ = "0.1.0"

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
    "check": "glabella.pipelines.check",
    "compare": "glabella.pipelines.compare",
    "explain": "glabella.scoring.batch",
    "promote": "glabella.pipelines.promote",
    "rehearse": "glabella.pipelines.rehearse",
    "roll_back": "glabella.pipelines.promote",
    "score": "glabella.scoring.batch",
    "score_distributed": "glabella.scoring.frames",
    "simulate": "glabella.pipelines.simulate",
    "train": "glabella.pipelines.train",
    "update": "glabella.pipelines.update",
    "validate": "glabella.pipelines.later_trials",
}


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        return getattr(import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'glabella' has no attribute '{name}'")
