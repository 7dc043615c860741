"""Response: a fall from baseline."""

from __future__ import annotations

from typing import ClassVar

from glabella.data.endpoints.rules.interface import RuleSettings, VisitRule
from glabella.domain.endpoints import ResponseRule

_HALF = 0.5


class Response(VisitRule):
    """The rule ``response``: a fall by a fraction of the baseline, or by so many points."""

    settings: ClassVar[tuple[str, ...]] = ("fraction", "points")
    needs_baseline: ClassVar[bool] = True

    def is_in_points(self, stated: RuleSettings) -> bool:
        """Say whether the fall is stated in points."""
        return stated.points is not None

    def is_relative(self, stated: RuleSettings) -> bool:
        """Say whether the fall is a fraction of the baseline."""
        return stated.points is None

    def find_fixed(self, stated: RuleSettings) -> ResponseRule:
        """Make the rule; by half if nothing is stated."""
        is_stated = stated.fraction is not None or stated.points is not None
        return ResponseRule(stated.fraction if is_stated else _HALF, stated.points)
