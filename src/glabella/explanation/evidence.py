"""Published findings on predictors, and how ours stand beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from glabella.definitions.reader import Definition
from glabella.explanation.predictors import MIXED, Predictor
from glabella.models.grouping import Grouping
from glabella.validation.measures.estimate import Estimate

__all__ = ["PredictorEvidence", "PublishedPredictor", "PublishedRelation"]

Agreement = Literal[
    "agrees", "agrees by construction", "contradicts", "contradicts by construction",
    "can't tell", "nothing to hold it against", "not measured in this analysis",
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
    """What is published of a predictor, and ours beside it.

    Parameters
    ----------
    published : PublishedPredictor
        The findings.
    label : str
        What it is about, in words.
    predictor : Predictor or None
        Ours, or the group that it is a part of; None where no feature of the analysis is of it.
    agreement : str
        In a word.
    is_part : bool
        Whether ours is a group, through which it is compared.
    """

    published: PublishedPredictor
    label: str
    predictor: Predictor | None
    agreement: Agreement
    is_part: bool = False

    @property
    def ours(self) -> str:
        """What we find, in words."""
        if self.predictor is None:
            return "–"
        words = self.predictor.words
        if self.predictor.is_beyond_noise is False:
            words = "not told from noise"
        elif self.published.seen_in == "contrast" and self.predictor.role is not None:
            words = f"{words}; {self.predictor.kind}"
        return f"part of the group {self.predictor.label}: {words}" if self.is_part else words

    @property
    def held_against(self) -> Estimate | None:
        """Our figure for what was published: a contrast of arms, or of the active arm alone."""
        if self.predictor is None or self.predictor.role is None:
            return None
        role = self.predictor.role
        return role.difference if self.published.seen_in == "contrast" else role.active

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values.

        Returns
        -------
        dict
            The published side with its findings, ours with its interval, and the word.
        """
        mine, held = self.predictor, self.held_against
        return {
            **self.published.model_dump(mode="json"),
            "label": self.label,
            "ours": self.ours,
            "is_beyond_noise": None if mine is None else mine.is_beyond_noise,
            "held_against": None if held is None else held.as_json(),
            "mean_absolute": None if mine is None else mine.importance.as_json(),
            "agreement": self.agreement,
        }


def hold_beside(
    evidence: PredictorEvidence,
    predictors: Sequence[Predictor],
    variables: Mapping[str, str],
    levels: Mapping[str, Sequence[str]],
    *,
    is_simulated: bool,
    grouping: Grouping | None = None,
    labels: Mapping[str, str] = MappingProxyType({}),
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
    grouping : Grouping, optional
        What is shown as one; every feature alone unless stated.
    labels : mapping of str
        Variable to its words, for what no feature is of; its name where there are none.

    Returns
    -------
    tuple of Beside
        For each published predictor the features that are of it, a group in the place of its
        features; one without a predictor of ours where nothing is.
    """
    together, found = grouping or Grouping(), []
    for published in evidence.predictors:
        about = [name for name, variable in variables.items() if variable in published.variables]
        mine = [item for item in predictors if set(together.list_members(item.feature)) & {*about}]
        for item in mine:
            is_part = item.feature in together.groups
            agreement = _compare(
                published, item, levels, is_part=is_part, is_simulated=is_simulated
            )
            label = item.label if not is_part else _name(published, labels)
            found.append(Beside(published, label, item, agreement, is_part))
        if not mine:
            label = _name(published, labels)
            found.append(Beside(published, label, None, "not measured in this analysis"))
    return tuple(found)


def _name(published: PublishedPredictor, labels: Mapping[str, str]) -> str:
    return ", ".join(labels.get(name, name) for name in published.variables)


def _compare(
    published: PublishedPredictor,
    mine: Predictor,
    levels: Mapping[str, Sequence[str]],
    *,
    is_part: bool,
    is_simulated: bool,
) -> Agreement:
    if published.direction == "unknown":
        return "nothing to hold it against"
    # What a group tells may be another of its features' doing; and what is not told from noise
    # may be small, or hidden by too few participants.
    if not mine.is_beyond_noise or is_part:
        return "can't tell"
    turn = 1.0
    if published.seen_in == "contrast":
        turn = _find_contrast(mine)
        if turn == 0.0:
            return "can't tell"
    if published.direction == "none":
        return _tell(agrees=False, is_simulated=is_simulated)
    if math.isnan(mine.direction) or abs(mine.direction) < MIXED:
        return "can't tell"
    expected = 1.0 if published.direction == "plus" else -1.0
    order = levels.get(mine.feature, ())
    if published.level is not None and len(order) == 2 and published.level == order[0]:
        # Ours is the direction of the second level.
        expected = -expected
    return _tell(agrees=mine.direction * turn * expected > 0, is_simulated=is_simulated)


def _find_contrast(mine: Predictor) -> float:
    """Say which way the treatment's effect goes with the feature: with it, against it, or 0."""
    role = "can't be told" if mine.role is None else mine.role.role
    return {"of the effect": 1.0, "of the effect, in the other direction": -1.0}.get(role, 0.0)


def _tell(*, agrees: bool, is_simulated: bool) -> Agreement:
    if is_simulated:
        return "agrees by construction" if agrees else "contradicts by construction"
    return "agrees" if agrees else "contradicts"
