"""Threshold: a score at or beyond one that is stated."""

from __future__ import annotations

from typing import ClassVar

from glabella.data.endpoints.rules.interface import RuleSettings, VisitRule
from glabella.domain.endpoints import ThresholdRule


class Threshold(VisitRule):
    """The rule ``threshold``: the later score alone decides."""

    settings: ClassVar[tuple[str, ...]] = ("at_most", "at_least")

    def is_in_points(self, stated: RuleSettings) -> bool:
        """Say that the threshold is in points."""
        return True

    def find_fixed(self, stated: RuleSettings) -> ThresholdRule:
        """Make the rule."""
        return ThresholdRule(stated.at_most, stated.at_least)
