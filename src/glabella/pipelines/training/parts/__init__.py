"""The parts of a training: what it measures beside the validation, and could do without."""

from __future__ import annotations

from glabella.pipelines.training.parts.external_validation import External
from glabella.pipelines.training.parts.learning_curve import ChosenLearningCurve
from glabella.pipelines.training.parts.oracle import OracleComparison
from glabella.pipelines.training.parts.part import Part
from glabella.pipelines.training.parts.permutation_tests import Permutations
from glabella.pipelines.training.parts.randomised_effect import RandomisedEffect
from glabella.pipelines.training.parts.sensitivity import Sensitivity
from glabella.pipelines.training.parts.stability import ChosenStability

# In the order of the report.
PARTS: tuple[type[Part], ...] = (
    RandomisedEffect,
    External,
    Permutations,
    OracleComparison,
    ChosenStability,
    ChosenLearningCurve,
    Sensitivity,
)
