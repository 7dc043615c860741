"""The typed definition of a feature set."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from glabella.definitions.reader import Definition
from glabella.domain.scales import SCALES
from glabella.domain.visits import Window
from glabella.errors import describe_choices

__all__ = ["FeatureDefinition", "FeatureSet"]

_EXPRESSIONS = ("points", "percent_of_range", "percent_change", "severity_band")


class FeatureDefinition(Definition):
    """One feature: its builder and what it is built from.

    Parameters
    ----------
    name : str
        The feature's name, and the variable's unless `of` says otherwise.
    builder : str
        A registered builder: ``value``, ``baseline_score``, ``visit_score`` or
        ``change_from_baseline``.
    of : str, optional
        The variable.
    expressed_as : str, optional
        Written ``as``, for a score: ``points``, ``percent_of_range``, ``find_severity_band`` (none,
        mild, moderate, severe by the scale's published cuts), or the name of a scale to which a
        published table leads. A change is in ``points``, ``percent_of_range`` or
        ``percent_change``, the percent of the baseline.
    week : float, optional
        Of a builder that takes a later visit: the week that is meant, after baseline.
    window : tuple of float, optional
        With `week`: the first and last week in which a visit may stand for it; the week alone
        unless stated. The feature is known when the window ends.
    label : str, optional
        The words that readers see; the variable's unless stated.
    """

    name: str
    builder: str = "value"
    of: str | None = None
    expressed_as: str = Field(default="points", alias="as")
    week: float | None = Field(default=None, gt=0)
    window: tuple[float, float] | None = None
    label: str | None = None

    @field_validator("expressed_as")
    @classmethod
    def _exists(cls, word: str) -> str:
        known = [*_EXPRESSIONS, *SCALES]
        if word not in known:
            raise ValueError(
                f"a score can't be expressed as '{word}'. {describe_choices(word, known)}"
            )
        return word

    @model_validator(mode="after")
    def _has_a_window_around_its_week(self) -> FeatureDefinition:
        if self.window is None:
            return self
        if self.week is None:
            raise ValueError("a `window` goes with the `week` that is meant")
        if self.window[0] <= 0:
            raise ValueError("a feature's window must begin after baseline (week 0)")
        Window(self.week, *self.window)
        return self

    @property
    def variable(self) -> str:
        """The variable that the feature is built from."""
        return self.of or self.name

    @property
    def visit_window(self) -> Window:
        """The weeks in which a visit may stand for the feature's week."""
        if self.week is None:
            raise ValueError("the feature names no week")
        low, high = self.window or (self.week, self.week)
        return Window(self.week, low, high)


class FeatureSet(Definition):
    """The features of an analysis and the moment by which they are known.

    Parameters
    ----------
    kind : str
        ``feature_set``.
    description : str
        What the set stands for.
    predict_at : str
        ``baseline`` or ``week N``.
    features : tuple of FeatureDefinition
        In the order of the columns; each known by then, else the clock refuses the set.
    """

    kind: Literal["feature_set"]
    description: str
    predict_at: str = "baseline"
    features: tuple[FeatureDefinition, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_distinct(self) -> FeatureSet:
        names = [feature.name for feature in self.features]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the feature '{twice[0]}' appears twice")
        reserved = sorted({"arm", "studyid"} & set(names))
        if reserved:
            raise ValueError(
                f"'{reserved[0]}' is no feature of a patient; the analysis adds it by itself"
            )
        return self
