"""Intercurrent events: what they do to the scores after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import model_validator

from glabella.definitions.reader import Definition
from glabella.domain.estimand import EVENTS, STRATEGIES
from glabella.errors import AnalysisError

__all__ = ["IntercurrentDefinition"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class IntercurrentDefinition(Definition):
    """How an intercurrent event is handled.

    Parameters
    ----------
    strategy : str
        ``treatment_policy``, ``composite``, ``while_on_treatment``, ``hypothetical`` or
        ``not_recorded``.
    of : str, optional
        The variable that records it: a number, the week of the event, blank where it did not
        happen; or, for ``composite``, a category with the `code` of who had it.
    code : str, optional
        Of a category: the code of who had it at any time of the follow-up.
    """

    strategy: Literal[
        "treatment_policy", "composite", "while_on_treatment", "hypothetical", "not_recorded"
    ]
    of: str | None = None
    code: str | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> IntercurrentDefinition:
        if self.changes_scores and self.of is None:
            raise ValueError(f"`{self.strategy}` needs the variable `of` the event's week")
        if self.strategy == "not_recorded" and self.of is not None:
            raise ValueError("an event that is `not_recorded` has no variable")
        if self.code is not None and self.of is None:
            raise ValueError("`code` needs the variable that it is `of`")
        if self.code is not None and self.strategy in ("while_on_treatment", "hypothetical"):
            raise ValueError(f"`{self.strategy}` needs the week of the event, not a code")
        return self

    @property
    def changes_scores(self) -> bool:
        """Whether the strategy does anything with what was observed."""
        return self.strategy in ("composite", "while_on_treatment", "hypothetical")


def read_event(given: Any) -> Any:
    """Take a strategy's bare name for the event without a variable.

    Parameters
    ----------
    given : object
        From a definition.

    Returns
    -------
    object
        What `IntercurrentDefinition` reads.
    """
    return {"strategy": given} if isinstance(given, str) else given


@dataclass(frozen=True)
class Intercurrent:
    """What intercurrent events do to each participant's scores.

    Parameters
    ----------
    failed_from : array of float, shape (n_participants,)
        The week from which a participant counts as no responder; infinite where never.
    used_until : array of float, shape (n_participants,)
        The last week whose scores are used; infinite where all are.
    ended : array of bool, shape (n_participants,)
        Whether the last score up to `used_until` stands for what would have come after.
    had : dict of int
        Event to how many had it, of those whose week or code is recorded.
    """

    failed_from: Floats
    used_until: Floats
    ended: Bools
    had: dict[str, int]


def find_intercurrent(
    people: pd.DataFrame, events: dict[str, IntercurrentDefinition]
) -> Intercurrent:
    """Find who had which intercurrent event, and what follows.

    Parameters
    ----------
    people : DataFrame
        The participants.
    events : dict of IntercurrentDefinition
        By name.

    Returns
    -------
    Intercurrent
        In the order of the participants.

    Raises
    ------
    AnalysisError
        If no source maps the variable of an event.
    """
    n = len(people)
    failed_from, used_until = np.full(n, np.inf), np.full(n, np.inf)
    week_of_end, had = np.full(n, np.inf), {}
    for name, event in events.items():
        if event.of is None:
            continue
        week = _find_weeks(people, name, event)
        had[name] = int(np.isfinite(week).sum())
        if event.strategy == "composite":
            failed_from = np.minimum(failed_from, week)
        elif event.strategy == "hypothetical":
            used_until = np.minimum(used_until, week)
        elif event.strategy == "while_on_treatment":
            week_of_end = np.minimum(week_of_end, week)
    # Where both happened, what is set aside first is set aside: its scores can't stand for more.
    ended = (week_of_end < used_until) & np.isfinite(week_of_end)
    return Intercurrent(failed_from, np.minimum(used_until, week_of_end), ended, had)


def _find_weeks(people: pd.DataFrame, name: str, event: IntercurrentDefinition) -> Floats:
    if event.of not in people:
        raise AnalysisError(
            f"no source maps '{event.of}', which says who had the event '{name}'",
            place=f"endpoint, intercurrent '{name}'",
            remedy="Map its column under the participants' `variables:`, or write `not_recorded`.",
        )
    if event.code is not None:
        had = people[event.of].to_numpy() == event.code
        return np.asarray(np.where(had, 0.0, np.inf), dtype=np.float64)
    return np.asarray(people[event.of].astype(float).fillna(np.inf), dtype=np.float64)


def describe_event(name: str, event: IntercurrentDefinition, had: int | None) -> str:
    """Say how an event is handled.

    Parameters
    ----------
    name : str
        The event.
    event : IntercurrentDefinition
        Its strategy.
    had : int or None
        How many had it; None where that is not recorded.

    Returns
    -------
    str
        A sentence without its stop.
    """
    label = EVENTS.get(name, name.replace("_", " "))
    count = "" if had is None else f", in {had} participants"
    words = event.strategy.replace("_", " ")
    return f"{label}: {words} ({STRATEGIES[event.strategy]}){count}"
