"""Remission: at or under the published cut of each trial's scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from glabella.data.dictionary import Variable
from glabella.data.endpoints.rules.interface import RuleSettings, VisitRule
from glabella.domain.endpoints import Rule, ThresholdRule
from glabella.errors import AnalysisError


class Remission(VisitRule):
    """The rule ``remission``: the cut is of the whole total of a scale."""

    takes_items_away: ClassVar[bool] = False

    def is_in_points(self, stated: RuleSettings) -> bool:
        """Say that every scale has a cut of its own."""
        return False

    def make_rules(
        self, stated: RuleSettings, variable: Variable, scales: Sequence[str | None]
    ) -> tuple[Rule, ...]:
        """Make the rule of each scale, by its published cut."""
        place = f"endpoint of '{stated.of}'"
        if variable.type != "score":
            raise AnalysisError(
                f"'{stated.of}' is not the total of a rating scale, so no cut says what remission "
                "is",
                place=place,
                remedy="Take `rule: threshold` with the cut that you mean.",
            )
        rules = []
        for name in scales:
            scale = variable.find_scale(name)
            if scale.remission_at_most is None:
                raise AnalysisError(
                    f"no cut for remission is published for {scale.label}",
                    place=place,
                    remedy="Take `rule: threshold` with the cut that you mean, or leave the trial "
                    "out.",
                )
            rules.append(ThresholdRule(at_most=scale.remission_at_most))
        return tuple(rules)

    def describe(self, stated: RuleSettings) -> str:
        """Say that the scale decides."""
        return "remission by the scale's own cut"
