"""What an endpoint rule must say and do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import pandas as pd

from glabella.data.dictionary import Variable
from glabella.definitions.reader import Definition
from glabella.domain.endpoints import Rule
from glabella.domain.timing import Moment
from glabella.errors import AnalysisError, DefinitionError


class RuleSettings(Definition):
    """What an endpoint rule is stated by.

    Parameters
    ----------
    rule : str
        A registered rule. ``response``: a fall from baseline; ``remission``: at or under the
        scale's own published cut; ``threshold``: a score at or beyond one that is stated;
        ``flag``: a code of a variable that is recorded once, such as a diagnosis or an adverse
        event.
    of : str
        The variable: a category for a flag, else one that is assessed at visits.
    fraction, points : float, optional
        Of a response: the fraction of the baseline, inside (0, 1], or the points of the scale;
        one half by default.
    at_most, at_least : float, optional
        Of a threshold: the highest, or the lowest, score that counts.
    code : str, optional
        Of a flag: the code that counts.
    """

    rule: str
    of: str
    fraction: float | None = None
    points: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    code: str | None = None


class EndpointRule(ABC):
    """Says when a participant counts as a responder.

    A rule extends `VisitRule` or `RecordRule`.

    Attributes
    ----------
    settings : tuple of str
        The keys that state it, each by itself.
    is_of_visits : bool
        Whether it is of a score at visits, and not of a variable that is recorded once.
    """

    settings: ClassVar[tuple[str, ...]] = ()
    is_of_visits: ClassVar[bool]

    @abstractmethod
    def check(self, stated: RuleSettings) -> None:
        """Refuse settings that are impossible."""

    @abstractmethod
    def check_variable(
        self, stated: RuleSettings, variable: Variable, find_place: Callable[[str], str]
    ) -> None:
        """Refuse a variable of which the rule means nothing."""

    @abstractmethod
    def describe(self, stated: RuleSettings) -> str:
        """Say the rule in words."""


class VisitRule(EndpointRule):
    """A rule that is put to a score at a visit.

    Attributes
    ----------
    needs_baseline : bool
        Whether it means nothing without a score at baseline.
    takes_items_away : bool
        Whether items can be left out of the total.
    """

    is_of_visits: ClassVar[bool] = True
    needs_baseline: ClassVar[bool] = False
    takes_items_away: ClassVar[bool] = True

    @abstractmethod
    def is_in_points(self, stated: RuleSettings) -> bool:
        """Say whether scores of different scales can't be put to it."""

    def is_relative(self, stated: RuleSettings) -> bool:
        """Say whether it is a fraction of the baseline, meaningless if the baseline is zero."""
        return False

    def find_fixed(self, stated: RuleSettings) -> Rule | None:
        """Make the rule for a baseline and a score, if it is the same on every scale."""
        return None

    def make_rules(
        self, stated: RuleSettings, variable: Variable, scales: Sequence[str | None]
    ) -> tuple[Rule, ...]:
        """Make the rule of each scale."""
        rule, place = self.find_fixed(stated), f"endpoint of '{stated.of}'"
        if rule is None:
            raise NotImplementedError("a rule without a fixed one makes those of each scale")
        if variable.scale == "by_trial" and len(scales) > 1 and self.is_in_points(stated):
            raise AnalysisError(
                "points would be compared between totals of different scales",
                place=place,
                remedy="Take `rule: remission` or a `fraction`, or pool trials of one scale.",
            )
        return (rule,)

    def check(self, stated: RuleSettings) -> None:
        """Refuse what no rule can be made of."""
        self.find_fixed(stated)

    def check_variable(
        self, stated: RuleSettings, variable: Variable, find_place: Callable[[str], str]
    ) -> None:
        """Refuse a variable that is not assessed at visits."""
        if variable.timing != "visit":
            raise DefinitionError(
                f"'{stated.of}' is not assessed at visits, so it has no score at a week",
                place=find_place("of"),
                remedy="Take a variable with `timing: visit`.",
            )

    def describe(self, stated: RuleSettings) -> str:
        """Say the rule in words, as the rule for a baseline and a score does."""
        rule = self.find_fixed(stated)
        return "" if rule is None else rule.describe()


class RecordRule(EndpointRule):
    """A rule for a variable that is recorded once."""

    is_of_visits: ClassVar[bool] = False

    @abstractmethod
    def judge(self, stated: RuleSettings, values: pd.Series) -> pd.Series:
        """Say of each participant whether what was recorded counts.

        Returns
        -------
        Series of float, shape (n_participants,)
            1, 0, or NaN if missing.
        """

    @abstractmethod
    def find_moment(self, variable: Variable) -> Moment:
        """Find when the variable is known."""
