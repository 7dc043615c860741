"""The typed definition of an endpoint."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from glabella.data.endpoints.intercurrent import IntercurrentDefinition, read_event
from glabella.data.endpoints.strategies import (
    MISSING_STRATEGIES,
    MissingDefinition,
    read_strategy,
)
from glabella.definitions.reader import Definition
from glabella.domain.endpoints import ResponseRule, ThresholdRule
from glabella.domain.visits import Window

__all__ = ["EndpointDefinition", "SustainedDefinition"]

_OF_A_RULE = {
    "fraction": "response",
    "points": "response",
    "at_most": "threshold",
    "at_least": "threshold",
    "code": "flag",
}
_OF_VISITS = ("week", "window", "sustained", "without")
Event = Annotated[IntercurrentDefinition, BeforeValidator(read_event)]


class SustainedDefinition(Definition):
    """How long a response must last.

    Parameters
    ----------
    week : float
        The later week through which it must last.
    window : tuple of float
        The first and last week in which a visit may stand for it.
    """

    week: float
    window: tuple[float, float]

    @model_validator(mode="after")
    def _is_possible(self) -> SustainedDefinition:
        Window(self.week, *self.window)
        return self

    @property
    def visit_window(self) -> Window:
        """The weeks in which a visit may stand for the later week."""
        return Window(self.week, *self.window)


class EndpointDefinition(Definition):
    """The endpoint: a rule, the variable it is of, the week, and what a missing score means.

    Parameters
    ----------
    rule : str
        ``response``: a fall from baseline; ``remission``: at or under the scale's own published
        cut; ``threshold``: a score at or beyond one that is stated; ``flag``: a code of a variable
        that is recorded once, such as a diagnosis or an adverse event.
    of : str
        The variable: a category for a flag, else one that is assessed at visits.
    fraction, points : float, optional
        Of a response: the fraction of the baseline, inside (0, 1], or the points of the scale;
        one half where neither is given.
    at_most, at_least : float, optional
        Of a threshold: the highest, or the lowest, score that counts.
    code : str, optional
        Of a flag: the code that counts.
    week : float, optional
        The week that is meant, after baseline; not of a flag.
    window : tuple of float, optional
        The first and last week in which a visit may stand for it.
    ties : str
        Of two visits equally near to the week, the ``earlier`` or the ``later`` stands for it;
        ``refuse`` to be told that there are some.
    unscheduled : str
        Visits at weeks that under one in twenty of a trial attended: ``use`` or ``ignore`` them.
        Where weeks are days, it goes by the nearest whole week.
    baseline : str
        Of several values at or before week 0, the ``last``, the ``first`` or their ``mean``.
    without : tuple of str
        Items left out of the total, at baseline and after it.
    sustained : SustainedDefinition, optional
        A later week through which the response must last: at its visit and at every visit that
        was attended in between. A visit missed in between does not end it.
    missing : MissingDefinition
        What a missing score means: a strategy's name, or the strategy with its settings.
    intercurrent : dict of IntercurrentDefinition
        What else may happen before the endpoint, and how it is handled.
    """

    rule: Literal["response", "remission", "threshold", "flag"]
    of: str
    fraction: float | None = None
    points: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    code: str | None = None
    week: float | None = None
    window: tuple[float, float] | None = None
    ties: Literal["earlier", "later", "refuse"] = "earlier"
    unscheduled: Literal["use", "ignore"] = "use"
    baseline: Literal["last", "first", "mean"] = "last"
    without: tuple[str, ...] = ()
    sustained: SustainedDefinition | None = None
    missing: Annotated[MissingDefinition, BeforeValidator(read_strategy)]
    intercurrent: dict[str, Event] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_possible(self) -> EndpointDefinition:
        for name, rule in _OF_A_RULE.items():
            if getattr(self, name) is not None and self.rule != rule:
                raise ValueError(f"`{name}` goes with the rule `{rule}`, not with a {self.rule}")
        if self.rule == "flag":
            if self.code is None:
                raise ValueError("a flag needs the `code` that counts")
            self._check_flag()
            return self
        if self.week is None or self.window is None:
            raise ValueError(f"a {self.rule} needs its `week` and `window`")
        if self.rule in ("response", "threshold"):
            self.find_rule(None)
        if self.rule == "remission" and self.without:
            raise ValueError("a scale's cut for remission is of the whole total, not `without` one")
        if self.window[0] <= 0:
            raise ValueError("the endpoint's window must begin after baseline (week 0)")
        window = Window(self.week, *self.window)
        if self.sustained is not None and self.sustained.window[0] <= window.high:
            raise ValueError("the window of `sustained` must begin after the endpoint's own")
        self._check_contradiction()
        return self

    def _check_flag(self) -> None:
        named = [name for name in _OF_VISITS if getattr(self, name)]
        if named:
            raise ValueError(f"`{named[0]}` goes with a score at visits, not with a flag")
        if self.missing.strategy not in ("observed_only", "non_responder"):
            raise ValueError(
                f"`{self.missing.strategy}` needs scores at visits, and a flag is recorded once"
            )
        acted = [name for name, event in self.intercurrent.items() if event.changes_scores]
        if acted:
            raise ValueError(
                f"`{acted[0]}`: only `treatment_policy` or `not_recorded` goes with a flag, which "
                "is recorded once"
            )

    def _check_contradiction(self) -> None:
        for name, event in self.intercurrent.items():
            if event.strategy == "hypothetical" and self.missing.strategy == "non_responder":
                raise ValueError(
                    f"`{name}` can't be `hypothetical` where missing scores count as no response: "
                    "that is `composite`"
                )

    def find_rule(self, cut: float | None) -> ResponseRule | ThresholdRule:
        """Make the rule that a baseline and a score are put to.

        Parameters
        ----------
        cut : float or None
            The scale's cut for remission; not used by other rules.

        Returns
        -------
        ResponseRule or ThresholdRule
            The rule.

        Raises
        ------
        ValueError
            If what is stated is impossible, or the rule is a flag.
        """
        if self.rule == "response":
            by_default = 0.5 if self.fraction is None and self.points is None else self.fraction
            return ResponseRule(by_default, self.points)
        if self.rule == "threshold":
            return ThresholdRule(self.at_most, self.at_least)
        if self.rule == "remission":
            return ThresholdRule(at_most=cut)
        raise ValueError("a flag has no rule for scores")

    @property
    def is_relative(self) -> bool:
        """Whether it is a fraction of the baseline, which of a baseline of zero means nothing."""
        return self.rule == "response" and self.points is None

    @property
    def is_decided_by_score(self) -> bool:
        """Whether a single score decides response."""
        return self.rule != "flag" and self.sustained is None

    @property
    def needs_baseline(self) -> bool:
        """Whether it means nothing without a score at baseline."""
        return self.rule == "response"

    @property
    def visit_window(self) -> Window:
        """The weeks in which a visit may stand for the endpoint."""
        if self.week is None or self.window is None:
            raise ValueError("a flag has no window of visits")
        return Window(self.week, *self.window)

    @property
    def last_week(self) -> float:
        """The last week in which a visit may matter."""
        return self.visit_window.high if self.sustained is None else self.sustained.window[1]

    def describe(self) -> str:
        """Say the endpoint in words.

        Returns
        -------
        str
            For the report and the manifest.
        """
        missing = MISSING_STRATEGIES[self.missing.strategy]
        if self.rule == "flag":
            return f"{self.describe_variable()}; {missing.replace('a score in the window', 'it')}"
        return f"{self.describe_variable()}; {self.missing.describe()}"

    def describe_variable(self) -> str:
        """Say what is measured, without what missing means.

        Returns
        -------
        str
            The variable of the estimand.
        """
        if self.rule == "flag":
            return f"'{self.of}' is '{self.code}'"
        window = self.visit_window
        rule = (
            "remission by the scale's own cut"
            if self.rule == "remission"
            else self.find_rule(None).describe()
        )
        words = f"{rule} at week {window.target:g} (window {window.low:g} to {window.high:g})"
        if self.sustained is not None:
            low, high = self.sustained.window
            words += f", sustained through week {self.sustained.week:g} ({low:g} to {high:g})"
        if self.without:
            words += f", the total without {', '.join(self.without)}"
        return words
