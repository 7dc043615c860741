"""Published findings on predictors, compared with ours."""

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
from glabella.validation.measures.estimation.estimate import Estimate

__all__ = ["PredictorEvidence", "PublishedPredictor", "PublishedRelation"]

Agreement = Literal[
    "agrees", "agrees by construction", "contradicts", "contradicts by construction",
    "can't tell", "nothing to compare with", "not measured in this analysis",
]  # fmt: skip


class PublishedRelation(Definition):
    """A finding of one source on a predictor.

    Parameters
    ----------
    says : str
        The finding, in one line.
    speaks : str
        Whether it supports the expected direction: ``for`` or ``against`` it.
    source : str
        The citation.
    confidence : str
        ``read`` in the source itself, ``secondary`` if quoted elsewhere, ``recalled`` from memory.
    """

    says: str
    speaks: Literal["for", "against"]
    source: str
    confidence: Literal["read", "secondary", "recalled"]


class PublishedPredictor(Definition):
    """The published findings on a predictor.

    Parameters
    ----------
    variables : tuple of str
        The variables of the dictionary that the findings are about.
    level : str, optional
        For a category, the code whose participants the direction describes.
    direction : str
        ``plus`` if response is expected to be likelier the higher the value; ``minus``, ``none``
        or ``unknown``.
    strength : str
        The strength of the findings together.
    seen_in : str
        ``treated patients`` alone, which does not separate prognosis from the treatment's effect,
        or a ``contrast`` of arms; ``nothing`` if there is no finding.
    findings : tuple of PublishedRelation
        Those for and those against the direction.
    hypothesis : str
        A mechanism that was proposed, which is not a finding.
    """

    variables: tuple[str, ...] = Field(min_length=1)
    level: str | None = None
    direction: Literal["plus", "minus", "none", "unknown"]
    strength: Literal["moderate", "weak", "very weak", "none"]
    seen_in: Literal["treated patients", "contrast", "nothing"]
    findings: tuple[PublishedRelation, ...] = ()
    hypothesis: str = ""


class PredictorEvidence(Definition):
    """A table of published predictors.

    Parameters
    ----------
    kind : str
        ``predictor_evidence``.
    description : str
        The treatment and the outcome that the findings are about.
    predictors : tuple of PublishedPredictor
        In the order in which they are shown.
    """

    kind: Literal["predictor_evidence"]
    description: str
    predictors: tuple[PublishedPredictor, ...]


@dataclass(frozen=True)
class EvidenceComparison:
    """A published predictor and ours, compared.

    Parameters
    ----------
    published : PublishedPredictor
        The published findings.
    label : str
        The label of the variable, or of our feature.
    predictor : Predictor or None
        Our predictor, or the group that contains it; None if no feature of the analysis is
        derived from the variables.
    agreement : str
        Whether ours agrees, in a word.
    is_part : bool
        Whether it is compared through a group of features.
    """

    published: PublishedPredictor
    label: str
    predictor: Predictor | None
    agreement: Agreement
    is_part: bool = False

    @property
    def ours(self) -> str:
        """Our finding in words."""
        if self.predictor is None:
            return "–"
        words = self.predictor.words
        if self.predictor.is_beyond_noise is False:
            words = "not distinguished from noise"
        elif self.published.seen_in == "contrast" and self.predictor.role is not None:
            words = f"{words}; {self.predictor.kind}"
        return f"part of the group {self.predictor.label}: {words}" if self.is_part else words

    @property
    def compared_with(self) -> Estimate | None:
        """Our estimate of what was published: a contrast of arms, or of the active arm alone."""
        if self.predictor is None or self.predictor.role is None:
            return None
        role = self.predictor.role
        return role.difference if self.published.seen_in == "contrast" else role.active

    def as_json(self) -> dict[str, Any]:
        """Convert to plain values.

        Returns
        -------
        dict
            The published findings, our estimate with its interval, and whether they agree.
        """
        mine, ours = self.predictor, self.compared_with
        return {
            **self.published.model_dump(mode="json"),
            "label": self.label,
            "ours": self.ours,
            "is_beyond_noise": None if mine is None else mine.is_beyond_noise,
            "held_against": None if ours is None else ours.as_json(),
            "mean_absolute": None if mine is None else mine.importance.as_json(),
            "agreement": self.agreement,
        }


def compare_with_evidence(
    evidence: PredictorEvidence,
    predictors: Sequence[Predictor],
    variables: Mapping[str, str],
    levels: Mapping[str, Sequence[str]],
    *,
    is_simulated: bool,
    grouping: Grouping | None = None,
    labels: Mapping[str, str] = MappingProxyType({}),
) -> tuple[EvidenceComparison, ...]:
    """Compare our predictors with the published ones.

    Parameters
    ----------
    evidence : PredictorEvidence
        The published predictors.
    predictors : sequence of Predictor
        Ours.
    variables : mapping of str
        Variable by the name of the feature that is derived from it.
    levels : mapping of sequence of str
        For a category, its levels in order, by the name of the feature.
    is_simulated : bool
        Whether the data are simulated, so that agreement is by construction.
    grouping : Grouping, optional
        Features that are shown as one; by default each is shown alone.
    labels : mapping of str
        Label by variable, for variables without a feature; by default the variable's name.

    Returns
    -------
    tuple of EvidenceComparison
        For each published predictor, one for each feature that is derived from its variables, or
        for the group that contains it; one without a predictor of ours if there is none.
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
            label = item.label if not is_part else _name_variables(published, labels)
            found.append(EvidenceComparison(published, label, item, agreement, is_part))
        if not mine:
            label = _name_variables(published, labels)
            found.append(
                EvidenceComparison(published, label, None, "not measured in this analysis")
            )
    return tuple(found)


def _name_variables(published: PublishedPredictor, labels: Mapping[str, str]) -> str:
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
        return "nothing to compare with"
    # A group's association may be due to another of its features; and a feature that is not
    # distinguished from noise may have a small effect, or too few participants to show it.
    if not mine.is_beyond_noise or is_part:
        return "can't tell"
    sign = 1.0
    if published.seen_in == "contrast":
        sign = _find_contrast(mine)
        if sign == 0.0:
            return "can't tell"
    if published.direction == "none":
        return _name_agreement(agrees=False, is_simulated=is_simulated)
    if math.isnan(mine.direction) or abs(mine.direction) < MIXED:
        return "can't tell"
    expected = 1.0 if published.direction == "plus" else -1.0
    order = levels.get(mine.feature, ())
    if published.level is not None and len(order) == 2 and published.level == order[0]:
        # Ours is the direction of the second level.
        expected = -expected
    return _name_agreement(agrees=mine.direction * sign * expected > 0, is_simulated=is_simulated)


def _find_contrast(mine: Predictor) -> float:
    """Find the sign of the association of the feature with the treatment's effect; 0 if unclear."""
    role = "can't be told" if mine.role is None else mine.role.role
    return {"of the effect": 1.0, "of the effect, in the other direction": -1.0}.get(role, 0.0)


def _name_agreement(*, agrees: bool, is_simulated: bool) -> Agreement:
    if is_simulated:
        return "agrees by construction" if agrees else "contradicts by construction"
    return "agrees" if agrees else "contradicts"
