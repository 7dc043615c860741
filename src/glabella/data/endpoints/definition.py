"""The typed definition of an endpoint."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from glabella.data.endpoints.intercurrent import IntercurrentDefinition, read_event
from glabella.data.endpoints.rules import RULES
from glabella.data.endpoints.rules.interface import EndpointRule, RuleSettings, VisitRule
from glabella.data.endpoints.strategies.definition import MissingDefinition, read_strategy
from glabella.definitions.reader import Definition
from glabella.domain.endpoints import Rule
from glabella.domain.outcome_words import OutcomeWords
from glabella.domain.visits import Window
from glabella.errors import describe_choices

__all__ = ["EndpointDefinition", "SustainedDefinition", "WordsDefinition"]

_LONGEST_EVENT = 60

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


class WordsDefinition(Definition):
    """The words for the outcome, which reports and pages use.

    Parameters
    ----------
    event : str
        What happens, as a noun phrase without article that follows "with": ``birth at term``.
    """

    event: str

    @field_validator("event")
    @classmethod
    def _is_short(cls, event: str) -> str:
        if not event.strip() or event != event.strip():
            raise ValueError("`event` is a noun phrase, without blanks around it")
        if len(event) > _LONGEST_EVENT:
            raise ValueError(f"`event` has {len(event)} characters of {_LONGEST_EVENT} at most")
        return event


class EndpointDefinition(RuleSettings):
    """The endpoint: a rule, the variable it is of, the week, and what a missing score means.

    Parameters
    ----------
    rule : str
        A registered rule: ``response``, ``remission``, ``threshold`` or ``flag``.
    of : str
        The variable: a category for a flag, else one that is assessed at visits.
    fraction, points, at_most, at_least, code : optional
        What states the rule, as `RuleSettings` describes.
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
    words : WordsDefinition, optional
        The words for the outcome in reports and pages; "response" by default.
    """

    week: float | None = None
    window: tuple[float, float] | None = None
    ties: Literal["earlier", "later", "refuse"] = "earlier"
    unscheduled: Literal["use", "ignore"] = "use"
    baseline: Literal["last", "first", "mean"] = "last"
    without: tuple[str, ...] = ()
    sustained: SustainedDefinition | None = None
    missing: Annotated[MissingDefinition, BeforeValidator(read_strategy)]
    intercurrent: dict[str, Event] = Field(default_factory=dict)
    # Left out of every dump: words do not make another outcome.
    words: WordsDefinition | None = Field(default=None, exclude=True)

    @property
    def outcome_words(self) -> OutcomeWords:
        """The words for the outcome."""
        return OutcomeWords() if self.words is None else OutcomeWords(self.words.event)

    @field_validator("rule")
    @classmethod
    def _exists(cls, name: str) -> str:
        if name not in RULES:
            raise ValueError(f"there is no rule '{name}'. {describe_choices(name, RULES)}")
        return name

    @model_validator(mode="after")
    def _is_possible(self) -> EndpointDefinition:
        self._check_settings()
        if not self.is_of_visits:
            self.method.check(self)
            self._check_record()
            return self
        if self.week is None or self.window is None:
            raise ValueError(f"a {self.rule} needs its `week` and `window`")
        self.visit_rule.check(self)
        if self.without and not self.visit_rule.takes_items_away:
            raise ValueError(
                f"a scale's cut for {self.rule} is of the whole total, not `without` one"
            )
        if self.window[0] <= 0:
            raise ValueError("the endpoint's window must begin after baseline (week 0)")
        window = Window(self.week, *self.window)
        if self.sustained is not None and self.sustained.window[0] <= window.high:
            raise ValueError("the window of `sustained` must begin after the endpoint's own")
        self._check_contradiction()
        return self

    def _check_settings(self) -> None:
        for key in dict.fromkeys(key for rule in RULES.values() for key in rule.settings):
            if getattr(self, key) is not None and key not in self.method.settings:
                takers = [name for name, rule in RULES.items() if key in rule.settings]
                listed = " or ".join(f"`{name}`" for name in takers)
                raise ValueError(f"`{key}` goes with the rule {listed}, not with a {self.rule}")

    def _check_record(self) -> None:
        named = [name for name in _OF_VISITS if getattr(self, name)]
        if named:
            raise ValueError(f"`{named[0]}` goes with a score at visits, not with a {self.rule}")
        if self.missing.method.uses_other_visits:
            raise ValueError(
                f"`{self.missing.strategy}` needs scores at visits, and a {self.rule} is recorded "
                "once"
            )
        acted = [name for name, event in self.intercurrent.items() if event.changes_scores]
        if acted:
            raise ValueError(
                f"`{acted[0]}`: only `treatment_policy` or `not_recorded` goes with a {self.rule}, "
                "which is recorded once"
            )

    def _check_contradiction(self) -> None:
        for name, event in self.intercurrent.items():
            if event.strategy == "hypothetical" and self.missing.method.is_no_response:
                raise ValueError(
                    f"`{name}` can't be `hypothetical` where missing scores count as no response: "
                    "that is `composite`"
                )

    @property
    def method(self) -> EndpointRule:
        """What the rule does."""
        return RULES[self.rule]

    @property
    def visit_rule(self) -> VisitRule:
        """What the rule does with scores at visits."""
        if not isinstance(self.method, VisitRule):
            raise ValueError(f"a {self.rule} has no rule for scores")
        return self.method

    @property
    def is_of_visits(self) -> bool:
        """Whether it is of a score at visits, and not of a variable that is recorded once."""
        return self.method.is_of_visits

    @property
    def fixed_rule(self) -> Rule | None:
        """The rule for a baseline and a score, if it is the same on every scale."""
        return self.visit_rule.find_fixed(self) if self.is_of_visits else None

    @property
    def is_relative(self) -> bool:
        """Whether it is a fraction of the baseline, which of a baseline of zero means nothing."""
        return self.is_of_visits and self.visit_rule.is_relative(self)

    @property
    def is_decided_by_score(self) -> bool:
        """Whether a single score decides response."""
        return self.is_of_visits and self.sustained is None

    @property
    def needs_baseline(self) -> bool:
        """Whether it means nothing without a score at baseline."""
        return self.is_of_visits and self.visit_rule.needs_baseline

    @property
    def visit_window(self) -> Window:
        """The weeks in which a visit may stand for the endpoint."""
        if self.week is None or self.window is None:
            raise ValueError(f"a {self.rule} has no window of visits")
        return Window(self.week, *self.window)

    @property
    def windows(self) -> tuple[Window, ...]:
        """The weeks of the endpoint, and of the later week through which it must last."""
        later = () if self.sustained is None else (self.sustained.visit_window,)
        return (self.visit_window, *later)

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
        missing = self.missing.describe()
        if not self.is_of_visits:
            missing = missing.replace("a score in the window", "it")
        return f"{self.describe_variable()}; {missing}"

    def describe_variable(self) -> str:
        """Say what is measured, without what missing means.

        Returns
        -------
        str
            The variable of the estimand.
        """
        rule = self.method.describe(self)
        if not self.is_of_visits:
            return rule
        window = self.visit_window
        words = f"{rule} at week {window.target:g} (window {window.low:g} to {window.high:g})"
        if self.sustained is not None:
            low, high = self.sustained.window
            words += f", sustained through week {self.sustained.week:g} ({low:g} to {high:g})"
        if self.without:
            words += f", the total without {', '.join(self.without)}"
        return words
