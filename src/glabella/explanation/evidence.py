"""Published findings on predictors, and how ours stand beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from glabella.definitions.reader import Definition
from glabella.explanation.predictors import MIXED, Predictor, plain_estimate

Agreement = Literal[
    "agrees", "agrees by construction", "contradicts", "contradicts by construction",
    "can't tell", "nothing to hold it against",
]  # fmt: skip


class PublishedRelation(Definition):
    """What one source says of a predictor.

    Parameters
    ----------
    says : str
        The finding, in a line.
    speaks : str
        ``for`` the expected direction, or ``against`` it.
    source : str
        The citation.
    confidence : str
        ``read`` in the source itself, ``secondary`` where quoted elsewhere, ``recalled`` from
        memory.
    """

    says: str
    speaks: Literal["for", "against"]
    source: str
    confidence: Literal["read", "secondary", "recalled"]


class PublishedPredictor(Definition):
    """What is published of a predictor.

    Parameters
    ----------
    variables : tuple of str
        The dictionary's variables that it is about.
    level : str, optional
        Of a category: the code that the direction is of.
    direction : str
        ``plus`` where response is held likelier, the higher the value; ``minus``, ``none`` or
        ``unknown``.
    strength : str
        Of the findings together.
    seen_in : str
        ``treated patients`` alone, which can't tell prognosis from effect, or a ``contrast`` of
        arms; ``nothing`` where there is no finding.
    findings : tuple of PublishedRelation
        For and against.
    hypothesis : str
        A mechanism that was proposed; it is no finding.
    """

    variables: tuple[str, ...] = Field(min_length=1)
    level: str | None = None
    direction: Literal["plus", "minus", "none", "unknown"]
    strength: Literal["moderate", "weak", "very weak", "none"]
    seen_in: Literal["treated patients", "contrast", "nothing"]
    findings: tuple[PublishedRelation, ...] = ()
    hypothesis: str = ""


class PredictorEvidence(Definition):
    """Published predictors.

    Parameters
    ----------
    kind : str
        ``predictor_evidence``.
    description : str
        Of which treatment and outcome.
    predictors : tuple of PublishedPredictor
        In the order in which they are shown.
    """

    kind: Literal["predictor_evidence"]
    description: str
    predictors: tuple[PublishedPredictor, ...]


@dataclass(frozen=True)
class Beside:
    """One predictor of ours beside what is published of it.

    Parameters
    ----------
    published : PublishedPredictor
        The findings.
    predictor : Predictor
        Ours.
    agreement : str
        In a word.
    """

    published: PublishedPredictor
    predictor: Predictor
    agreement: Agreement

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values.

        Returns
        -------
        dict
            The published side with its findings, ours with its interval, and the word.
        """
        return {
            **self.published.model_dump(mode="json"),
            "label": self.predictor.label,
            "ours": self.predictor.words,
            "is_beyond_noise": self.predictor.is_beyond_noise,
            "concordance": None
            if self.predictor.role is None
            else plain_estimate(self.predictor.role.active),
            "mean_absolute": plain_estimate(self.predictor.importance),
            "agreement": self.agreement,
        }


def hold_beside(
    evidence: PredictorEvidence,
    predictors: Sequence[Predictor],
    variables: Mapping[str, str],
    levels: Mapping[str, Sequence[str]],
    *,
    is_simulated: bool,
) -> tuple[Beside, ...]:
    """Hold our predictors beside the published ones.

    Parameters
    ----------
    evidence : PredictorEvidence
        What is published.
    predictors : sequence of Predictor
        Ours.
    variables : mapping of str
        Feature to the variable that it is built from.
    levels : mapping of sequence of str
        Feature to its levels in order, of a category.
    is_simulated : bool
        Whether agreement is by construction.

    Returns
    -------
    tuple of Beside
        For each of our features that something is published of.
    """
    return tuple(
        Beside(published, mine, _compare(published, mine, levels, is_simulated=is_simulated))
        for published in evidence.predictors
        for mine in predictors
        if variables.get(mine.feature) in published.variables
    )


def _compare(
    published: PublishedPredictor,
    mine: Predictor,
    levels: Mapping[str, Sequence[str]],
    *,
    is_simulated: bool,
) -> Agreement:
    if published.direction == "unknown":
        return "nothing to hold it against"
    if mine.is_beyond_noise is None:
        return "can't tell"
    if published.direction == "none":
        return _tell(agrees=not mine.is_beyond_noise, is_simulated=is_simulated)
    no_direction = math.isnan(mine.direction) or abs(mine.direction) < MIXED
    if not mine.is_beyond_noise or no_direction:
        return "can't tell"
    expected = 1.0 if published.direction == "plus" else -1.0
    order = levels.get(mine.feature, ())
    if published.level is not None and len(order) == 2 and published.level == order[0]:
        # Ours is the direction of the second level.
        expected = -expected
    return _tell(agrees=mine.direction * expected > 0, is_simulated=is_simulated)


def _tell(*, agrees: bool, is_simulated: bool) -> Agreement:
    if is_simulated:
        return "agrees by construction" if agrees else "contradicts by construction"
    return "agrees" if agrees else "contradicts"
